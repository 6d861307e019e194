"""qmail-inject: complete the header of a message on descriptor 0 and queue it.  See qmail-inject(8)."""

from __future__ import annotations

import os
import time

from qmailpy.exits import PERMANENT, Permanent, Temporary, complain, during
from qmailpy.home import here
from qmailpy.queue.client import QueueProcess
from qmailpy.settings.kinds import rows
from qmailpy.settings.load import Unreadable, load
from qmailpy.text.header import Unparsable, plain, tokens
from qmailpy.text.options import Options
from qmailpy.text.quote import quoted
from qmailpy.text.rewrite import Author, Header, Hosts, one_line
from qmailpy.unix.fds import write_all
from qmailpy.unix.files import contents
from qmailpy.unix.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

DROPPED = {"s": b"return-path", "f": b"from", "i": b"message-id"}  # letters of QMAILINJECT
USAGE = "qmail-inject: usage: qmail-inject [ -nNaAhH ] [ -fsender ] [ recip ... ]"
HOSTS = ("defaulthost", "defaultdomain", "plusdomain")


class WrongOptions(Exception):
    """The command line cannot be understood."""


class Orders:
    """What the command line asks for: `sender` (-f), recipients from `header`, or not (None: if there are no arguments), `print` (-n)."""

    def __init__(self, argv: list[str]) -> None:
        self.sender: bytes | None = None
        self.header: bool | None = None
        self.arguments, self.print = True, False
        options = Options(argv, "aAhHnNf:")
        for letter, value in options:
            if letter == "?":
                raise WrongOptions(value)
            self._take(letter, value)
        self.recipients = [os.fsencode(word) for word in options.rest]
        if self.header is None:
            self.header = not self.recipients
        if not self.arguments:
            self.recipients = []

    def _take(self, letter: str, value: str) -> None:
        if letter == "f":
            self.sender = os.fsencode(value)
        elif letter in "nN":
            self.print = letter == "n"
        else:
            self.header = {"a": False, "A": None}.get(letter, True)
            self.arguments = letter != "h"


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    """Queue or print one message."""
    try:
        return inject(argv, env)
    except WrongOptions as problem:
        complain(f"qmail-inject: {problem}\n{USAGE}")
    except Unparsable as problem:
        # The line comes with its newline, if it had one.
        write_all(2, b"qmail-inject: fatal: unable to parse this line:\n" + problem.args[0])
    return PERMANENT


def inject(argv: list[str], env: Mapping[str, str]) -> int:
    """The work of main.  Raises WrongOptions, and Unparsable with the line in question."""
    now, home = int(time.time()), here()
    lists = mailing_lists(env)
    try:
        values = load(home, (*HOSTS, "idhost"), env)
    except Unreadable as problem:
        raise Temporary("read error") from problem
    hosts = Hosts(*(values.line(name) for name in HOSTS))
    orders = Orders(argv)
    letters = env.get("QMAILINJECT", "")
    header = Header(hosts, author(env, letters, now), drop={DROPPED[letter] for letter in letters if letter in DROPPED})
    if orders.sender is not None:
        header.sender = envelope_address(hosts, quoted(one_line(orders.sender)))
    recipients = [argument(hosts, word) for word in orders.recipients]
    message = Message(0)
    for line in message.fields():
        header.take(line)
    if orders.header and not orders.print:
        recipients += header.recipients()
    sender, fields = header.envelope_sender(), header.fields(now, os.getpid(), values.line("idhost"), lists)
    if orders.print:
        show(b"Return-Path: <%s>\n" % quoted(sender) + fields, message)
    else:
        queue(QueueProcess(home, env), fields, message, sender, recipients)
    return 0


def show(fields: bytes, message: Message) -> None:
    """Print everything."""
    with during("unable to write"):
        write_all(1, fields)
        for block in message.body():
            write_all(1, block)


def queue(process: QueueProcess, fields: bytes, message: Message, sender: bytes, recipients: list[bytes]) -> None:
    """Hand everything to the queue program.  Raises Permanent or Temporary with its verdict."""
    try:
        process.put(fields)
        for block in message.body():
            process.put(block)
    except BaseException:
        process.fail()
        process.close()
        raise
    process.envelope(sender)
    for recipient in recipients:
        process.recipient(recipient)
    verdict = process.close()
    if verdict:
        raise (Permanent if verdict.startswith("D") else Temporary)(verdict[1:])


def author(env: Mapping[str, str], letters: str, now: int) -> Author:
    """Who the environment says is writing."""
    def first(*names: str) -> bytes | None:
        return next((os.fsencode(env[name]) for name in names if name in env), None)

    user = first("QMAILUSER", "MAILUSER", "USER", "LOGNAME")
    who = Author(b"anonymous" if user is None else user, first("QMAILHOST", "MAILHOST"), first("QMAILNAME", "MAILNAME", "NAME"))
    sender_user, sender_host = first("QMAILSUSER"), first("QMAILSHOST")
    who.sender_user = who.user if sender_user is None else sender_user
    who.sender_host = who.host if sender_host is None else sender_host
    who.commented, who.verp = "c" in letters, "r" in letters
    if "m" in letters:
        who.mark = b"-%d.%d" % (now, os.getpid())
    return who


def mailing_lists(env: Mapping[str, str]) -> set[bytes]:
    """The addresses in the file that QMAILMFTFILE names, in lower case."""
    path = env.get("QMAILMFTFILE")
    if path is None:
        return set()
    try:
        found = contents(os.fsencode(path))
    except OSError as problem:
        raise Temporary("read error") from problem
    return {row.lower() for row in rows(found or b"")}


def envelope_address(hosts: Hosts, address: bytes) -> bytes:
    """A quoted address, completed, as it goes into the envelope.  Raises Unparsable."""
    try:
        return plain(hosts.complete(tokens(address)))
    except Unparsable:
        raise Unparsable(address) from None


def argument(hosts: Hosts, word: bytes) -> bytes:
    """The recipient that an argument names."""
    try:
        return envelope_address(hosts, quoted(one_line(word)))
    except Unparsable:
        raise Permanent(f"unable to parse address: {os.fsdecode(word)}") from None
