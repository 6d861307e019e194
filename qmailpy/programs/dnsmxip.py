"""dnsmxip: the addresses of a host's mail exchangers, and their preferences.  See dnsmxip(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Permanent, Temporary, Usage
from qmailpy.remote.lookup import addresses, answer, itself
from qmailpy.remote.route import in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.unix.resolver import Resolver


def hops(resolver: Resolver, host: bytes) -> list[bytes]:
    """Address and preference of each exchanger; without MX records those of the host itself.  Raises Permanent, Temporary."""
    exchangers = [] if itself(host) else in_order(resolver.exchangers(host), lambda: int.from_bytes(os.urandom(4), "little"))
    if not exchangers:
        return [b"%s 0" % address.encode() for address in addresses(resolver, host)]
    found: list[bytes] = []
    doubt: Temporary | None = None
    for preference, name in exchangers:
        try:
            found += [b"%s %d" % (address.encode(), preference) for address in addresses(resolver, name)]
        except Permanent:
            continue
        except Temporary as problem:
            doubt = problem
    if not found:
        raise doubt or Permanent("no exchanger has an address")
    return found


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("dnsmxip host")
    return answer(env, lambda resolver: hops(resolver, os.fsencode(argv[1])))
