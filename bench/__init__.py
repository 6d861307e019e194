"""The project's own benchmark: `make bench` (INSTALL says how to read it)."""
