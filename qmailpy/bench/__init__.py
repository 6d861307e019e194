"""The benchmark: servers made for it, what is measured of them, and how it is told (qmail-bench(8))."""
