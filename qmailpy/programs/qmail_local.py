"""qmail-local: deliver the message on descriptor 0 to one local address.  See qmail-local(8)."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary, Trouble, Usage, complain
from qmailpy.home import here
from qmailpy.local.command import Refused
from qmailpy.local.deliver import Local
from qmailpy.local.delivery import Delivery
from qmailpy.text.options import Options
from qmailpy.unix.fds import write_all
from qmailpy.unix.signals import shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home

USAGE = "qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty"
ARGUMENTS = 8


def command_line(argv: list[str]) -> tuple[bool, list[str]]:
    """(whether only to say what would be done, the arguments).  Raises Usage."""
    dry, options = False, Options(argv, "nN")
    for letter, value in options:
        if letter == "?":
            complain(f"qmail-local: {value}")
            raise Usage(USAGE)
        dry = letter == "n"
    if len(options.rest) != ARGUMENTS or not options.rest[1].startswith("/"):
        raise Usage(USAGE)
    return dry, options.rest


def main(argv: list[str], env: MutableMapping[str, str], home: Home | None = None) -> int:
    """`home`: this one, where the caller has read about it already."""
    os.umask(0o077)
    dry, arguments = command_line(argv)
    delivery = Delivery([os.fsencode(argument) for argument in arguments], int(time.time()))
    with shielded():
        try:
            try:
                os.chdir(delivery.home)
            except OSError as problem:
                raise Temporary(f"Unable to switch to {arguments[1]}: {wording(problem.errno)}. (#4.3.0)") from None
            Local(home or here(), env, delivery, dry=dry).run()
        except Refused as refused:
            return refused.code
        except Trouble as problem:  # what is said here stands in logs and bounces, without our name
            write_all(2, os.fsencode(problem.text) + b"\n")
            return problem.code
    return OK
