"""config: make the control files from what the DNS says of this host.  See config(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Temporary, Trouble
from qmailpy.home import here
from qmailpy.remote.lookup import full_name
from qmailpy.settings.initial import Control, checked
from qmailpy.settings.load import load
from qmailpy.unix.ipme import interfaces
from qmailpy.unix.resolver import Resolver, Search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping


def local_names(resolver: Resolver, addresses: list[str]) -> Iterator[str]:
    """The names of this host's addresses, telling of each."""
    for address in addresses:
        try:
            found = next(iter(resolver.pointers(address)))
        except (Trouble, StopIteration):
            print(f"{address}: the DNS has no name for it.")
            continue
        name = checked(found.decode("ascii", "replace"))
        print(f"{address}: {name}")
        yield name


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o022)
    home, resolver = here(), Resolver(env)
    host = checked(os.uname().nodename)
    print(f"This host calls itself {host}.")
    try:
        name = checked(full_name(resolver, Search(env, host).names(host.encode())).decode())
    except Trouble as problem:
        raise Temporary(f"no full name found: {problem.text}; use config-fast with the name that it is to have") from problem
    print(f"Its full name in the DNS is {name}.")
    Control(home).begin(name, dict.fromkeys([name, *local_names(resolver, interfaces())]))
    print("Other names that lead to this host belong into control/locals and control/rcpthosts; CNAMEs need no entry.")
    print(f"At most {load(home, ['concurrencyincoming']).number('concurrencyincoming')} SMTP sessions run at once (control/concurrencyincoming).")
    return OK
