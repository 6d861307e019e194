"""Where an address goes: to a local user, by virtualdomains to one, or to another host (qmail-send(8); C: rewrite)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCAL, REMOTE = 0, 1
CHANNELS = ("local", "remote")


class Routes:
    """The control files that decide; names in lower case.

    no_at_host       the host of addresses without one
    locals           hosts whose users are ours
    percent_hack     hosts where user%host@host is rewritten
    virtual_domains  {user@host, host, .host or empty: what is put in front; empty: nothing, the address is remote}
    """

    __slots__ = ("no_at_host", "locals", "percent_hack", "virtual_domains")

    def __init__(self, no_at_host: bytes, local: frozenset[bytes], percent_hack: frozenset[bytes], virtual_domains: Mapping[bytes, bytes]) -> None:
        self.no_at_host, self.locals, self.percent_hack, self.virtual_domains = no_at_host, local, percent_hack, virtual_domains

    def route(self, recipient: bytes) -> tuple[int, bytes]:
        """(LOCAL or REMOTE, the address as it is delivered)."""
        address = self.without_percents(recipient if b"@" in recipient else recipient + b"@" + self.no_at_host)
        _, _, host = address.rpartition(b"@")
        if host.lower() in self.locals:
            return LOCAL, address
        prepend = self.prepend(address)
        return (LOCAL, prepend + b"-" + address) if prepend else (REMOTE, address)

    def without_percents(self, address: bytes) -> bytes:
        """user%host@hack becomes user@host, as long as what follows the @ is in percenthack."""
        box, _, host = address.rpartition(b"@")
        while b"%" in box and host.lower() in self.percent_hack:
            box, _, host = box.rpartition(b"%")
        return box + b"@" + host

    def prepend(self, address: bytes) -> bytes:
        """What virtualdomains puts in front of an address; empty: it is not listed, or excepted.  The longest match wins."""
        address = address.lower()
        _, _, host = address.rpartition(b"@")
        for key in (address, *domains(host)):
            if key in self.virtual_domains:
                return self.virtual_domains[key]
        return b""

    def without_prepend(self, address: bytes) -> bytes:
        """The address as the sender wrote it: what virtualdomains has put in front is taken off (C: stripvdomprepend)."""
        _, at, host = address.rpartition(b"@")
        if not at:
            return address
        for key in domains(host.lower()):
            if key in self.virtual_domains:
                front = self.virtual_domains[key] + b"-"
                return address[len(front):] if len(front) > 1 and address.startswith(front) else address
        return address


def domains(host: bytes) -> Iterator[bytes]:
    """A host, its suffixes that begin with a dot, longest first, and the empty name that stands for all."""
    yield host
    at = host.find(b".", 1)
    while at != -1:
        yield host[at:]
        at = host.find(b".", at + 1)
    if host:
        yield b""


def expand_sender(sender: bytes, recipient: bytes) -> bytes:
    """The sender for one recipient: owner-@host-@[] becomes owner-box=host@host (VERP; addresses(5))."""
    if not sender.endswith(b"-@[]"):
        return sender
    list_box, at, list_host = sender[:-4].rpartition(b"@")
    box, has_host, host = recipient.rpartition(b"@")
    if not at or not has_host:
        return sender
    return list_box + box + b"=" + host + b"@" + list_host
