"""Questions to the DNS, with dnspython, which is imported when the first is asked: it takes tens of milliseconds.

Asks the server that the variable DNSCACHEIP names (IP, IP:port or [IPv6]:port), else those of resolv.conf.  EDNS, TCP where
an answer was cut, no ANY, no search list but for people (Search).  What is doubtful is a temporary failure, never "no such host".
"""

from __future__ import annotations

import time

from qmailpy.exits import Permanent, Temporary
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RESOLV_CONF = "/etc/resolv.conf"
PORT = 53
CHAIN_LIMIT = 8  # CNAMEs
PATIENCE = (3.0, 6.0, 12.0)  # seconds for each round through the servers
EXCHANGERS, ADDRESSES = 32, 64  # of a domain, of a host: more are not looked at, since each one takes time
PAYLOAD = 1232  # bytes by UDP that no network cuts
PRINTABLE = bytes(byte if 33 <= byte <= 126 else 0x3F for byte in range(256))


class NoSuchHost(Permanent):
    """The name does not exist."""


class NullExchanger(Permanent):
    """The host says that it takes no mail (RFC 7505)."""


class Unknown(Temporary):
    """The DNS gives no answer now."""


def rows(path: str) -> list[list[str]]:
    """The lines of resolv.conf, as words; none if it cannot be read."""
    try:
        text = (contents(path) or b"").decode("ascii", "replace")
    except OSError:
        return []
    return [words for words in map(str.split, text.split("\n")) if words]


def servers(env: Mapping[str, str], resolv_conf: str = RESOLV_CONF) -> list[tuple[str, int]]:
    """(address, port) of the servers to ask."""
    if chosen := env.get("DNSCACHEIP"):
        return [server(chosen)]
    return [(words[1], PORT) for words in rows(resolv_conf) if words[0] == "nameserver" and len(words) > 1] or [("127.0.0.1", PORT)]


def server(text: str) -> tuple[str, int]:
    """IP, IP:port, IPv6 or [IPv6]:port as (address, port)."""
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif not colon or ":" in host:
        host, port = text, ""
    return host, int(port) if port.isascii() and port.isdigit() else PORT


class Search:
    """Which names a host name that a person types may stand for: LOCALDOMAIN, else search, domain and ndots of resolv.conf, else this host's own domain.

    Nothing that has to do with mail looks names up in this way.
    """

    __slots__ = ("domains", "dots")

    def __init__(self, env: Mapping[str, str], own_name: str, resolv_conf: str = RESOLV_CONF) -> None:
        self.domains, self.dots = [own_name.partition(".")[2]], 1
        for kind, *words in rows(resolv_conf):
            if kind in ("search", "domain"):
                self.domains = words
            elif kind == "options":
                for word in words:
                    name, _, value = word.partition(":")
                    if name == "ndots" and value.isascii() and value.isdigit():
                        self.dots = int(value)
        if "LOCALDOMAIN" in env:
            self.domains = env["LOCALDOMAIN"].split()

    def names(self, host: bytes) -> list[bytes]:
        """The names to try, in this order; one that ends in a dot stands for itself alone."""
        if host.endswith(b"."):
            return [host]
        longer = [host + b"." + domain.encode("utf-8", "surrogateescape") for domain in self.domains if domain.strip(".")]
        return [host, *longer] if host.count(b".") >= self.dots else [*longer, host]


class Resolver:
    """Asks the DNS.  Every question may raise NoSuchHost or Unknown."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._servers = servers(env)

    def addresses(self, name: bytes) -> list[str]:
        """The addresses of a host, IPv4 before IPv6, at most ADDRESSES; none if it exists without any."""
        found, trouble = [], None
        for kind in ("A", "AAAA"):
            try:
                found += [record.address for record in self._ask(name, kind)]
            except Unknown as problem:
                trouble = problem
        if trouble and not found:
            raise trouble
        return found[:ADDRESSES]

    def exchangers(self, name: bytes) -> list[tuple[int, bytes]]:
        """(preference, host) of a domain's mail exchangers, the most preferred EXCHANGERS; none if it has no MX records.  Raises NullExchanger, too."""
        found = [(record.preference, b".".join(record.exchange.labels[:-1])) for record in self._ask(name, "MX")]
        named = [pair for pair in found if pair[1]]
        if found and not named:
            raise NullExchanger("that domain does not accept mail", "5.1.10")
        return sorted(named, key=lambda pair: pair[0])[:EXCHANGERS]

    def has(self, name: bytes, *kinds: str) -> bool:
        """Whether a name has records of one of these types, asked for in this order; False, too, if it does not exist.  Raises Unknown."""
        try:
            return any(self._ask(name, kind) for kind in kinds)
        except NoSuchHost:
            return False

    def pointers(self, address: str) -> list[bytes]:
        """The names of an IP address, with a question mark for each byte that could not stand in a variable or a log line."""
        import dns.reversename

        name = dns.reversename.from_address(address)
        found = (b".".join(record.target.labels[:-1]) for record in self._ask(b".".join(name.labels[:-1]), "PTR"))
        return [host.translate(PRINTABLE) for host in found if host]

    def text(self, name: bytes) -> list[bytes]:
        """The TXT records of a name."""
        return [b"".join(record.strings) for record in self._ask(name, "TXT")]

    def _ask(self, name: bytes, kind: str) -> list[Any]:
        """The records of one type, CNAMEs followed; none if the name has others only."""
        import dns.exception
        import dns.name

        try:
            question = dns.name.Name([*name.removesuffix(b".").split(b"."), b""])
        except (dns.exception.DNSException, ValueError):
            raise NoSuchHost("that is no host name", "5.1.2") from None
        for _ in range(CHAIN_LIMIT):
            response = self._answer(question, kind)
            try:
                chain = response.resolve_chaining()
            except dns.exception.DNSException as problem:
                if response.rcode() == 3:
                    raise NoSuchHost("no such host", "5.1.2") from None
                raise Unknown(f"the DNS contradicts itself: {problem}", "4.4.3") from None
            if chain.answer is not None:
                return list(chain.answer)
            if response.rcode() == 3:
                raise NoSuchHost("no such host", "5.1.2")
            if chain.canonical_name == question:
                return []
            question = chain.canonical_name  # the server has not followed the CNAME itself
        raise Unknown("too many CNAMEs", "4.4.3")

    def _answer(self, name: Any, kind: str) -> Any:
        """A response that says yes or no.  Raises Unknown if no server gives one in time."""
        import dns.exception
        import dns.message
        import dns.query

        query = dns.message.make_query(name, kind, use_edns=0, payload=PAYLOAD)
        end = time.monotonic() + sum(PATIENCE)
        for patience in PATIENCE:
            for address, port in self._servers:
                left = min(patience, end - time.monotonic())
                if left <= 0:
                    break
                try:
                    response, _ = dns.query.udp_with_fallback(query, address, left, port, ignore_unexpected=True, ignore_errors=True)
                except (dns.exception.DNSException, OSError, EOFError, ValueError):
                    continue
                if response.rcode() in (0, 3):
                    return response
        raise Unknown("the DNS gives no answer", "4.4.3")
