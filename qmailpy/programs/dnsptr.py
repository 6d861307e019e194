"""dnsptr: the name of an address.  See dnsptr(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Usage
from qmailpy.remote.lookup import answer, itself, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    address = itself(os.fsencode(argv[1])) if len(argv) > 1 else None
    if address is None:
        raise Usage("dnsptr address")
    return answer(env, lambda resolver: [name_of(resolver, address)])
