"""Where mail for a host goes: qmtproutes, smtproutes, the order of mail exchangers, and the ports to try there (qmail-remote(8))."""

from __future__ import annotations

from qmailpy.remote.report import Failed, no_password
from qmailpy.settings.kinds import digits
from qmailpy.text.route import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qmailpy.smtp.login_client import Login

SMTP, QMTP = "SMTP", "QMTP"
SMTP_PORT, QMTP_PORT = 25, 209
QMTP_PREFERENCES = range(12801, 13056, 16)  # of mail exchangers that take mail by QMTP too (MXPS, cr.yp.to/proto/mxps.txt)


class Target:
    """A host, port and protocol.

    relay  an artificial route leads there, so that its own MX records and its being us do not matter
    """

    __slots__ = ("host", "port", "relay", "protocol")

    def __init__(self, host: bytes, port: int = SMTP_PORT, relay: bool = False, protocol: str = SMTP) -> None:
        self.host, self.port, self.relay, self.protocol = host, port, relay, protocol


class Hop:
    """An address to connect to, its preference (the lowest first), and the name of the host that has it, without a dot at its end."""

    __slots__ = ("address", "preference", "name")

    def __init__(self, address: str, preference: int, name: bytes = b"") -> None:
        self.address, self.preference = address, preference
        self.name = name.removesuffix(b".")


class Route:
    """Where mail goes: to the first of `targets` that can be had, with `login` for each of them."""

    __slots__ = ("targets", "login")

    def __init__(self, targets: tuple[Target, ...], login: Login | None = None) -> None:
        self.targets, self.login = targets, login


def route(host: bytes, smtproutes: Mapping[bytes, bytes], qmtproutes: Mapping[bytes, bytes]) -> Route:
    """Where mail for `host` goes: by its name, a .suffix of it or the empty key, the longest first; an empty relay is no route.

    Of two routes with the same key, that of qmtproutes counts.  Raises Failed for a route with a user name and no password.
    """
    for key in domains(host.lower()):
        if key in qmtproutes:
            relay = qmtproutes[key]
            return Route((parse(relay, QMTP, QMTP_PORT) if relay else Target(host),))
        if key in smtproutes:
            return smtp_route(host, smtproutes[key])
    return Route((Target(host),))


def smtp_route(host: bytes, text: bytes) -> Route:
    """What an entry of smtproutes says about a host: relays, with commas between them; a user name; the password.

    Blanks are between these three; the password may have some in it (aio: smtproutes with user and password).
    """
    relays, rest = first_word(text)
    user, password = first_word(rest)
    if user and not password:
        raise Failed(no_password(host))
    if not relays:  # also where a login follows: it would be for nobody in particular
        return Route((Target(host),))
    targets = tuple(parse(relay) for relay in relays.split(b",") if relay) or (parse(relays),)
    if not user:
        return Route(targets)
    from qmailpy.smtp.login_client import Login

    return Route(targets, Login(user, password))


def first_word(text: bytes) -> tuple[bytes, bytes]:
    """What stands before the first blank, which may be nothing; and what follows the blanks."""
    word = text.replace(b"\t", b" ").partition(b" ")[0]
    return word, text[len(word):].lstrip(b" \t")


def doors(wanted: Target, hop: Hop, by_preference: bool) -> tuple[tuple[int, str], ...]:
    """The (port, protocol) pairs to try at a hop, in order; `by_preference`: QMTP first where the hop's MX preference says so."""
    if by_preference and not wanted.relay and hop.preference in QMTP_PREFERENCES:
        return (QMTP_PORT, QMTP), (wanted.port, wanted.protocol)
    return ((wanted.port, wanted.protocol),)


def parse(relay: bytes, protocol: str = SMTP, port: int = SMTP_PORT) -> Target:
    """relay, relay:port, [address] or [address]:port, where the address may be IPv6, with or without "IPv6:"; `port`: where none is named."""
    if relay.startswith(b"[") and b"]" in relay:
        host, _, rest = relay.partition(b"]")
        return Target(host + b"]", digits(rest.removeprefix(b":")) or port, True, protocol)
    if relay.count(b":") > 1:  # a bare IPv6 address
        return Target(relay, port, True, protocol)
    host, _, rest = relay.partition(b":")
    return Target(host, digits(rest) or port, True, protocol)


def literal(host: bytes) -> str | None:
    """The IP address that a host is written as: 192.0.2.1, [192.0.2.1], 2001:db8::1, [2001:db8::1], [IPv6:2001:db8::1]; None: a name."""
    text = host[1:-1] if host.startswith(b"[") and host.endswith(b"]") else host
    if text[:5].lower() == b"ipv6:":
        text = text[5:]
    if b":" in text and all(byte in b"0123456789abcdefABCDEF:." for byte in text):
        return text.decode()
    return ipv4(text)


def ipv4(text: bytes) -> str | None:
    """An IPv4 address in its usual notation; None if `text` is none."""
    parts = text.split(b".")
    if len(parts) == 4 and all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return None


def place(text: bytes, port: int) -> tuple[str, int] | None:
    """(address, port) of an IP address with or without a port behind it, in any form that `parse` takes; None for a name."""
    found = parse(text, port=port)
    address = literal(found.host)
    return None if address is None else (address, found.port)


def in_order(exchangers: Sequence[tuple[int, bytes]], draw: Callable[[], int]) -> list[tuple[int, bytes]]:
    """Exchangers by preference; those of one preference in an order drawn at random (RFC 5321 section 5.1)."""
    return [pair for _, _, pair in sorted((pair[0], draw(), pair) for pair in exchangers)]


def before_me(hops: Sequence[Hop], is_me: Callable[[str], bool]) -> list[Hop]:
    """The hops that are preferred to this host: anything else would come back here (RFC 5321 section 5.1)."""
    mine = min((hop.preference for hop in hops if is_me(hop.address)), default=1 << 20)
    return [hop for hop in hops if hop.preference < mine]
