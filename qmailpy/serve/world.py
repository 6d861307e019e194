"""The world around a server's session: the clock, this host's addresses, morercpthosts.cdb, the queue; and what the listener says of the client."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Temporary, during
from qmailpy.queue.client import QueueProcess
from qmailpy.text.received import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home


class World:
    """The real one (smtp/world.py says what a session may ask)."""

    def __init__(self, home: Home, env: Mapping[str, str]) -> None:
        self.home, self.env = home, env

    def now(self) -> int:
        return int(time.time())

    def is_own_address(self, address: str) -> bool:
        from qmailpy.settings.load import Unreadable, load
        from qmailpy.unix.ipme import own_addresses

        try:
            values = load(self.home, ("moreipme", "notipme"))
        except Unreadable as problem:
            raise Temporary("unable to read controls", "4.3.0") from problem
        with during("unable to figure out my IP addresses", "4.3.0"):
            return own_addresses(values.list("moreipme"), values.list("notipme")).has(address)

    def in_more_rcpthosts(self, name: bytes) -> bool:
        path = self.home.at("control", "morercpthosts.cdb")
        if not os.path.exists(path):
            return False
        from qmailpy.unix.cdb import lookup

        return lookup(path, name) is not None

    def open_queue(self) -> QueueProcess:
        return QueueProcess(self.home, self.env)


def client(env: Mapping[str, str]) -> Client:
    """Who connects, as the listener says (tcp-environ(5))."""
    def variable(*names: str) -> bytes | None:
        return next((os.fsencode(env[name]) for name in names if name in env), None)

    found = Client(info=variable("TCPREMOTEINFO"))
    for field, names in (("ip", ("TCPREMOTEIP",)), ("host", ("TCPREMOTEHOST",)), ("local", ("TCPLOCALHOST", "TCPLOCALIP"))):
        if (value := variable(*names)) is not None:
            setattr(found, field, value)
    return found


def relay(env: Mapping[str, str]) -> bytes | None:
    """What RELAYCLIENT says; None: the client may not relay."""
    return os.fsencode(env["RELAYCLIENT"]) if "RELAYCLIENT" in env else None
