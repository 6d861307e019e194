"""qmail-explain: what would happen to a message, and why.  See qmail-explain(8)."""

from __future__ import annotations

import os

import click

from qmailpy.exits import OK, PERMANENT, TEMPORARY, Permanent, Temporary
from qmailpy.explain import report
from qmailpy.explain.destination import destination
from qmailpy.explain.session import QuietWorld, WatchedSession
from qmailpy.explain.trace import Trace
from qmailpy.home import here
from qmailpy.serve.world import client, relay
from qmailpy.settings.load import load, origin
from qmailpy.settings.table import SETTINGS
from qmailpy.smtp.facts import Secured
from qmailpy.text.tcprules import keys, verdict
from qmailpy.unix.cdb import Reader
from qmailpy.unix.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from qmailpy.explain.destination import Destination
    from qmailpy.home import Home

INHERITED = ("PATH", "DNSCACHEIP")  # the rest of the environment is the listener's to set, not the caller's


class Question:
    """What is asked about: the client, and what it says.  Raises Permanent for what makes no sense."""

    def __init__(self, env: MutableMapping[str, str], given: dict[str, Any]) -> None:
        self.said = lines(given)
        self.tls, self.dns, self.callback = (bool(given[name]) for name in ("tls", "dns", "callback"))
        self.user = os.fsencode(str(given["auth"])) if given["auth"] else None
        self.denied = False
        self.env = {name: env[name] for name in INHERITED if name in env}
        self.env["TCPREMOTEIP"] = str(given["ip"])
        if given["host"]:
            self.env["TCPREMOTEHOST"] = str(given["host"])
        if given["rules"]:
            self.ask_rules(str(given["rules"]))
        for setting in given["variables"]:
            name, equals, value = setting.partition("=")
            if not equals or not name:
                raise Permanent(f"--env {setting}: it must be NAME=VALUE")
            self.env[name] = value
        if given["relay"]:
            self.env.setdefault("RELAYCLIENT", "")

    def ask_rules(self, path: str) -> None:
        """Set the variables that a listener's rules say for this client.  Raises Temporary if they cannot be read."""
        rules = Reader(path)
        if rules.absent:
            raise Permanent(f"{path} is not there")
        host = self.env.get("TCPREMOTEHOST")
        found = (rules.get(key) for key in keys(self.env["TCPREMOTEIP"], None if host is None else os.fsencode(host), None))
        self.denied, variables = verdict(next((record for record in found if record is not None), b""))
        self.env.update((os.fsdecode(name), os.fsdecode(value)) for name, value in variables)


class Answer:
    """The commands of the session, and where each accepted recipient goes."""

    def __init__(self, home: Home, question: Question) -> None:
        self.home, self.env = home, question.env
        values = load(home, SETTINGS, self.env)
        if not values.known("smtpgreeting"):
            raise Temporary("neither control/smtpgreeting nor control/me is there")
        trace = Trace(home, values)
        world = QuietWorld(home, self.env, Connection(0, 1, 1), trace, dns=question.dns, callback=question.callback)
        session = WatchedSession(trace, client(self.env), world, relay(self.env))
        self.commands = [session.greet()]
        self.destinations: dict[int, Destination] = {}
        if question.tls:
            session.facts.begin_tls(Secured())
        if question.user is not None:
            session.facts.trust(question.user)
        for line in question.said:
            self.commands.append(session.say(line))
            if line.startswith(b"RCPT") and self.commands[-1].reply.startswith(b"2"):
                facts = session.facts
                found = destination(home, trace, facts.sender or b"", facts.recipients[-1], self.env, dns=question.dns)
                self.destinations[len(self.commands) - 1] = found
        self.commands.append(session.at_data())
        self.limit = session.facts.limit

    def origin(self, name: str) -> str:
        """Where a setting's value comes from."""
        return origin(SETTINGS[name], self.home, self.env)

    @property
    def status(self) -> int:
        """The exit status: 0 if all is accepted, else by the first refusal."""
        for command in self.commands:
            if command.reply[:1] in (b"4", b"5"):
                return TEMPORARY if command.reply.startswith(b"4") else PERMANENT
        return OK

    def text(self) -> str:
        """The answer for people."""
        rows: list[str] = []
        for number, command in enumerate(self.commands):
            rows += report.lines(command, self.origin)
            if number in self.destinations:
                rows += report.destination_lines(self.destinations[number])
        if self.limit:
            rows.append(f"The message may have {self.limit} bytes.")
        return "\n".join(rows)

    def as_json(self) -> str:
        """The answer for programs."""
        import json

        told = [report.command_json(command, self.origin) for command in self.commands]
        for number, found in self.destinations.items():
            told[number]["destination"] = report.destination_json(found)
        return json.dumps({"accepted": self.status == OK, "commands": told, "limit": self.limit}, indent=1)


def lines(given: dict[str, Any]) -> list[bytes]:
    """What the client says."""
    said = [b"EHLO " + os.fsencode(given["helo"])] if given["helo"] is not None else []
    said.append(b"MAIL FROM:<" + os.fsencode(given["sender"]) + b">")
    return said + [b"RCPT TO:<" + os.fsencode(recipient) + b">" for recipient in given["recipients"]]


@click.command(name="qmail-explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--ip", default="127.0.0.1", show_default=True, help="The client's IP address.")
@click.option("--host", help="The client's host name, if the listener knows it.")
@click.option("--helo", help="The name in EHLO; without it, no EHLO is said.")
@click.option("--from", "sender", default="", help="The envelope sender; without it, the empty one.")
@click.option("--to", "recipients", multiple=True, required=True, help="An envelope recipient; may be given several times.")
@click.option("--relay", is_flag=True, help="The client may relay (RELAYCLIENT is set).")
@click.option("--auth", metavar="NAME", help="The client has authenticated as NAME.")
@click.option("--tls", is_flag=True, help="The session is in TLS.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable that the listener sets.")
@click.option("--rules", metavar="FILE", help="Rules of the listener (tcp.cdb), which may set variables or deny the client.")
@click.option("--dns", is_flag=True, help="The DNS may be asked.")
@click.option("--callback", is_flag=True, help="Mail exchangers of the sender may be asked (mfcheck 2).")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def command(context: click.Context, /, as_json: bool, **given: Any) -> int:
    """Tell what would happen to a message, and why.  Nothing is changed, queued or sent."""
    question = Question(context.obj, given)
    if question.denied:
        click.echo('{"accepted": false, "denied": true}' if as_json else "The listener's rules deny this client.")
        return PERMANENT
    answer = Answer(here(), question)
    click.echo(answer.as_json() if as_json else answer.text())
    return answer.status


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    try:
        status: int = command.main(argv[1:], prog_name="qmail-explain", standalone_mode=False, obj=env)
    except click.ClickException as problem:
        problem.show()
        return PERMANENT
    return status
