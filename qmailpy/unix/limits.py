"""Resource limits, all of them, as lists of (soft, hard) by the system's numbers; text/poolwire.py names some."""

from __future__ import annotations

import resource

from qmailpy.text.poolwire import DATA, NO_LIMIT, RESOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qmailpy.text.poolwire import Limit

PAGE = resource.getpagesize()


def limits() -> list[Limit]:
    """This process's limits."""
    return [resource.getrlimit(number) for number in range(RESOURCES)]


def set_soft(number: int, soft: int) -> None:
    """Change a soft limit.  Raises OSError, ValueError."""
    resource.setrlimit(number, (soft, resource.getrlimit(number)[1]))


def set_all(wanted: Sequence[Limit]) -> None:
    """Have all these limits: for a process that is about to execute a program.  Raises OSError, ValueError."""
    for number, pair in enumerate(wanted):
        if resource.getrlimit(number) != pair:
            resource.setrlimit(number, pair)


def private_bytes() -> int:
    """The memory of this process that is written to, or could be, its share of libraries and shared memory apart; 0 if nobody tells."""
    return _pages(1) - _pages(2)


def limit_growth(more: int) -> None:
    """Let this process's data grow by so many bytes and no more, if nothing stricter holds.  Raises OSError, ValueError."""
    soft = _pages(5) + more
    now, hard = resource.getrlimit(DATA)
    if (now == NO_LIMIT or now > soft) and (hard == NO_LIMIT or hard >= soft):
        resource.setrlimit(DATA, (soft, hard))


def _pages(field: int) -> int:
    """One field of /proc/self/statm, in bytes."""
    try:
        with open("/proc/self/statm", "rb") as numbers:
            return int(numbers.read().split()[field]) * PAGE
    except OSError:
        return 0
