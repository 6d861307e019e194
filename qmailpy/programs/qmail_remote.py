"""qmail-remote: send the message on descriptor 0 to recipients at one host, by SMTP or QMTP.  See qmail-remote(8)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.queue.tcpto import DeadHosts
from qmailpy.remote import report
from qmailpy.remote.connect import Connector
from qmailpy.remote.errand import Errand
from qmailpy.remote.report import Failed
from qmailpy.remote.route import route
from qmailpy.remote.source import Sources
from qmailpy.settings.load import load
from qmailpy.unix.fds import write_all
from qmailpy.unix.signals import Late, deadline, shielded, too_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home
    from qmailpy.settings.load import Values

SETTINGS = ("bindroutes", "clientcert.pem", "helohost", "moreipme", "nosignhosts", "nosignmydoms", "notipme", "outgoingip", "qmtproutes", "secauthremote",
            "senderip", "signkey", "smtproutes", "straightfallback", "timeoutconnect", "timeoutdelivery", "timeoutremote", "tlsclientciphers",
            "tlsremote")
ARGUMENTS = 3


def deliver(arguments: list[bytes], env: MutableMapping[str, str], home: Home | None = None) -> bytes:
    """The records for host, sender and recipients; `home` may have been read already.  Raises Failed."""
    if len(arguments) < ARGUMENTS:
        raise Failed(report.record(report.IMPROPER))
    if any(byte in argument for argument in arguments for byte in (b"\r", b"\n")):
        raise Failed(report.record(report.LINE_BREAK))
    host, sender, *recipients = arguments
    home = home or here()
    values = load(home, SETTINGS)
    if not values.known("helohost"):
        raise Failed(report.record(report.NO_CONTROLS))
    way = route(host, values.map("smtproutes") or {}, values.map("qmtproutes") or {})
    now = int(time.time())
    sources = Sources(values.map("senderip") or {}, values.map("bindroutes") or {}, values.line("outgoingip"), sender)
    dead = DeadHosts(home.at("queue", "lock", "tcpto"), os.getpid())
    connector = Connector(dead, sources, values.number("timeoutconnect"), values.number("timeoutremote"), now)
    from qmailpy.unix.resolver import Resolver

    errand = Errand(home, values, way, signed(values, sender, recipients[0], now), recipients)
    try:
        with deadline(values.number("timeoutdelivery"), too_late):  # 0 sets no alarm
            return errand.run(connector, Resolver(env))
    except Late:
        raise Failed(report.record(report.TOO_LATE)) from None


def signed(values: Values, sender: bytes, recipient: bytes, now: int) -> bytes:
    """The sender as it goes out."""
    if not (key := values.line("signkey")):
        return sender
    from qmailpy.remote.sender import outgoing
    from qmailpy.text.batv import today

    return outgoing(sender, recipient, key, today(now), values.names("nosignhosts") or (), values.names("nosignmydoms") or ())


def main(argv: list[str], env: MutableMapping[str, str], home: Home | None = None) -> int:
    """`home`: this one, where the caller has read about it already."""
    with shielded():
        try:
            records = deliver([os.fsencode(argument) for argument in argv[1:]], env, home)
        except Failed as failed:
            records = failed.record
        except Temporary:
            records = report.record(report.NO_CONTROLS)
        write_all(1, records)
    return OK
