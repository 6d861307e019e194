"""Where mail for a host goes: smtproutes, and the order of mail exchangers (qmail-remote(8))."""

from __future__ import annotations

from qmailpy.settings.kinds import digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SMTP = 25


class Target:
    """A host and port; `relay`: an artificial route leads there, so that its own MX records and its being us do not matter."""

    __slots__ = ("host", "port", "relay")

    def __init__(self, host: bytes, port: int = SMTP, relay: bool = False) -> None:
        self.host, self.port, self.relay = host, port, relay


class Hop:
    """An address to connect to, and its preference: the lowest first."""

    __slots__ = ("address", "preference")

    def __init__(self, address: str, preference: int) -> None:
        self.address, self.preference = address, preference


def target(host: bytes, routes: Mapping[bytes, bytes]) -> Target:
    """Where mail for `host` goes: host, .suffix of it or empty key in smtproutes, the longest first; an empty relay is no route."""
    for key in keys(host.lower()):
        if key in routes:
            relay = routes[key]
            return parse(relay) if relay else Target(host)
    return Target(host)


def keys(host: bytes) -> Iterator[bytes]:
    """The keys that fit a host, most special first."""
    yield host
    at = host.find(b".", 1)
    while at != -1:
        yield host[at:]
        at = host.find(b".", at + 1)
    if host:
        yield b""


def parse(relay: bytes) -> Target:
    """relay, relay:port, [address] or [address]:port, where the address may be IPv6, with or without "IPv6:"."""
    if relay.startswith(b"[") and b"]" in relay:
        host, _, rest = relay.partition(b"]")
        return Target(host + b"]", digits(rest.removeprefix(b":")) or SMTP, relay=True)
    if relay.count(b":") > 1:  # a bare IPv6 address
        return Target(relay, relay=True)
    host, _, port = relay.partition(b":")
    return Target(host, digits(port) or SMTP, relay=True)


def literal(host: bytes) -> str | None:
    """The IP address that a host is written as: 192.0.2.1, [192.0.2.1], 2001:db8::1, [2001:db8::1], [IPv6:2001:db8::1]; None: a name."""
    text = host[1:-1] if host.startswith(b"[") and host.endswith(b"]") else host
    if text[:5].lower() == b"ipv6:":
        text = text[5:]
    if b":" in text and all(byte in b"0123456789abcdefABCDEF:." for byte in text):
        return text.decode()
    parts = text.split(b".")
    if len(parts) == 4 and all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return None


def in_order(exchangers: Sequence[tuple[int, bytes]], draw: Callable[[], int]) -> list[tuple[int, bytes]]:
    """Exchangers by preference; those of one preference in an order drawn at random (RFC 5321 section 5.1)."""
    return [pair for _, _, pair in sorted((pair[0], draw(), pair) for pair in exchangers)]


def before_me(hops: Sequence[Hop], is_me: Callable[[str], bool]) -> list[Hop]:
    """The hops that are preferred to this host: anything else would come back here (RFC 5321 section 5.1)."""
    mine = min((hop.preference for hop in hops if is_me(hop.address)), default=1 << 20)
    return [hop for hop in hops if hop.preference < mine]
