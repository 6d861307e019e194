"""What the C library does with memory that is free.  For processes that live long: ctypes takes its time to load."""

from __future__ import annotations

import ctypes


def tidy() -> None:
    """Join what is free, and give the system what it can have back.

    Done before a process forks, it is not done by each of its children, which would write on half of all pages and so have them for themselves.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc
        trim(ctypes.c_size_t(0))
