"""dnsfq: the full name of a host, which the DNS gives for its first address.  See dnsfq(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Usage
from qmailpy.remote.lookup import answer, full_name, itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    from qmailpy.unix.resolver import Search

    if len(argv) == 1:
        raise Usage("dnsfq host")
    host = os.fsencode(argv[1])
    names = [host] if itself(host) else Search(env, os.uname().nodename).names(host)
    return answer(env, lambda resolver: [full_name(resolver, names)])
