"""dnsptr: the name of an address.  See dnsptr(8)."""

from __future__ import annotations

from qmailpy.exits import PERMANENT
from qmailpy.unix.ipme import canonical
from qmailpy.unix.lookup import answer, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    address = canonical(argv[1]) if len(argv) > 1 else None
    if address is None:
        return PERMANENT
    return answer(env, lambda resolver: [name_of(resolver, address)])
