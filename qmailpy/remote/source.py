"""The local address of a connection: senderip, bindroutes, outgoingip (aio: bindroutes, senderip, outgoingip and precedence)."""

from __future__ import annotations

from qmailpy.remote.report import BAD_OUTGOINGIP, Failed, record
from qmailpy.remote.route import ipv4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNSPECIFIED = "0.0.0.0"  # noqa: S104 (nothing is bound to it: it stands for the system's choice)


class Sources:
    """Where the connections for a message come from.

    senderip, bindroutes, outgoingip  what the control files say
    sender                            of the message, as it was before it was signed

    Raises Failed if outgoingip holds anything but an IPv4 address.
    """

    __slots__ = ("_by_sender", "_routes", "_default")

    def __init__(self, senderip: Mapping[bytes, bytes], bindroutes: Mapping[bytes, bytes], outgoingip: bytes, sender: bytes) -> None:
        self._by_sender = entry(senderip, sender)
        self._routes = bindroutes
        default = ipv4(outgoingip) if outgoingip else UNSPECIFIED
        if default is None:
            raise Failed(record(BAD_OUTGOINGIP))
        self._default = default

    def address(self, destination: str) -> str | None:
        """The local address for connections to an IP address; "" the system's choice; None: the destination is not to be contacted.

        An IPv6 destination has the system's choice always: the files speak of IPv4 alone.
        """
        if ":" in destination:
            return ""
        found: str | None = self._default
        route = next((self._routes[key] for key in prefixes(destination.encode()) if key in self._routes), None)
        if route is not None:
            found = ipv4(route)
            if found is None:
                return None  # a ban, also for those who have an address of their own; a typing error must not become any other address
        if self._by_sender:
            found = ipv4(self._by_sender)
        return "" if found == UNSPECIFIED else found


def entry(senderip: Mapping[bytes, bytes], sender: bytes) -> bytes:
    """What senderip says about a sender's domain; b"" if it says nothing.  A sender without one has the empty domain."""
    if not senderip:
        return b""
    from qmailpy.text.address import domain

    return senderip.get(domain(sender) or b"", b"")


def prefixes(address: bytes) -> Iterator[bytes]:
    """The keys that fit an IPv4 address, the longest first: itself, its first numbers with a dot behind them, the empty one."""
    yield address
    at = address.rfind(b".")
    while at >= 0:
        yield address[:at + 1]
        at = address.rfind(b".", 0, at)
    yield b""
