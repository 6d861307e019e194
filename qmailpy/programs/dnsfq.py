"""dnsfq: the full name of a host, which the DNS gives for its address.  See dnsfq(8)."""

from __future__ import annotations

import os

from qmailpy.exits import PERMANENT, complain
from qmailpy.unix.lookup import addresses, answer, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.unix.resolver import Resolver


class NoAddress(Exception):
    """The host is there, but has no address."""


def full_name(resolver: Resolver, host: bytes) -> bytes:
    """The name of a host's first address.  Raises Permanent, Temporary, NoAddress."""
    found = addresses(resolver, host)
    if not found:
        raise NoAddress
    return name_of(resolver, found[0])


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        return PERMANENT
    try:
        return answer(env, lambda resolver: [full_name(resolver, os.fsencode(argv[1]))])
    except NoAddress:
        complain("no IP addresses")
        return PERMANENT
