"""Folders laid over others, for this process and what it starts alone (mount_namespaces(7), mount(2)).  Needs root.

Everybody else goes on seeing what was there, and it is there again when the last of these processes has ended.
"""

from __future__ import annotations

import ctypes
import os

NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # MS_BIND, MS_REC, MS_PRIVATE
DETACH = 2  # MNT_DETACH


def separate() -> None:
    """From here on, what is mounted is our own affair.  Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(NEW_NAMESPACE), "unshare")
    _checked(libc.mount(b"none", b"/", None, ctypes.c_ulong(RECURSIVE | PRIVATE), None), "/")


def lay_over(target: str, source: str) -> None:
    """Have `target`, a folder, show what is in `source`.  Raises OSError.  Only after `separate`."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(BIND), None), target)


def take_off(target: str) -> None:
    """Have `target` show again what it did before the last `lay_over`.  Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.umount2(os.fsencode(target), DETACH), target)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
