"""ipmeprint: what this host takes for its own addresses, entry by entry.  See ipmeprint(8)."""

from __future__ import annotations

import click

from qmailpy.exits import OK, PERMANENT, complain
from qmailpy.home import here
from qmailpy.settings.load import load
from qmailpy.unix.fds import write_all
from qmailpy.unix.ipme import own_addresses, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.text.ownaddress import Network


def line(network: Network, verdict: str) -> str:
    """How an entry is shown: IPv4 with its mask, IPv6 with its prefix length."""
    mask = written(network.mask) if len(network.mask) == 4 else network.length()
    return f"{written(network.address)}/{mask} {verdict}\n"


@click.command("ipmeprint", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def command() -> int:
    """Show the own-address list: one line for each entry, first what is this host, then what control/notipme takes out."""
    values = load(here(), ("moreipme", "notipme"))
    try:
        found = own_addresses(values.list("moreipme"), values.list("notipme"))
    except OSError:
        complain("hard error")
        return PERMANENT
    write_all(1, "".join([*(line(one, "is me") for one in found.own), *(line(one, "is not me") for one in found.excluded)]).encode())
    return OK


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    status: int = command.main(argv[1:], prog_name="ipmeprint", standalone_mode=False)
    return status
