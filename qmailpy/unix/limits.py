"""Resource limits, all of them, as lists of (soft, hard) by the system's numbers; text/poolwire.py names some."""

from __future__ import annotations

import resource

from qmailpy.kept import KEPT
from qmailpy.text.poolwire import DATA, NO_LIMIT, RESOURCES, Limits
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qmailpy.text.poolwire import Limit

PAGE = resource.getpagesize()
FIELDS = 7  # of /proc/self/statm
NOBODY = b"0 " * FIELDS
LASTING = "limits"


def limits() -> list[Limit]:
    """This process's limits."""
    return [resource.getrlimit(number) for number in range(RESOURCES)]


def lasting() -> Limits:
    """The same for a warm process, which asks for them with every message: nobody changes them but the functions here."""
    return KEPT.once(LASTING, lambda: Limits(limits()))


def set_soft(number: int, soft: int) -> None:
    """Change a soft limit.  Raises OSError, ValueError."""
    _set(number, (soft, resource.getrlimit(number)[1]))


def _set(number: int, pair: Limit) -> None:
    KEPT.forget(LASTING)
    resource.setrlimit(number, pair)


def set_all(wanted: Sequence[Limit]) -> None:
    """Have all these limits: for a process that is about to execute a program.  Raises OSError, ValueError."""
    for number, pair in enumerate(wanted):
        if resource.getrlimit(number) != pair:
            _set(number, pair)


def private_bytes() -> int:
    """The memory of this process that is written to, or could be, its share of libraries and shared memory apart; 0 if nobody tells."""
    _, all_there_is, shared, *_ = _pages()
    return all_there_is - shared


def limit_growth(more: int) -> None:
    """Let this process's data grow by so many bytes and no more, if nothing stricter holds.  Raises OSError, ValueError."""
    soft = _pages()[5] + more
    now, hard = resource.getrlimit(DATA)
    if (now == NO_LIMIT or now > soft) and (hard == NO_LIMIT or hard >= soft):
        _set(DATA, (soft, hard))


def _pages() -> list[int]:
    """The fields of /proc/self/statm, in bytes; zeros if nobody tells."""
    try:
        return [int(word) * PAGE for word in (contents("/proc/self/statm") or NOBODY).split()]
    except OSError:
        return [0] * FIELDS
