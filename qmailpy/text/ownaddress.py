"""Is this address me?  The one place that decides it, for qmail-remote, qmail-smtpd, ipmeprint and ipmetest (aio: Own-address list)."""

from __future__ import annotations

from qmailpy.text.ip import packed, packed_ipv4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What is this host on every host.
BUILT_IN = (b"127.0.0.0/255.0.0.0", b"0.0.0.0", b"::1", b"::")


class Network:
    """The addresses that are exactly `address` once `mask` is applied; both have 4 bytes, or 16."""

    __slots__ = ("address", "mask")

    def __init__(self, address: bytes, mask: bytes) -> None:
        self.address, self.mask = address, mask

    def has(self, address: bytes) -> bool:
        """Whether it holds an address.  If its own address has bits outside the mask it holds none."""
        return len(address) == len(self.address) and bytes(one & bits for one, bits in zip(address, self.mask, strict=True)) == self.address

    def length(self) -> int:
        """How special it is: the number of one bits that the mask begins with."""
        bits = "".join(f"{byte:08b}" for byte in self.mask)
        return len(bits) - len(bits.lstrip("1"))


class OwnAddresses:
    """What is this host, and what is not, though it may look like it."""

    __slots__ = ("own", "excluded")

    def __init__(self, own: Iterable[Network], excluded: Iterable[Network]) -> None:
        self.own, self.excluded = tuple(own), tuple(excluded)

    def has(self, address: str) -> bool:
        """Whether an IPv4 or IPv6 address is this host's: whether its longest mask among the own is longer than among the excluded."""
        found = packed(address.encode("utf-8", "surrogateescape"))
        return found is not None and longest(self.own, found) > longest(self.excluded, found)


def longest(networks: Iterable[Network], address: bytes) -> int:
    """The length of the longest mask of those that hold an address; -1 if none does."""
    return max((network.length() for network in networks if network.has(address)), default=-1)


def networks(rows: Iterable[bytes]) -> list[Network]:
    """The entries among rows of moreipme or notipme; what is none is passed over."""
    return [found for row in rows if (found := network(row)) is not None]


def network(row: bytes) -> Network | None:
    """address, address/prefix length, or for IPv4 address/mask in dots; None if it is something else."""
    text, slash, end = row.partition(b"/")
    address = packed(text)
    if address is None:
        return None
    if not slash:
        return Network(address, b"\xff" * len(address))
    if len(address) == 4 and b":" in text:
        return None  # ::ffff:10.0.0.0/8: bits of which of the two?
    mask = packed_ipv4(end) if len(address) == 4 and b"." in end else mask_of(end, 8 * len(address))
    return None if mask is None else Network(address, mask)


def mask_of(length: bytes, bits: int) -> bytes | None:
    """The mask of `bits` bits that a prefix length tells; None if it tells none."""
    if not length.isdigit() or len(length) > 3 or int(length) > bits:
        return None
    return ((1 << bits) - (1 << (bits - int(length)))).to_bytes(bits // 8, "big")
