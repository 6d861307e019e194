"""Launchers: the native program with its settings filled in (launcher/launcher.c)."""

from __future__ import annotations

MARKER = b"QMAILPY LAUNCHER:"
ROOM = 4096


class Unusable(Exception):
    """The launcher that was built has no room for settings, or they have no room in it."""


def filled(launcher: bytes, program: str, home: str, interpreter: str) -> bytes:
    """The launcher for one program of a home.  Raises Unusable."""
    at = launcher.find(MARKER + b"\0")
    if at < 0:
        raise Unusable("the launcher has no marker; `make clean` and `make` build it anew")
    settings = b"".join(text.encode() + b"\0" for text in (program, f"{home}/bin/{program}", interpreter, f"{home}/lib/qmailpy/current/boot.pyc"))
    if len(settings) >= ROOM:
        raise Unusable("the home's path is too long")
    at += len(MARKER)
    return launcher[:at] + settings.ljust(ROOM, b"\0") + launcher[at + ROOM:]


def is_launcher(data: bytes) -> bool:
    """Whether an installed file is one of ours."""
    return MARKER in data


def moved(launcher: bytes, old: str, new: str) -> bytes:
    """A filled launcher for the same program of another home: every path below `old` is below `new`.  Raises Unusable."""
    at = launcher.find(MARKER) + len(MARKER)
    fields = launcher[at:at + ROOM].rstrip(b"\0").split(b"\0")
    before, after = f"{old}/".encode(), f"{new}/".encode()
    settings = b"".join((after + field.removeprefix(before) if field.startswith(before) else field) + b"\0" for field in fields)
    if len(settings) >= ROOM:
        raise Unusable("the home's path is too long")
    return launcher[:at] + settings.ljust(ROOM, b"\0") + launcher[at + ROOM:]
