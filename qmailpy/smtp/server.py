"""The server's side of an SMTP session: bytes in, replies out, no input or output of its own (qmail-smtpd(8), RFC 5321)."""

from __future__ import annotations

from qmailpy.exits import Temporary, retire
from qmailpy.smtp import reply
from qmailpy.smtp.checks.bounce import without_tag
from qmailpy.smtp.checks.message import begin_scan, is_one_for_all, recipient_limit, strictest
from qmailpy.smtp.checks.order import AT_DATA, AT_END, AT_MAIL, AT_RCPT, refusal
from qmailpy.smtp.data import Message, StrayNewline
from qmailpy.smtp.facts import Facts, Limits
from qmailpy.smtp.reply import Reply
from qmailpy.text.address import literal, parameters, path
from qmailpy.text.lines import LineBuffer
from qmailpy.text.received import protocol, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from qmailpy.smtp.auth import Exchange
    from qmailpy.smtp.checks.order import Check
    from qmailpy.smtp.facts import Settings
    from qmailpy.smtp.world import SmtpWorld
    from qmailpy.text.parkwire import Rest
    from qmailpy.text.received import Client

SHORTEST_LINE = 1000  # bytes of a command that are taken whatever maxline says: the longest address must fit (text/address.py)
LOST = 1  # the exit status where the client cannot be heard any more
MECHANISMS = b"LOGIN CRAM-MD5 PLAIN"  # of AUTH (smtp/auth.py)


class Session:
    """One session.  `closing` is its exit status once it has ended, else None; `doing` says what it is at.

    auth_host     the name in challenges, where clients can authenticate; None: they cannot
    listener_tls  the listener does TLS for us, if we ask it to
    end           when the session must be over, on the monotonic clock; None: there is no such time.  Whoever reads from the client heeds it
    """

    def __init__(self, values: Settings, client: Client, world: SmtpWorld, relay: bytes | None = None, *,
                 auth_host: bytes | None = None, listener_tls: bool = False, end: float | None = None) -> None:
        self.facts = Facts(values, client, relay)
        self.world = world
        self.auth_host, self.listener_tls = auth_host, listener_tls
        self.exchange: Exchange | None = None  # AUTH under way
        self.handshake_due = False
        self.closing: int | None = None
        self.doing = "greeting the client"
        self.message: Message | None = None
        self.lines = LineBuffer(max(values.number("maxline"), SHORTEST_LINE))
        self.limits = Limits(end)
        self.verbs: dict[bytes, Callable[[bytes], Reply]] = {
            b"helo": self.helo, b"ehlo": self.ehlo, b"mail": self.mail, b"rcpt": self.rcpt, b"data": self.data, b"rset": self.rset,
            b"starttls": self.starttls, b"auth": self.auth,
            b"quit": self.quit, b"help": lambda argument: reply.HELP, b"noop": lambda argument: reply.OK, b"vrfy": lambda argument: reply.VRFY,
        }

    def greeting(self) -> bytes:
        """The first line, after greetdelay; a client that does not wait for it is not served (aio: greetdelay, databeforegreet)."""
        if not self.facts.values.flag("databeforegreet"):
            self.pause("greetdelay")
        elif (said := self.world.hear(self.facts.values.number("greetdelay") or 1)) is not None:
            who = b"before greeting: [" + self.facts.client.ip + b"] client "
            self.world.log(who + (b"sent data" if said else b"hung up"))
            self.closing = 1
            return reply.EARLY.wire() if said else b""
        self.doing = "waiting for a command"
        return Reply(220, self.name() + b" ESMTP").wire()

    def pause(self, delay: str) -> None:
        """Hold the reply to a command back for as long as a setting says (aio: Delays)."""
        if seconds := self.facts.values.number(delay):
            self.world.pause(seconds)

    def name(self) -> bytes:
        """What this host calls itself."""
        return self.facts.values.line("smtpgreeting")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the replies to what the client says; the caller writes them together before it reads again."""
        if self.message:
            data = yield from self.read_message(data)
        self.lines.add(data)
        while self.closing is None and self.message is None and (found := self.lines.next_line()) is not None:
            yield self.tell(self.command(found[0]))
            if self.handshake_due:
                self.begin_tls()
            self.lines.add((yield from self.read_message(self.lines.take())) if self.message else b"")

    def abandon(self) -> None:
        """The client has gone, or must go: a message under way is not queued."""
        if self.message:
            self.message.discard()
            self.message = None

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way: a session in clear that waits for a command."""
        busy = self.message or self.exchange or self.handshake_due or not self.lines.empty
        return not busy and self.closing is None and self.facts.sender is None and self.facts.tls is None and self.facts.user is None

    def rest(self) -> Rest:
        """What the session is while it is at rest."""
        from qmailpy.text.parkwire import Rest

        return Rest(self.world.pid, self.facts.helo, self.facts.helo_known, tuple(sorted(self.world.told)), self.doing,
                    (self.limits.commands, self.limits.mistakes))

    def resume(self, rest: Rest) -> None:
        """Be a session that was at rest; this one has not begun, and its world knows what the other's had told."""
        self.facts.helo, self.facts.helo_known, self.doing = rest.helo, rest.helo_known, rest.doing
        self.limits.commands, self.limits.mistakes = rest.counts

    def tell(self, answer: Reply) -> bytes:
        """The wire form of a reply; some end the session.  Of a client that has met a limit the administrator hears, too."""
        if answer.closing is not None:
            self.closing = answer.closing
        if answer in reply.LIMITS:
            self.world.log(b"limit: " + answer.lines[0] + b" at " + self.facts.client.ip)
        return answer.wire()

    def command(self, line: bytes | None) -> Reply:
        """Obey one line, if the client may say any more."""
        values = self.facts.values
        return self.limits.begin_command(values) or self.limits.weigh(self.obey(line), values)

    def obey(self, line: bytes | None) -> Reply:
        """The reply to one line."""
        if self.exchange:
            from qmailpy.smtp.auth_dialogue import go_on

            return go_on(self, line)
        if line is None:
            return reply.LINE_TOO_LONG
        verb, _, argument = line.removesuffix(b"\r").partition(b" ")
        handle = self.verbs.get(verb.lower())
        if handle is None:
            return reply.UNIMPLEMENTED
        self.doing = verb.upper().decode("ascii")
        try:
            return handle(argument.lstrip(b" "))
        except Temporary:
            return reply.NO_CONTROLS

    def helo(self, argument: bytes) -> Reply:
        self.facts.greet(argument)
        self.pause("helodelay")
        return Reply(250, self.name())

    def ehlo(self, argument: bytes) -> Reply:
        self.helo(argument)
        sizes = (f"SIZE {self.facts.values.number('databytes')}",) if is_one_for_all(self.facts.values) else ()
        return Reply(250, self.name(), *self.offers(), "PIPELINING", *sizes, "8BITMIME")

    def offers(self) -> Iterator[bytes]:
        """The keywords of what the client can use now to be safe, or trusted."""
        if self.offers_tls():
            yield b"STARTTLS"
        if self.auth_host is not None and self.facts.user is None and self.allows_auth():
            yield b"AUTH " + MECHANISMS
            yield b"AUTH=" + MECHANISMS  # for clients that were made before the standard

    def offers_tls(self) -> bool:
        """Whether STARTTLS is there for this client (aio: Who is offered STARTTLS)."""
        values = self.facts.values
        ours = values.known("servercert.pem") and values.flag(self.facts.side("tlssmtp"))
        return self.facts.tls is None and (self.listener_tls or ours)

    def allows_auth(self) -> bool:
        """Whether a password may be said now (aio: secauthext, secauthint)."""
        return self.facts.tls is not None or not self.facts.values.flag(self.facts.side("secauth"))

    def starttls(self, argument: bytes) -> Reply:
        if not self.offers_tls():
            return reply.UNIMPLEMENTED
        if argument:
            return reply.NO_PARAMETERS
        if trouble := self.world.prepare_tls():
            return Reply(454, f"TLS missing certificate: {trouble} (#4.3.0)")
        self.handshake_due = True
        return reply.READY_FOR_TLS

    def begin_tls(self) -> None:
        """The handshake.  What the client has sent in clear meanwhile is thrown away: it may be somebody else's."""
        self.handshake_due, self.doing = False, "beginning TLS"
        self.lines.take()
        tls = self.world.start_tls()
        if tls is None:
            self.closing = LOST
            return
        self.facts.begin_tls(tls)
        self.world.introduce(*self.facts.introduced)
        self.doing = "waiting for a command"

    def auth(self, argument: bytes) -> Reply:
        if self.auth_host is None:
            return reply.AUTH_UNAVAILABLE
        if self.facts.user is not None:
            return reply.AUTH_DONE
        if self.facts.sender is not None:
            return reply.AUTH_TOO_LATE
        if not self.allows_auth():
            return reply.AUTH_NEEDS_TLS
        from qmailpy.smtp.auth_dialogue import begin

        retire("AUTH")
        return begin(self, argument)

    def rset(self, argument: bytes) -> Reply:
        self.facts.forget_transaction()
        return reply.FLUSHED

    def quit(self, argument: bytes) -> Reply:
        return Reply(221, self.name(), closing=0)

    def mail(self, argument: bytes) -> Reply:
        found = path(argument)
        if found is None:
            return reply.SYNTAX
        self.facts.claimed = without_tag(self.facts, self.own_literal(found[0]), self.world.now())
        self.facts.size = announced(found[1])
        if refused := self.judged(AT_MAIL, "mfdelay"):
            return refused
        sender = self.facts.claimed
        self.facts.forget_transaction()
        self.facts.sender = sender
        return reply.OK

    def rcpt(self, argument: bytes) -> Reply:
        if self.facts.sender is None:
            return reply.WANT_MAIL
        found = path(argument)
        if found is None:
            return reply.SYNTAX
        address = self.own_literal(found[0])
        self.facts.recipient = without_tag(self.facts, address, self.world.now())
        self.facts.signed = self.facts.recipient != address
        if refused := self.judged(AT_RCPT, "rcptdelay"):
            return refused
        self.facts.limit = strictest((self.facts.limit, recipient_limit(self.facts, self.world)))
        self.facts.accept_recipient(self.facts.recipient + (self.facts.relay or b""))
        count = self.facts.values.number("tarpitcount")
        if count and len(self.facts.recipients) >= count:
            self.pause("tarpitdelay")
        return reply.OK

    def judged(self, checks: Sequence[Check], delay: str) -> Reply | None:
        """The refusal of a command, if any; what the delay holds back is refusals as well."""
        try:
            refused = refusal(checks, self.facts, self.world)
        except Temporary:
            refused = reply.NO_CONTROLS
        self.pause(delay)
        return refused

    def data(self, argument: bytes) -> Reply:
        if self.facts.sender is None:
            return reply.WANT_MAIL
        if not self.facts.recipients:
            return reply.WANT_RCPT
        if refused := refusal(AT_DATA, self.facts, self.world):
            self.facts.forget_transaction()
            return refused
        try:
            queue = self.world.open_queue()
        except Temporary:
            self.facts.sender = None
            return reply.NO_QUEUE
        self.message = Message(queue, self.facts.limit)
        self.message.scan = begin_scan(self.facts, self.world)
        self.message.put(received(self.protocol(), self.facts.client, self.told_helo(), self.world.now()))
        self.doing = "reading the message"
        return reply.GO_AHEAD

    def read_message(self, data: bytes) -> Generator[bytes, None, bytes]:
        """Take bytes of the message; returns those that follow it."""
        assert self.message
        try:
            self.message.feed(data)
        except StrayNewline:
            self.abandon()
            yield self.tell(reply.STRAY_NEWLINE)
            return b""
        if not self.message.reader.over:
            return b""
        self.doing = "queueing the message"
        rest = self.message.reader.rest
        yield self.tell(self.limits.weigh_message(self.finish(), self.facts.values))
        self.doing = "waiting for a command"
        return rest

    def finish(self) -> Reply:
        """The message has come: judge it, and have it queued or not."""
        self.facts.message = self.message
        refused = refusal(AT_END, self.facts, self.world)
        message, self.message = self.message, None
        assert message
        sender, recipients = self.facts.sender or b"", self.facts.recipients
        self.facts.forget_transaction()
        if refused:
            message.discard()
            return refused
        return message.submit(sender, recipients, self.world.now())

    def protocol(self) -> bytes:
        """How this message comes, for the Received field."""
        facts = self.facts
        return protocol(facts.tls.cipher if facts.tls else None, authenticated=facts.user is not None, vouched=facts.vouched)

    def told_helo(self) -> bytes | None:
        """The HELO name for the Received field: None if it is the name that the client has anyway."""
        helo = self.facts.helo
        return None if helo is None or helo.lower() == self.facts.client.host.lower() else helo

    def own_literal(self, address: bytes) -> bytes:
        """`address`, with localiphost in the place of an [IP address] that is this host's."""
        local, at, host = address.rpartition(b"@")
        values = self.facts.values
        if at and values.known("localiphost") and (ip := literal(host)) is not None and self.world.is_own_address(ip):
            return local + at + values.line("localiphost")
        return address


def announced(rest: bytes) -> int:
    """The size that the parameters of MAIL announce (RFC 1870); 0 if they do not."""
    value = parameters(rest).get(b"SIZE", b"0")
    return int(value) if value.isdigit() and len(value) <= 20 else 0
