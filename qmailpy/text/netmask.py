"""Networks as administrators write them for antispoofing (aio: antispoofing; text/ownaddress.py has the stricter rules of moreipme).

    10.1.2.0/255.255.255.0  address and mask; both sides are masked, so host bits do no harm
    10.1.2.0/24             the same by the length of its prefix
    10.1.2                  octets that are missing are 0; without a mask it covers the zero bits at the right end
    2001:db8::/32           IPv6; without a length it is one address
"""

from __future__ import annotations

from qmailpy.text.ip import packed, packed_ipv4

IPV4, IPV6 = 32, 128  # bits


class Network:
    """All addresses that agree with `number` in the bits of `mask`.

    bits    IPV4 or IPV6
    masked  a mask or a length was written
    """

    __slots__ = ("bits", "number", "mask", "masked")

    def __init__(self, bits: int, number: int, mask: int, masked: bool) -> None:
        self.bits, self.number, self.mask, self.masked = bits, number & mask, mask, masked

    def contains(self, address: tuple[int, int] | None) -> bool:
        """Whether an address, as `address` gives it, is in the network; None is in none."""
        return address is not None and address[0] == self.bits and address[1] & self.mask == self.number

    @property
    def last(self) -> int:
        """The highest of its addresses; the lowest is `number`."""
        return self.number | (ones(self.bits) & ~self.mask)


def address(text: bytes) -> tuple[int, int] | None:
    """(IPV4 or IPV6, the address as a number); IPv4, too, where IPv6 only maps it (::ffff:192.0.2.1).  None if it is no address."""
    found = packed(text.partition(b"%")[0])  # behind % is the interface of a link-local address
    return None if found is None else (8 * len(found), int.from_bytes(found, "big"))


def network(text: bytes) -> Network | None:
    """A network in any of the notations; None if it is none."""
    written, slash, mask = text.partition(b"/")
    found = packed(written) if b":" in written else packed_ipv4(filled(written))
    if found is None:
        return None
    bits, number = 8 * len(found), int.from_bytes(found, "big")
    if slash and bits == IPV4 and b":" in written:
        return None  # ::ffff:10.0.0.0/8: bits of which of the two?
    covered = mask_of(mask, bits) if slash else implied(number, bits, b":" in written)
    return None if covered is None else Network(bits, number, covered, bool(slash))


def filled(text: bytes) -> bytes:
    """An IPv4 address with zeros for the octets that are missing at its right end."""
    return text + b".0" * (3 - text.count(b"."))


def ones(bits: int) -> int:
    """The number with so many ones and nothing else."""
    return (1 << bits) - 1


def implied(number: int, bits: int, one: bool) -> int:
    """The mask of a network that is written without one: 0 where an IPv4 number ends in zero bits; `one`: it is one address, written as IPv6."""
    return ones(bits) if one else ones(bits) & -(number & -number)


def mask_of(text: bytes, bits: int) -> int | None:
    """The mask that stands behind a slash: four octets, for IPv4 only, or the length of a prefix."""
    if b"." in text and bits == IPV4:
        octets = packed_ipv4(text)
        return None if octets is None else int.from_bytes(octets, "big")
    if not text.isdigit() or len(text) > 3 or int(text) > bits:
        return None
    return ones(bits) - ones(bits - int(text))
