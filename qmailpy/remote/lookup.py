"""What dnsip, dnsmxip, dnsptr and dnsfq have in common: the questions, as qmail-remote asks them, and how the answer is told (C: dnsdoe)."""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, TEMPORARY, Permanent, Temporary, complain
from qmailpy.remote.route import literal
from qmailpy.unix.fds import write_all
from qmailpy.unix.ipme import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from qmailpy.unix.resolver import Resolver


def itself(host: bytes) -> str | None:
    """The address that a host is written as, in brackets or not; None if it is a name."""
    address = literal(host)
    return None if address is None else canonical(address)


def addresses(resolver: Resolver, host: bytes) -> list[str]:
    """The addresses of a host, at least one; of an address, itself.  Raises Permanent, Temporary."""
    address = itself(host)
    found = resolver.addresses(host) if address is None else [address]
    if not found:
        raise Permanent("the host has no address")
    return found


def full_name(resolver: Resolver, names: Iterable[bytes]) -> bytes:
    """The name of the first address of the first of `names` that has one.  Raises Permanent, Temporary."""
    for name in names:
        try:
            address = addresses(resolver, name)[0]
        except Permanent:
            continue
        return name_of(resolver, address)
    raise Permanent("the host has no address")


def name_of(resolver: Resolver, address: str) -> bytes:
    """The name of an address, with question marks in it for bytes that are not printable.  Raises Permanent, Temporary."""
    names = resolver.pointers(address)
    if not names:
        raise Permanent("the address has no name")
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
