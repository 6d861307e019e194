"""From a host's name to a connection: who is asked, in which order, and what is remembered of those that do not answer."""

from __future__ import annotations

import os

from qmailpy.exits import Trouble
from qmailpy.remote import report
from qmailpy.remote.route import Hop, before_me, in_order, literal
from qmailpy.unix.ipme import canonical, own_addresses
from qmailpy.unix.net import connect, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmailpy.queue.tcpto import DeadHosts
    from qmailpy.remote.route import Target
    from qmailpy.unix.net import Stream
    from qmailpy.unix.resolver import Resolver


class Failed(Exception):
    """There will be no dialogue; `record` says why."""

    def __init__(self, record: bytes) -> None:
        super().__init__(record)
        self.record = record


def hops(target: Target, resolver: Resolver, moreipme: Sequence[bytes] | None, notipme: Sequence[bytes] | None) -> list[Hop]:
    """The addresses to try, in order; the two lists: what those control files hold.  Raises Failed."""
    if (address := literal(target.host)) is not None:
        name = canonical(address)
        found = [Hop(name, 0)] if name else []
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
    from qmailpy.unix.resolver import NoSuchHost, NullExchanger, Unknown

    try:
        exchangers = [] if target.relay else in_order(resolver.exchangers(target.host), lambda: int.from_bytes(os.urandom(4), "little"))
        if not exchangers:
            return [Hop(address, 0) for address in resolver.addresses(target.host)]
    except NullExchanger:
        raise Failed(report.record(report.NULL_MX)) from None
    except NoSuchHost:
        raise Failed(report.no_such_host(target.host)) from None
    except Unknown:
        raise Failed(report.record(report.SOFT_DNS)) from None
    found, doubtful = [], False
    for preference, host in exchangers:
        try:
            found += [Hop(address, preference) for address in resolver.addresses(host)]
        except Trouble as problem:
            doubtful = doubtful or isinstance(problem, Unknown)
    if doubtful and not found:
        raise Failed(report.record(report.SOFT_DNS))
    return found


class Connector:
    """Connects to the first hop that answers.

    seconds  to wait for a connection
    timeout  for each later read and write
    now      the time in seconds
    """

    def __init__(self, dead: DeadHosts, seconds: float, timeout: float, now: int) -> None:
        self.dead, self.seconds, self.timeout, self.now = dead, seconds, timeout, now

    def connect(self, tried: list[Hop], doors: Callable[[Hop], tuple[tuple[int, str], ...]]) -> tuple[Stream, str, str]:
        """(the connection, the address it leads to, the protocol spoken there); `doors` gives ports and protocols of a hop.  Raises Failed."""
        for hop in tried:
            host = packed(hop.address)
            remembered = len(host) == 4
            if remembered and self.dead.is_dead(host, self.now):
                continue
            silent = True
            for port, protocol in doors(hop):
                try:
                    stream = connect(hop.address, port, self.seconds, self.timeout)
                except OSError as problem:
                    silent = silent and isinstance(problem, TimeoutError)
                    continue
                if remembered:
                    self.dead.note(host, False, self.now)
                return stream, hop.address, protocol
            if remembered:
                self.dead.note(host, silent, self.now)
        raise Failed(report.record(report.NO_CONNECTION))
