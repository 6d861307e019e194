"""Ask a checkpassword program whether a client is who it says: name and password on descriptor 3, the exit status is the answer."""

from __future__ import annotations

import os

from qmailpy.exits import Temporary
from qmailpy.unix.fds import close_quietly, may_complain, write_all
from qmailpy.unix.process import kill, pipe, spawn, wait_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCEPTED, UNABLE = 0, 111


def accepts(command: Sequence[str], env: Mapping[str, str], folder: str, handed_over: bytes, seconds: float) -> bool:
    """Whether the program lets the client in.

    folder   where it is started
    seconds  that it may take

    What it says goes to our standard error, unless that is the client's connection.  Raises Temporary where it does not decide.
    """
    pid = start(command, env, folder, handed_over)
    code = wait_within(pid, seconds)
    if code is None:
        kill(pid)
    if code is None or code < 0 or code == UNABLE:
        raise Temporary("problem with child", "4.3.0")
    return code == ACCEPTED


def start(command: Sequence[str], env: Mapping[str, str], folder: str, handed_over: bytes) -> int:
    """Start the program; its pid.  Raises Temporary."""
    try:
        source, target = pipe()
    except OSError as problem:
        raise Temporary("unable to open pipe", "4.3.0") from problem
    try:
        # Before there is a reader: a pipe holds so little, and a program that does not want it cannot break it.
        write_all(target, handed_over)
    except OSError as problem:
        close_quietly(source)
        raise Temporary("unable to write pipe", "4.3.0") from problem
    finally:
        close_quietly(target)
    nothing = -1
    try:
        nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        said = 2 if may_complain() else nothing
        return spawn(command, env, {0: nothing, 1: said, 2: said, 3: source}, cwd=folder, unrunnable=UNABLE)
    except OSError as problem:
        raise Temporary("child won't start", "4.3.0") from problem
    finally:
        close_quietly(source, *([nothing] if nothing >= 0 else []))


def arguments(argv: Sequence[str]) -> tuple[str | None, Sequence[str]] | None:
    """What a server's arguments say of AUTH: (the name in challenges, or None for this host's, the check program with its arguments).

    None: nothing, there is no AUTH.  The forms are `check sub ...`, where check has a slash, and `host check sub ...`.
    """
    if len(argv) >= 2 and "/" in argv[0]:
        return None, argv
    if len(argv) >= 3:
        return argv[0], argv[1:]
    return None
