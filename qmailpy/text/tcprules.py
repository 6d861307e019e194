"""Rules for connections, as ucspi-tcp's tcprules compiles them (tcprules(1)): which keys are looked up, and what a record says."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def keys(ip: str, host: bytes | None, info: bytes | None) -> Iterator[bytes]:
    """The keys for a client, most special first; the first that is there decides.

    info@ip, info@=host, ip, =host, prefixes of the ip, =.suffixes of the host, = for a client with a host name, and nothing.
    Prefixes of an IPv4 address end in a dot; those of an IPv6 address, written out in eight groups, in a colon.
    """
    address = ip.encode()
    if info:
        yield info + b"@" + address
        if host:
            yield info + b"@=" + host
    yield address
    if host:
        yield b"=" + host
    end = b":" if b":" in address else b"."
    groups = (groups_of(address) if end == b":" else address).split(end)
    for count in range(len(groups) - 1, 0, -1):
        yield end.join(groups[:count]) + end
    if host:
        at = host.find(b".")
        while at != -1:
            yield b"=" + host[at:]
            at = host.find(b".", at + 1)
        yield b"="
    yield b""


def groups_of(address: bytes) -> bytes:
    """An IPv6 address with all its eight groups."""
    head, double, tail = address.partition(b"::")
    if not double:
        return address
    before, after = head.split(b":") if head else [], tail.split(b":") if tail else []
    return b":".join([*before, *[b"0"] * (8 - len(before) - len(after)), *after])


def verdict(record: bytes) -> tuple[bool, list[tuple[bytes, bytes]]]:
    """(whether the client is denied, variables to set) of a rule's record."""
    denied, variables = False, []
    for word in record.split(b"\0"):
        if word.startswith(b"D"):
            denied = True
        elif word.startswith(b"+"):
            name, _, value = word[1:].partition(b"=")
            variables.append((name, value))
    return denied, variables


def safe(text: bytes | None) -> str:
    """A host name or ident answer as it may stand in a log line."""
    return "".join(chr(byte) if 33 <= byte <= 126 and byte not in b"%:" else "?" for byte in text or b"")
