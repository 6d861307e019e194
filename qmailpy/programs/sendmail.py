"""sendmail: what other programs expect under that name, done by qmail-inject, qmail-smtpd and qmail-qread.  See sendmail(8)."""

from __future__ import annotations

import os

from qmailpy.exits import Permanent, Temporary, Usage, complain
from qmailpy.home import here
from qmailpy.text.options import Options
from qmailpy.unix.process import execute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home

USAGE = "sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] [ arg ... ]"
# With -bs and without a listener's variables: a session of somebody on this host.
LOCAL_SESSION = {
    "RELAYCLIENT": "", "DATABYTES": "0", "PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALHOST": "localhost",
    "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEHOST": "localhost", "TCPREMOTEINFO": "sendmail-bs",
}


class Orders:
    """What the command line asks for; `mode` is the letter of -b."""

    def __init__(self, argv: list[str]) -> None:
        self.mode, self.from_header = "m", False
        self.sender: str | None = None
        self.name: str | None = None
        options = Options(argv, "vimte:f:p:o:B:F:EJxb:")
        for letter, value in options:
            if letter == "?":
                complain(f"sendmail: {value}")
                raise Usage(USAGE)
            self._take(letter, value, options)
            if self.mode != "m":
                break
        self.recipients = options.rest

    def _take(self, letter: str, value: str, options: Options) -> None:
        """Every other option means nothing here: there is one way to deliver and one way to report errors."""
        if letter == "t":
            self.from_header = True
        elif letter == "f":
            self.sender = one_line(value)
        elif letter == "F":
            self.name = one_line(value)
        elif letter in "EJ":
            options.skip()
        elif letter == "b":
            self.mode = value[:1]
            if self.mode not in ("m", "p", "s"):
                raise Usage(USAGE)


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    """Become the program that does what is asked for."""
    called = os.path.basename(argv[0])
    home, orders = here(), Orders(argv)
    env = dict(env)
    if orders.mode == "p" or called == "mailq":
        return become(home, ["bin/qmail-qread"], env)
    if orders.mode == "s":
        if "PROTO" not in env:
            env.update(LOCAL_SESSION)
        return become(home, ["bin/qmail-smtpd"], env)
    if called == "newaliases":
        raise Permanent("please use fastforward/newaliases instead")
    if orders.name is not None:
        env["MAILNAME"] = orders.name
    words = ["bin/qmail-inject", "-H" if orders.from_header else "-a"]
    if orders.sender is not None:
        words += ["-f", orders.sender]
        write_as(orders.sender, env)
    return become(home, [*words, "--", *orders.recipients], env)


def write_as(sender: str, env: MutableMapping[str, str]) -> None:
    """Make qmail-inject's From field name the sender."""
    for name in ("QMAILNAME", "MAILNAME", "NAME", "QMAILHOST", "MAILHOST"):
        env.pop(name, None)
    user, at, host = sender.rpartition("@")
    env["QMAILUSER"] = user if at else sender
    if at:
        env["QMAILHOST"] = host


def become(home: Home, words: list[str], env: MutableMapping[str, str]) -> int:
    """Execute a program of the home, in the home."""
    try:
        os.chdir(home.path)
    except OSError as problem:
        raise Temporary("unable to switch to qmail home directory") from problem
    try:
        execute(words, env, home.at(*words[0].split("/")))
    except OSError as problem:
        raise Temporary(f"unable to run {os.path.basename(words[0])}") from problem


def one_line(value: str) -> str:
    """A value that cannot begin a line of its own in a header."""
    return value.replace("\r", " ").replace("\n", " ")
