"""IP addresses, and networks as administrators write them (aio: antispoofing).

    10.1.2.0/255.255.255.0  address and mask; both sides are masked, so host bits do no harm
    10.1.2.0/24             the same by the length of its prefix
    10.1.2                  octets that are missing are 0; without a mask it covers the zero bits at the right end
    2001:db8::/32           IPv6; without a length it is one address
"""

from __future__ import annotations

IPV4, IPV6 = 32, 128  # bits
HEXADECIMAL = b"0123456789abcdefABCDEF"
GROUPS = 8  # of an IPv6 address
MAPPED = 0xFFFF  # what stands before an IPv4 address in IPv6 (RFC 4291 section 2.5.5.2)


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
    text = text.partition(b"%")[0]  # the interface of a link-local address
    if b":" not in text:
        number = octets(text, 4)
        return None if number is None else (IPV4, number)
    number = six(text)
    if number is None:
        return None
    return (IPV4, number & ones(IPV4)) if number >> IPV4 == MAPPED else (IPV6, number)


def network(text: bytes) -> Network | None:
    """A network in any of the notations; None if it is none."""
    written, slash, mask = text.partition(b"/")
    bits, number = (IPV6, six(written)) if b":" in written else (IPV4, octets(written, 1))
    if number is None:
        return None
    covered = mask_of(mask, bits) if slash else implied(number, bits)
    if covered is None:
        return None
    if bits == IPV6 and number >> IPV4 == MAPPED and covered >> IPV4 == ones(IPV6 - IPV4):
        bits, number, covered = IPV4, number & ones(IPV4), covered & ones(IPV4)
    return Network(bits, number, covered, bool(slash))


def ones(bits: int) -> int:
    """The number with so many ones and nothing else."""
    return (1 << bits) - 1


def implied(number: int, bits: int) -> int:
    """The mask of a network that is written without one: 0 where an IPv4 number ends in zero bits; IPv6 is one address."""
    return ones(bits) if bits == IPV6 else ones(bits) & -(number & -number)


def mask_of(text: bytes, bits: int) -> int | None:
    """The mask that stands behind a slash: four octets, for IPv4 only, or the length of a prefix."""
    if b"." in text and bits == IPV4:
        return octets(text, 4)
    if not text.isdigit() or len(text) > 3 or int(text) > bits:
        return None
    return ones(bits) - ones(bits - int(text))


def octets(text: bytes, least: int) -> int | None:
    """The number that `least` to four decimal octets are, those missing at the right end being 0."""
    parts = text.split(b".")
    if not least <= len(parts) <= 4 or not all(part.isdigit() and len(part) <= 3 and int(part) <= 255 for part in parts):
        return None
    number = 0
    for part in parts:
        number = number << 8 | int(part)
    return number << 8 * (4 - len(parts))


def six(text: bytes) -> int | None:
    """The number that an IPv6 address is (RFC 4291 section 2.2)."""
    head, gap, tail = text.partition(b"::")
    before, after = groups(head, mixed=not gap), groups(tail, mixed=True)
    if before is None or after is None:
        return None
    missing = GROUPS - len(before) - len(after)
    if missing < bool(gap) or (missing and not gap):
        return None
    number = 0
    for group in (*before, *[0] * missing, *after):
        number = number << 16 | group
    return number


def groups(text: bytes, *, mixed: bool) -> list[int] | None:
    """The 16-bit groups between colons; `mixed`: the last two may be an IPv4 address."""
    if not text:
        return []
    *parts, last = text.split(b":")
    end: list[int] = []
    if b"." in last:
        number = octets(last, 4)
        if number is None or not mixed:
            return None
        end = [number >> 16, number & 0xFFFF]
    else:
        parts.append(last)
    if not all(1 <= len(part) <= 4 and not part.strip(HEXADECIMAL) for part in parts):
        return None
    return [int(part, 16) for part in parts] + end


def shown(bits: int, number: int) -> str:
    """A number as an address, every part of it written."""
    if bits == IPV4:
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    return ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(IPV6 - 16, -1, -16))
