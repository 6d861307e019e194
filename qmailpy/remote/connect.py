"""From a host's name to a connection: who is asked, in which order, and what is remembered of those that do not answer."""

from __future__ import annotations

import os

from qmailpy.exits import Trouble
from qmailpy.remote import report
from qmailpy.remote.report import Failed
from qmailpy.remote.route import Hop, before_me, in_order, literal
from qmailpy.unix.ipme import canonical, own_addresses
from qmailpy.unix.net import NoSource, connect, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmailpy.queue.tcpto import DeadHosts
    from qmailpy.remote.route import Target
    from qmailpy.remote.source import Sources
    from qmailpy.unix.net import Stream
    from qmailpy.unix.resolver import Resolver


class Link:
    """A connection: the stream, the hop that it leads to, the port, the protocol that is spoken there, the local address asked for."""

    __slots__ = ("stream", "hop", "port", "protocol", "source")

    def __init__(self, stream: Stream, hop: Hop, port: int, protocol: str, source: str) -> None:
        self.stream, self.hop, self.port, self.protocol, self.source = stream, hop, port, protocol, source


def hops(target: Target, resolver: Resolver, moreipme: Sequence[bytes] | None, notipme: Sequence[bytes] | None) -> list[Hop]:
    """The addresses to try, in order; the two lists: what those control files hold.  Raises Failed."""
    if (address := literal(target.host)) is not None:
        name = canonical(address)
        found = [Hop(name, 0, address.encode())] if name else []
    else:
        found = named(target, resolver)
    if not found:
        raise Failed(report.record(report.NO_EXCHANGER))
    if target.relay:
        return found
    try:
        usable = before_me(found, own_addresses(moreipme, notipme).has)
    except OSError:
        raise Failed(report.record(report.NO_RESOURCES)) from None
    if not usable:
        raise Failed(report.record(report.LOOPS_BACK))
    return usable


def named(target: Target, resolver: Resolver) -> list[Hop]:
    """The same for a host that is given by name.  Raises Failed."""
    from qmailpy.unix.resolver import ADDRESSES, NoSuchHost, NullExchanger, Unknown

    try:
        exchangers = [] if target.relay else in_order(resolver.exchangers(target.host), lambda: int.from_bytes(os.urandom(4), "little"))
        if not exchangers:
            return [Hop(plain(address), 0, target.host) for address in resolver.addresses(target.host)]
    except NullExchanger:
        raise Failed(report.record(report.NULL_MX)) from None
    except NoSuchHost:
        raise Failed(report.no_such_host(target.host)) from None
    except Unknown:
        raise Failed(report.record(report.SOFT_DNS)) from None
    found: list[Hop] = []
    doubtful = False
    for preference, host in exchangers:
        if len(found) >= ADDRESSES:
            break
        try:
            found += [Hop(plain(address), preference, host) for address in resolver.addresses(host)]
        except Trouble as problem:
            doubtful = doubtful or isinstance(problem, Unknown)
    if doubtful and not found:
        raise Failed(report.record(report.SOFT_DNS))
    return found[:ADDRESSES]


def plain(address: str) -> str:
    """An address of the DNS in its one notation, so that what is said of an IPv4 address holds also where IPv6 only maps it."""
    return canonical(address) or address


class Connector:
    """Connects to the first hop that answers.

    sources  the local addresses
    seconds  to wait for a connection
    timeout  for each later read and write
    now      the time in seconds
    """

    def __init__(self, dead: DeadHosts, sources: Sources, seconds: float, timeout: float, now: int) -> None:
        self.dead, self.sources, self.seconds, self.timeout, self.now = dead, sources, seconds, timeout, now

    def connect(self, tried: list[Hop], doors: Callable[[Hop], tuple[tuple[int, str], ...]]) -> Link:
        """A connection to one of them; `doors` gives ports and protocols of a hop.  Raises Failed."""
        for hop in tried:
            if (link := self._reach(hop, doors)) is not None:
                return link
        raise Failed(report.record(report.NO_CONNECTION))

    def again(self, link: Link) -> Link:
        """Another connection to where that one led.  Raises OSError."""
        stream = connect(link.hop.address, link.port, self.seconds, self.timeout, link.source)
        return Link(stream, link.hop, link.port, link.protocol, link.source)

    def _reach(self, hop: Hop, doors: Callable[[Hop], tuple[tuple[int, str], ...]]) -> Link | None:
        """A connection to one hop, if it may and can be had; whether it answers is remembered."""
        source = self.sources.address(hop.address)
        if source is None:
            return None
        host = packed(hop.address)
        remembered = len(host) == 4
        if remembered and self.dead.is_dead(host, self.now):
            return None
        silent = True
        for port, protocol in doors(hop):
            try:
                stream = connect(hop.address, port, self.seconds, self.timeout, source)
            except NoSource:
                return None  # which says nothing about the host
            except OSError as problem:
                silent = silent and isinstance(problem, TimeoutError)
                continue
            if remembered:
                self.dead.note(host, False, self.now)
            return Link(stream, hop, port, protocol, source)
        if remembered:
            self.dead.note(host, silent, self.now)
        return None
