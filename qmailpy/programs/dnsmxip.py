"""dnsmxip: the addresses of a host's mail exchangers, and their preferences.  See dnsmxip(8)."""

from __future__ import annotations

import os

from qmailpy.exits import PERMANENT, Permanent
from qmailpy.remote.route import in_order
from qmailpy.unix.lookup import addresses, answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from qmailpy.unix.resolver import Resolver


def exchangers(resolver: Resolver, host: bytes) -> Iterator[bytes]:
    """Address and preference of each; without MX records those of the host itself.  Raises Permanent, Temporary."""
    found = in_order(resolver.exchangers(host), lambda: 0)
    for preference, name in found or [(0, host)]:
        try:
            for address in addresses(resolver, name):
                yield f"{address} {preference}".encode()
        except Permanent:
            if not found:
                raise


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        return PERMANENT
    return answer(env, lambda resolver: exchangers(resolver, os.fsencode(argv[1])))
