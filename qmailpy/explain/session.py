"""A session of qmail-smtpd that is watched: every check by its name, what it looked at, how it decided, how long the client would wait.

It runs the very same checks in the same order on the home's real settings, but touches nothing: nothing is queued, nobody is
kept waiting, no program is run; the DNS, and other hosts, are asked only where that was allowed.
"""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.serve.world import SmtpWorld
from qmailpy.settings.show import networks
from qmailpy.smtp import reply
from qmailpy.smtp.callback import KNOWN, Answer
from qmailpy.smtp.checks.order import AT_DATA
from qmailpy.smtp.server import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmailpy.explain.trace import Hit, Trace
    from qmailpy.home import Home
    from qmailpy.smtp.checks.order import Check
    from qmailpy.smtp.reply import Reply
    from qmailpy.text.received import Client
    from qmailpy.unix.connection import Connection

SPOOFING = "antispoofing"


class Step:
    """One check: its name, the first line of what it says of itself, the settings that it asked for, the lines that fitted, remarks, and its reply, if any."""

    __slots__ = ("name", "about", "asked", "hits", "remarks", "reply")

    def __init__(self, check: Check) -> None:
        self.name = check.__name__
        self.about = (check.__doc__ or "").strip().split("\n")[0]
        self.asked: list[str] = []
        self.hits: list[Hit] = []
        self.remarks: list[str] = []
        self.reply: Reply | None = None


class Command:
    """One command: its line, the checks, the seconds that the client would wait for the reply, the reply's lines, what would be logged."""

    __slots__ = ("line", "steps", "seconds", "reply", "log")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.steps: list[Step] = []
        self.seconds = 0
        self.reply = b""
        self.log: list[bytes] = []


class QuietWorld(SmtpWorld):
    """The real world, looked at and not touched.

    dns, callback  whether the DNS, and mail exchangers of senders, may be asked
    command        what is being answered
    remarks        what was not asked, and why, since they were last taken
    """

    def __init__(self, home: Home, env: Mapping[str, str], connection: Connection, trace: Trace, *, dns: bool, callback: bool) -> None:
        super().__init__(home, env, connection, trace.values)
        self.trace, self.dns, self.callback = trace, dns, callback
        self.command = Command(b"")
        self.remarks: list[str] = []

    def log(self, line: bytes) -> None:
        self.command.log.append(line)

    def pause(self, seconds: int) -> None:
        self.command.seconds += seconds

    def hear(self, seconds: int) -> bytes | None:
        self.command.seconds += seconds
        return None

    def search(self, name: str, lines: list[bytes], subject: bytes) -> bytes | None:
        found = super().search(name, lines, subject)
        if found is not None:
            self.trace.hit(name, lambda row: row == found)
        return found

    def exists(self, name: bytes) -> bool:
        return self.if_dns(f"whether {shown(name)} exists") or super().exists(name)

    def takes_mail(self, domain: bytes) -> bool:
        return self.if_dns(f"whether {shown(domain)} takes mail") or super().takes_mail(domain)

    def if_dns(self, question: str) -> bool:
        """Whether the DNS must not be asked; then that is remarked."""
        if not self.dns:
            self.remarks.append(f"the DNS was not asked {question} (--dns)")
        return not self.dns

    def call_back(self, sender: bytes, helo: bytes, timeout: int) -> Answer:
        if self.callback:
            return super().call_back(sender, helo, timeout)
        self.remarks.append(f"no mail exchanger was asked for {shown(sender)} (--callback)")
        return Answer(KNOWN)

    def ask_program(self, program: str, sender: bytes, recipient: bytes) -> int:
        self.remarks.append(f"{program} was not run; it may refuse")
        return 0


class WatchedSession(Session):
    """A session whose checks leave a trace in the command that is being answered."""

    world: QuietWorld

    def __init__(self, trace: Trace, client: Client, world: QuietWorld, relay: bytes | None) -> None:
        super().__init__(trace, client, world, relay)
        self.trace = trace

    def judged(self, checks: Sequence[Check], delay: str) -> Reply | None:
        refused = self.walk(checks)
        self.pause(delay)
        return refused

    def walk(self, checks: Sequence[Check]) -> Reply | None:
        """The reply of the first check that has one."""
        for check in checks:
            step = Step(check)
            self.trace.begin()
            try:
                step.reply = check(self.facts, self.world)
            except Temporary as problem:
                step.reply = reply.NO_CONTROLS
                step.remarks.append(problem.text)
            if SPOOFING in self.trace.asked and step.reply:
                step.remarks += self.spoofed()
            step.asked, step.hits = list(self.trace.asked), list(self.trace.hits)
            step.remarks += self.world.remarks
            self.world.remarks = []
            self.world.command.steps.append(step)
            if step.reply:
                return step.reply
        return None

    def spoofed(self) -> list[str]:
        """Note the line of antispoofing that has named the sender's networks, its address before its domain; how that line is understood."""
        address = self.facts.claimed.lower()
        lines = self.facts.values.list(SPOOFING) or []
        for key in (address, address.rpartition(b"@")[2]):
            for line in lines:
                if line.partition(b":")[0].strip().lower() == key:
                    self.trace.hit(SPOOFING, lambda row, line=line: row == line)  # type: ignore[misc]
            if self.trace.hits:
                break
        return [text.strip() for hit in self.trace.hits for text in networks(hit.text).decode("ascii", "replace").splitlines()]

    def say(self, line: bytes) -> Command:
        """Answer one command of the client."""
        command = self.world.command = Command(line)
        command.reply = b"".join(self.feed(line + b"\r\n"))
        return command

    def greet(self) -> Command:
        """Greet the client."""
        command = self.world.command = Command(b"")
        command.reply = self.greeting()
        return command

    def at_data(self) -> Command:
        """What DATA would be answered, before anything is queued."""
        command = self.world.command = Command(b"DATA")
        if not self.facts.recipients:
            command.reply = reply.WANT_RCPT.wire()
        else:
            command.reply = (self.walk(AT_DATA) or reply.GO_AHEAD).wire()
        return command


def shown(text: bytes) -> str:
    """Bytes for people: what is not printable ASCII is written in hex, so that nothing commands a terminal."""
    return "".join(chr(byte) if 32 <= byte <= 126 else f"\\x{byte:02x}" for byte in text)
