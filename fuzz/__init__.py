"""Hostile input for everything that reads what strangers say or what may be damaged: is every promise kept?  `make fuzz`; INTERNALS, Hostile input."""
