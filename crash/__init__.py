"""Accidents: kills, power cuts and broken disks at every step of a message's life.  `make crash` runs them; INTERNALS says which promises they hold."""
