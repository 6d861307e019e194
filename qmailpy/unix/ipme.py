"""The IP addresses of this host's interfaces, and what follows of them, moreipme and notipme (text/ownaddress.py decides)."""

from __future__ import annotations

import _socket
import fcntl
import sys

from qmailpy.text.ip import packed
from qmailpy.text.ownaddress import BUILT_IN, OwnAddresses, networks
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIOCGIFCONF, SIOCGIFFLAGS = 0x8912, 0x8913
IFF_UP = 1
NAME = 16  # bytes of an interface's name in a struct ifreq
POINTER = 8 if sys.maxsize > 1 << 32 else 4  # bytes
ENTRY = 40 if POINTER == 8 else 32  # bytes of a struct ifreq


def own_addresses(moreipme: Iterable[bytes] | None, notipme: Iterable[bytes] | None) -> OwnAddresses:
    """What is this host's, by its interfaces and the lines of the two control files, None where there is no file.  Raises OSError."""
    known = dict.fromkeys([*BUILT_IN, *(address.encode() for address in interfaces())])  # lo may say again what is built in
    return OwnAddresses(networks([*known, *(moreipme or ())]), networks(notipme or ()))


def canonical(address: str) -> str | None:
    """The one notation of an address; IPv4 where IPv6 only maps it (::ffff:192.0.2.1); None if it is none."""
    found = packed(address.encode("utf-8", "surrogateescape"))
    return None if found is None else written(found)


def written(address: bytes) -> str:
    """The notation of an address of 4 or 16 bytes."""
    return _socket.inet_ntop(_socket.AF_INET if len(address) == 4 else _socket.AF_INET6, address)


def interfaces() -> list[str]:
    """The addresses of the interfaces that are up, IPv4 before IPv6.  Raises OSError."""
    probe = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        return [address for name, address in [*_ipv4(probe.fileno()), *_ipv6()] if _is_up(probe.fileno(), name)]
    finally:
        probe.close()


def _ipv4(fd: int) -> Iterator[tuple[bytes, str]]:
    """(interface, address) as SIOCGIFCONF tells."""
    import array

    room = 64 * ENTRY
    while True:
        buffer = array.array("B", bytes(room))
        address, _ = buffer.buffer_info()
        request = bytearray(room.to_bytes(4, sys.byteorder) + bytes(POINTER - 4) + address.to_bytes(POINTER, sys.byteorder))
        fcntl.ioctl(fd, SIOCGIFCONF, request)
        used = int.from_bytes(request[:4], sys.byteorder)
        if used < room - ENTRY:
            break
        room *= 2
    data = buffer.tobytes()[:used]
    for at in range(0, used, ENTRY):
        yield data[at:at + NAME].partition(b"\0")[0], _socket.inet_ntoa(data[at + 20:at + 24])


def _ipv6() -> Iterator[tuple[bytes, str]]:
    """(interface, address) as the kernel lists them; none on a host without IPv6."""
    for line in (contents("/proc/net/if_inet6") or b"").split(b"\n"):
        if fields := line.split():
            yield fields[-1], _socket.inet_ntop(_socket.AF_INET6, bytes.fromhex(fields[0].decode("ascii")))


def _is_up(fd: int, name: bytes) -> bool:
    """Whether an interface is up; one that has just gone is not."""
    try:
        found = fcntl.ioctl(fd, SIOCGIFFLAGS, name.ljust(ENTRY, b"\0"))
    except OSError:
        return False
    return bool(int.from_bytes(found[NAME:NAME + 2], sys.byteorder) & IFF_UP)
