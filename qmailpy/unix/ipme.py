"""Which IP addresses are this host's: the one place that decides "is this address me"."""

from __future__ import annotations

import _socket
import fcntl
import sys

from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SIOCGIFCONF, SIOCGIFFLAGS = 0x8912, 0x8913
IFF_UP = 1
ENTRY = 40  # bytes of a struct ifreq on 64-bit Linux; 32 on 32-bit
ANY = ("0.0.0.0", "::")


class OwnAddresses:
    """The addresses of this host's interfaces; 0.0.0.0 and :: reach it, too."""

    __slots__ = ("interfaces",)

    def __init__(self, interfaces: list[str]) -> None:
        self.interfaces = interfaces

    def has(self, address: str) -> bool:
        """Whether an IPv4 or IPv6 address, in whatever notation, is this host's."""
        name = canonical(address)
        return name is not None and (name in ANY or name in self.interfaces)


def canonical(address: str) -> str | None:
    """The one notation of an address; IPv4 where IPv6 only maps it (::ffff:192.0.2.1); None if it is none."""
    family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
    try:
        packed = _socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    if packed[:12] == bytes(10) + b"\xff\xff":
        return _socket.inet_ntop(_socket.AF_INET, packed[12:])
    return _socket.inet_ntop(family, packed)


def own_addresses() -> OwnAddresses:
    """Ask the kernel.  Raises OSError."""
    return OwnAddresses([*ipv4_interfaces(), *ipv6_interfaces()])


def ipv4_interfaces() -> Iterator[str]:
    """The IPv4 addresses of the interfaces that are up."""
    probe = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        yield from _configured(probe.fileno())
    finally:
        probe.close()


def _configured(fd: int) -> Iterator[str]:
    """What SIOCGIFCONF tells, which is also of interfaces that are down."""
    import array

    entry = ENTRY if _pointer_size() == 8 else 32
    room = 64 * entry
    while True:
        buffer = array.array("B", bytes(room))
        address, _ = buffer.buffer_info()
        request = bytearray(room.to_bytes(4, sys.byteorder) + bytes(_pointer_size() - 4) + address.to_bytes(_pointer_size(), sys.byteorder))
        fcntl.ioctl(fd, SIOCGIFCONF, request)
        used = int.from_bytes(request[:4], sys.byteorder)
        if used < room - entry:
            break
        room *= 2
    data = buffer.tobytes()[:used]
    for at in range(0, used, entry):
        if _is_up(fd, data[at:at + entry]):
            yield _socket.inet_ntoa(data[at + 20:at + 24])


def _is_up(fd: int, entry: bytes) -> bool:
    """Whether an interface (a struct ifreq) is in use; one that has gone meanwhile is not."""
    request = bytearray(entry)
    try:
        fcntl.ioctl(fd, SIOCGIFFLAGS, request)
    except OSError:
        return False
    return bool(int.from_bytes(request[16:18], sys.byteorder) & IFF_UP)


def _pointer_size() -> int:
    """Bytes of a pointer: 8 or 4."""
    return 8 if sys.maxsize > 1 << 32 else 4


def ipv6_interfaces() -> Iterator[str]:
    """The IPv6 addresses of the interfaces; none on a host without IPv6."""
    for line in (contents("/proc/net/if_inet6") or b"").split(b"\n"):
        if line[:32].strip():
            yield _socket.inet_ntop(_socket.AF_INET6, bytes.fromhex(line[:32].decode("ascii")))
