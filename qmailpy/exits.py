"""The two kinds of trouble, and how a program ends.

Library code raises Temporary or Permanent with the sentence a person will read; it never prints
and never exits.  Only `run`, the session loops and the writers of reports catch.  Anything else
that is raised is a bug, and a bug is temporary: mail waits, it never bounces.
"""

from __future__ import annotations

import errno
import os
import sys

from qmailpy.errnotext import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from types import TracebackType

OK, PERMANENT, TEMPORARY = 0, 100, 111
DETAIL = 200  # characters of an exception's own words
PARKED = -1  # no exit status: a pool's worker is done with this work, but it goes on elsewhere

# What a disk, a process table or a memory says when it is full or broken: never the caller's fault.
TEMPORARY_ERRNOS = frozenset((
    errno.EINTR, errno.ENOMEM, errno.ETXTBSY, errno.EIO, errno.ETIMEDOUT, errno.EAGAIN, errno.EDEADLK,
    errno.EBUSY, errno.ENFILE, errno.EMFILE, errno.EFBIG, errno.ENOSPC, errno.ENETDOWN, errno.ENETUNREACH,
    errno.ENETRESET, errno.ECONNABORTED, errno.ECONNRESET, errno.ENOBUFS, errno.ETOOMANYREFS,
    errno.ECONNREFUSED, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EPROCLIM if hasattr(errno, "EPROCLIM") else errno.EAGAIN,
    errno.EUSERS, errno.EDQUOT, errno.ESTALE, errno.ENOLCK,
))


class Trouble(Exception):
    """Something that ends the work: `text` is the sentence, `status` the enhanced code (RFC 3463) or ""."""

    code = TEMPORARY
    kind = "fatal"

    def __init__(self, text: str, status: str = "") -> None:
        super().__init__(text)
        self.text, self.status = text, status


class Temporary(Trouble):
    """Trying again later may help.  Exit 111, report letter Z, SMTP 451 or 421."""


class Permanent(Trouble):
    """Trying again will not help.  Exit 100, report letter D, SMTP 554."""

    code = PERMANENT


class Usage(Permanent):
    """The caller's mistake: the text is the usage line, without "usage: "."""

    kind = "usage"


class Tenure:
    """Whether this process may do more work when it has done what it is at; one for the process, like its umask.

    A program that was executed ends anyway.  A pool's worker, and a spawner's child that stays, look here after each piece of work
    (INTERNALS: Resident pools).

    warm    this is such a process
    reason  why it must not serve anybody else; "" if it may
    trace   where an unforeseen exception came from
    """

    __slots__ = ("warm", "reason", "trace")

    def __init__(self) -> None:
        self.warm = False
        self.reason = self.trace = ""


TENURE = Tenure()


def retire(reason: str) -> None:
    """Have this process end after its present work: it has seen a secret, such as a password or a private key."""
    TENURE.reason = TENURE.reason or reason


class during:  # noqa: N801 (reads as a word: with during("unable to open x"): ...)
    """Turn an OSError of the block into Temporary("unable to ...: file does not exist")."""

    __slots__ = ("doing", "status")

    def __init__(self, doing: str, status: str = "") -> None:
        self.doing, self.status = doing, status

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(problem, OSError):
            raise Temporary(f"{self.doing}: {wording(problem.errno)}", self.status) from problem


def is_temporary(number: int | None) -> bool:
    """Whether an errno says that trying again later may help (C: error_temp)."""
    return number in TEMPORARY_ERRNOS


def complain(line: str, fd: int = 2) -> None:
    """Write one line on standard error, or another log; where that is closed or broken, nobody wanted it."""
    try:
        os.write(fd, line.encode("utf-8", "surrogateescape") + b"\n")
    except OSError:
        pass


def outcome(main: Callable[[list[str], MutableMapping[str, str]], int], argv: list[str], env: MutableMapping[str, str]) -> int:
    """The exit status of `main`; trouble is told on standard error, under the program's name."""
    name = os.path.basename(argv[0]) if argv else "qmailpy"
    try:
        return main(argv, env)
    except Usage as problem:
        complain(f"{name}: usage: {problem.text}")
        return problem.code
    except Trouble as problem:
        complain(f"{name}: {problem.kind}: {problem.text}")
        return problem.code
    except BrokenPipeError:
        return TEMPORARY
    except Exception as problem:  # noqa: BLE001 (a bug: say where, and let mail wait)
        complain(f"{name}: fatal: {bug(problem)}")
        return TEMPORARY


def bug(problem: BaseException) -> str:
    """One line that tells a developer where an unforeseen exception came from: innermost three places.  Who asks has caught one: a warm process ends then."""
    places, trace = [], problem.__traceback__
    while trace is not None:
        places.append(f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")
        trace = trace.tb_next
    detail = one_line(wording(problem.errno) if isinstance(problem, OSError) else str(problem))
    told = f"internal error: {type(problem).__name__}: {detail} at "
    TENURE.trace = told + " ".join(places)
    retire("unforeseen exception")
    return told + " ".join(places[-3:])


def one_line(text: str) -> str:
    """The beginning of a text as it can stand in a line: an exception's words may be a stranger's."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:DETAIL])


def run(main: Callable[[list[str], MutableMapping[str, str]], int], argv: list[str] | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a program to its end and leave the process.  Skips the interpreter's own farewell, which costs milliseconds."""
    status = outcome(main, sys.argv if argv is None else argv, dict(os.environ if env is None else env))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    os._exit(status)
