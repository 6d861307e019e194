"""Control files: declared once, in table.py."""
