"""Run a program whose standard input is some lines of ours, then what descriptor 0 gives."""

from __future__ import annotations

import _signal
import os

from qmailpy.errnotext import wording
from qmailpy.exits import PERMANENT, TEMPORARY, Temporary, complain, is_temporary
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.process import execute, fork_working, pipe, standard, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Unreadable(Temporary):
    """The message breaks off: descriptor 0 cannot be read to its end."""


def attempt(argv: Sequence[str | bytes], env: Mapping[str, str], unrunnable: Callable[[OSError], int]) -> int:
    """Become a program; the exit code that `unrunnable` finds for the reason why not."""
    try:
        execute(argv, env)
    except OSError as problem:
        return unrunnable(problem)


def code_of(problem: OSError) -> int:
    """The exit code for a program that cannot be run: 111 if trying again may help, 100 if not."""
    return TEMPORARY if is_temporary(problem.errno) else PERMANENT


def telling(who: str, command: str, final: int = PERMANENT) -> Callable[[OSError], int]:
    """Says in the name of program `who` that a command cannot be run, and why; the exit code is `final` if trying again would not help."""
    def unrunnable(problem: OSError) -> int:
        complain(f"{who}: fatal: unable to run {command}: {wording(problem.errno)}")
        return TEMPORARY if is_temporary(problem.errno) else final

    return unrunnable


def feed(argv: Sequence[str | bytes], env: Mapping[str, str], head: bytes, unrunnable: Callable[[OSError], int]) -> int:
    """Run a program on `head` and the rest of descriptor 0; its exit status.  Raises Temporary if it crashes or cannot be fed, Unreadable.

    A program that ends without having read everything is content with what it got.
    If the input cannot be read the program is killed: it must not take a part for the whole.
    """
    inherited = standard()  # before there is a pipe: an end of it could have the number of one that is closed
    try:
        source, target = pipe()
        pid = fork_working(lambda: attempt(argv, env, unrunnable), {**inherited, 0: source})
    except OSError as problem:
        raise Temporary(f"unable to fork: {wording(problem.errno)}") from None
    close_quietly(source)
    try:
        write_all(target, head)
        while data := read(0, pid):
            write_all(target, data)
    except BrokenPipeError:
        pass
    finally:
        close_quietly(target)
    code = wait(pid)
    if code < 0:
        raise Temporary("child crashed")
    return code


def read(fd: int, pid: int) -> bytes:
    """The next block.  Raises Unreadable, and the child is gone, if there is none to be had."""
    try:
        return os.read(fd, BLOCK)
    except OSError as problem:
        os.kill(pid, _signal.SIGKILL)
        wait(pid)
        raise Unreadable(f"unable to copy input: {wording(problem.errno)}") from None


def judge(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Run a program that judges a message; whether it exits 0.

    Exit 111 and a crash are no judgement: raises Temporary.  A program that cannot be run for good counts as one that says no.
    """
    try:
        pid = fork_working(lambda: attempt(argv, env, code_of), standard())
    except OSError as problem:
        raise Temporary(f"unable to fork: {wording(problem.errno)}") from None
    code = wait(pid)
    if code < 0:
        raise Temporary("child crashed")
    if code == TEMPORARY:
        raise Temporary("temporary child error")
    return code == 0
