"""Local delivery: .qmail files and the four ways to deliver."""
