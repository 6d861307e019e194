"""POP3 without input or output (RFC 1939)."""
