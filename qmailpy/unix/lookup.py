"""Questions that people ask the DNS from scripts: the answers printed, the exit code telling how it went (C: dnsdoe)."""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, TEMPORARY, Permanent, Temporary, complain
from qmailpy.unix.fds import write_all
from qmailpy.unix.ipme import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from qmailpy.unix.resolver import Resolver


def addresses(resolver: Resolver, host: bytes) -> list[str]:
    """The addresses of a host; of an address, in brackets or not, itself.  Raises Permanent, Temporary."""
    text = host.removeprefix(b"[").removesuffix(b"]").decode("ascii", "replace")
    literal = canonical(text)
    return [literal] if literal else resolver.addresses(host)


def name_of(resolver: Resolver, address: str) -> bytes:
    """The name of an address.  Raises Permanent, Temporary."""
    names = resolver.pointers(address)
    if not names:
        raise Permanent("no name")
    return names[0]


def answer(env: Mapping[str, str], ask: Callable[[Resolver], Iterable[bytes]]) -> int:
    """Print what `ask` finds, a line each; the exit code: 0, 100 for a sure no, 111 for no answer."""
    from qmailpy.unix.resolver import Resolver

    try:
        found = list(ask(Resolver(env)))
    except Permanent:
        complain("hard error")
        return PERMANENT
    except Temporary:
        complain("soft error")
        return TEMPORARY
    write_all(1, b"".join(line + b"\n" for line in found))
    return OK
