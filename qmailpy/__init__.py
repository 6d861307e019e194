"""qmailpy: all of qmail in Python.  See INTERNALS for the picture of the programs."""

VERSION = "0.1"
