"""What would happen to a message, and why: the checks and routes of the real programs, watched (qmail-explain(8))."""
