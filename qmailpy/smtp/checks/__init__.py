"""What qmail-smtpd checks before it says yes: one small function each, in ordered tuples."""
