"""The only code that touches processes, sockets, locks and syncs."""
