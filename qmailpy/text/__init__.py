"""Bytes to values and back: formats without any input or output of their own."""
