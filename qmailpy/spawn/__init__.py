"""What qmail-lspawn and qmail-rspawn share."""
