"""Addresses and networks as administrators and the DNS write them (text/ip.py, ownaddress.py, netmask.py, unix/ipme.py, remote/route.py).

- Nothing is raised; what is an address to us is one to the system, and the same one; what the system takes, we take.
- A network holds its own addresses and no others: the first and last that are told are the first and last that are in.
- An own address that is excluded by a longer mask is not own.
"""

from __future__ import annotations

import socket

from qmailpy.remote.route import literal, parse, place
from qmailpy.text import netmask
from qmailpy.text.ip import packed
from qmailpy.text.ownaddress import OwnAddresses, network, networks
from qmailpy.unix.ipme import canonical

from fuzz.promise import promise

WORDS = (b"127.0.0.1", b"::1", b"::ffff:192.0.2.1", b"2001:db8::", b"/24", b"/255.255.255.0", b"/128", b"10.", b"[IPv6:", b"]:25", b"%eth0", b"0x10", b"010",
         b"256")


def check(data: bytes) -> None:
    for text in (data, *data.split(b"\n")[:3]):
        one(text)
        listed(text)
    canonical(data.decode("utf-8", "surrogateescape"))
    literal(data)
    found = parse(data)
    promise(found.port > 0, "no such port", found.port)
    place(data, 25)
    rows = data.split(b"\n")
    OwnAddresses(networks(rows), networks(rows[1:])).has("192.0.2.1")


def one(text: bytes) -> None:
    """Bytes as an address."""
    found = packed(text)
    theirs = system(text)
    promise(theirs is None or found == theirs, "another address than the system says", text, found, theirs)
    if found is not None:
        promise(len(found) in (4, 16) and packed(written(found).encode()) == found, "another notation, another address", text)


def listed(text: bytes) -> None:
    """Bytes as a network."""
    own = network(text)
    if own is not None and bytes(a & b for a, b in zip(own.address, own.mask, strict=True)) == own.address:
        promise(OwnAddresses([own], []).has(written(own.address)) and not OwnAddresses([own], [own]).has(written(own.address)), "own, or not, by mistake", text)
    found = netmask.network(text)
    if found is None:
        return
    for number in (found.number, found.last):
        promise(found.contains((found.bits, number)), "its own address is not in it", text)
    gap = ~found.mask & netmask.ones(found.bits)
    if not gap & (gap + 1):  # a mask without holes
        beside = [number for number in (found.last + 1, found.number - 1) if 0 <= number <= netmask.ones(found.bits)]
        promise(not any(found.contains((found.bits, number)) for number in beside), "others are in it", text)


def system(text: bytes) -> bytes | None:
    """The address as the system's library sees it."""
    try:
        name = text.decode("ascii")
        if ":" not in name:
            return socket.inet_pton(socket.AF_INET, name)
        found = socket.inet_pton(socket.AF_INET6, name)
    except (OSError, ValueError):
        return None
    return found[12:] if found.startswith(bytes(10) + b"\xff\xff") else found


def written(address: bytes) -> str:
    """The notation of 4 or 16 bytes."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
