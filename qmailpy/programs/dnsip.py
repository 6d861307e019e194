"""dnsip: the addresses of a host.  See dnsip(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Usage
from qmailpy.remote.lookup import addresses, answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1:
        raise Usage("dnsip host")
    return answer(env, lambda resolver: [address.encode() for address in addresses(resolver, os.fsencode(argv[1]))])
