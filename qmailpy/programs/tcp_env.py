"""tcp-env: from inetd, run a server with the environment that tcpserver gives.  See tcp-env(1), tcp-environ(5)."""

from __future__ import annotations

import os

from qmailpy.exits import TEMPORARY, Trouble
from qmailpy.settings.kinds import digits
from qmailpy.text.options import Options
from qmailpy.unix.process import execute, reset_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.unix.resolver import Resolver

PATIENCE = 30  # seconds to wait for the client's ident server
LONGEST = 86400  # seconds that can be asked for
DOUBTFUL = "softdnserror"  # the host name where the DNS gives no answer


def name_of(address: str, resolver: Resolver) -> str | None:
    """The host name of an address; None if it has none."""
    from qmailpy.unix.resolver import NoSuchHost

    try:
        names = resolver.pointers(address)
    except NoSuchHost:
        return None
    except Trouble:
        return DOUBTFUL
    return os.fsdecode(names[0].lower()) if names else None


def describe(env: MutableMapping[str, str], seconds: float | None) -> None:
    """Set the variables for the connection on descriptor 0; `seconds` to wait for ident, None: do not ask.  Raises OSError."""
    # Under a listener that has set them already, none of this is needed.
    from qmailpy.unix.listen import ends, ident
    from qmailpy.unix.resolver import Resolver

    local, remote = ends(0)
    resolver = Resolver(env)
    found = {"PROTO": "TCP", "TCPLOCALIP": local[0], "TCPLOCALPORT": str(local[1]), "TCPLOCALHOST": name_of(local[0], resolver),
             "TCPREMOTEIP": remote[0], "TCPREMOTEPORT": str(remote[1]), "TCPREMOTEHOST": name_of(remote[0], resolver), "TCPREMOTEINFO": None}
    if seconds is not None and (user := ident(local, remote, seconds)) is not None:
        found["TCPREMOTEINFO"] = os.fsdecode(user)
    for variable, value in found.items():
        env.pop(variable, None)
        if value is not None:
            env[variable] = value


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    asking, seconds = True, PATIENCE
    options = Options(argv, "rRt:")
    for letter, value in options:
        if letter == "t":
            seconds = min(digits(os.fsencode(value)) or 0, LONGEST)
        elif letter in "rR":
            asking = letter == "r"
    if not options.rest:
        return TEMPORARY
    try:
        if env.get("PROTO") != "TCP":
            describe(env, seconds if asking else None)
        reset_signals()
        execute(options.rest, env)
    except OSError:
        return TEMPORARY
