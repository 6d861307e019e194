"""The SMTP conversation, both sides, without sockets."""
