"""ipmetest: whether addresses are this host's.  See ipmetest(8)."""

from __future__ import annotations

import sys

import click

from qmailpy.exits import OK, PERMANENT, Usage, complain, during
from qmailpy.home import Home, here
from qmailpy.settings.load import load
from qmailpy.text.ip import packed
from qmailpy.unix.fds import write_all
from qmailpy.unix.ipme import own_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

    from qmailpy.text.ownaddress import OwnAddresses

IS_ME, NOT_ME, INVALID = "me", "not me", "invalid IP address"
FAILED = 1
USAGE = "ipmetest [-q] address ... (- reads them from standard input)"


def own(env: Mapping[str, str]) -> OwnAddresses:
    """This host's addresses, by the home's control files, or those below the working folder.  Raises Temporary."""
    values = load(Home(".") if "IPMETEST_HERE" in env else here(), ("moreipme", "notipme"))
    with during("unable to ask for the addresses of the interfaces"):
        return own_addresses(values.list("moreipme"), values.list("notipme"))


def named(words: Iterable[str]) -> Iterator[str]:
    """The addresses that a command line names: each word, and for - the lines of standard input that are not empty."""
    for word in words:
        if word == "-":
            yield from (text for line in sys.stdin.buffer if (text := line.decode("utf-8", "surrogateescape").strip()))
        else:
            yield word


def verdict(address: str, known: OwnAddresses) -> str:
    """What is said of an address."""
    if packed(address.encode("utf-8", "surrogateescape")) is None:
        return INVALID
    return IS_ME if known.has(address) else NOT_ME


@click.command("ipmetest", context_settings={"ignore_unknown_options": True}, options_metavar="[-q]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing: the exit status is 0 if all are this host's, 1 if one is not, 100 if one is no address.")
@click.argument("addresses", nargs=-1, type=click.UNPROCESSED, metavar="ADDRESS...")
@click.pass_obj
def command(env: Mapping[str, str], quiet: bool, addresses: tuple[str, ...]) -> int:
    """Tell whether IP addresses are this host's, one line for each: "me" or "not me". - reads addresses from standard input, one a line."""
    if not addresses:
        return no_address(quiet)
    known, said = own(env), set()
    for address in named(addresses):
        text = verdict(address, known)
        said.add(text)
        if not quiet:
            write_all(1, f"{text}\n".encode())
        elif text == INVALID:
            complain(f"ipmetest: fatal: {INVALID}: {address}")
    if not said:
        return no_address(quiet)
    if quiet:
        return PERMANENT if INVALID in said else FAILED if NOT_ME in said else OK
    return FAILED if INVALID in said else OK


def no_address(quiet: bool) -> int:
    """The exit status of a call that names no address.  Raises Usage."""
    if quiet:
        raise Usage(USAGE)
    write_all(1, b"invalid usage\n")
    return FAILED


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    try:
        status: int = command.main(argv[1:], prog_name="ipmetest", standalone_mode=False, obj=env)
    except click.UsageError:
        return no_address(quiet=False)
    return status
