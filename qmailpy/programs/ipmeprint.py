"""ipmeprint: the IP addresses of this host.  See ipmeprint(8)."""

from __future__ import annotations

from qmailpy.exits import OK, PERMANENT, complain
from qmailpy.unix.fds import write_all
from qmailpy.unix.ipme import own_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

THIS_HOST = "0.0.0.0"  # noqa: S104 (an address that always means this host)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    try:
        found = own_addresses().interfaces
    except OSError:
        complain("hard error")
        return PERMANENT
    write_all(1, "".join(f"{address}\n" for address in [THIS_HOST, *found]).encode())
    return OK
