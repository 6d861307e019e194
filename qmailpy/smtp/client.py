"""The sending side of SMTP: replies taken apart, the message put on the wire, the dialogue as a generator (RFC 5321)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from qmailpy.smtp.login_client import Login

TEXT_LIMIT = 5000  # bytes of a reply that are told on
REPLY_LIMIT = 1 << 20  # bytes; no honest reply comes near
TEMPORARY_CODE = 400  # what a reply counts as that is no reply


class TooLong(Exception):
    """A reply without end."""


class PartialLine(Exception):
    """The message does not end with a newline."""


class Reply:
    """A reply: its code, and its text as it came, without CRs."""

    __slots__ = ("code", "text")

    def __init__(self, code: int, text: bytes) -> None:
        self.code, self.text = code, text


class ReplyReader:
    """Cuts what a server says into replies.  Does no input: the caller reads, this only remembers."""

    __slots__ = ("_pending", "_lines", "_size")

    def __init__(self) -> None:
        self._pending = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take what the server says.  Raises TooLong."""
        self._pending += data
        self._size += len(data)
        if self._size > REPLY_LIMIT:
            raise TooLong

    def next_reply(self) -> Reply | None:
        """The next reply; None until all of it has come."""
        while True:
            line, newline, rest = self._pending.partition(b"\n")
            if not newline:
                return None
            self._pending = rest
            self._lines.append(line.replace(b"\r", b"") + b"\n")
            if line[3:4] != b"-":
                break
        text, code = b"".join(self._lines), self._lines[0][:3]
        self._lines.clear()
        self._size = len(self._pending)
        return Reply(int(code) if code.isdigit() and len(code) == 3 else TEMPORARY_CODE, text[:TEXT_LIMIT].replace(b"\0", b"?"))


class Stuffer:
    """Puts a message on the wire: every line ends in CR LF, a dot that begins one is doubled.

    LF and CR LF are line ends.  So is a CR alone: nothing but CR LF leaves, since some receivers take other things for the
    end of a line, and then a dot behind it for the end of the message.
    """

    __slots__ = ("_held", "_at_start")

    def __init__(self) -> None:
        self._held = b""  # a CR whose LF may come
        self._at_start = True  # the next byte begins a line

    def feed(self, data: bytes) -> bytes:
        """The wire form of a block."""
        data = self._held + data
        self._held = b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not data:
            return b""
        dot = b"." if self._at_start and data.startswith(b".") else b""
        self._at_start = data.endswith(b"\n")
        return dot + data.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """What ends the message.  Raises PartialLine."""
        rest, self._held = self._held, b""
        if not rest and not self._at_start:
            raise PartialLine
        return (b"\r\n" if rest else b"") + b".\r\n"


class Verdict:
    """How the dialogue ended: a letter (K, Z or D), what is said before and after the server's address, and its reply."""

    __slots__ = ("letter", "before", "after", "reply")

    def __init__(self, letter: str, before: str, after: str, reply: Reply | None) -> None:
        self.letter, self.before, self.after, self.reply = letter, before, after, reply


NEVER, OFFERED, REQUIRED, ON = "never", "offered", "required", "on"  # how TLS is used: not at all; if offered; always; from the first byte


class Plan:
    """What a dialogue is to do.

    helo        the name to say
    sender      as it stands in MAIL
    recipients  as they stand in RCPT
    tls         NEVER, OFFERED, REQUIRED or ON
    demand      the file that requires TLS
    login       what to begin with, if the server wants it
    no_clear    what a login outside TLS is refused with, in the words of a report; "": it is allowed
    """

    __slots__ = ("helo", "sender", "recipients", "tls", "demand", "login", "no_clear")

    def __init__(self, helo: bytes, sender: bytes, recipients: Sequence[bytes], *, tls: str = NEVER, demand: str = "",
                 login: Login | None = None, no_clear: str = "") -> None:
        self.helo, self.sender, self.recipients = helo, sender, recipients
        self.tls, self.demand, self.login, self.no_clear = tls, demand, login, no_clear


class Account:
    """What there is to tell of a dialogue beside its verdict.

    recipients  (r, h or s, the reply) for each: accepted, refused for good, refused for now
    notes       sentences for whoever reads the report
    """

    __slots__ = ("recipients", "notes")

    def __init__(self) -> None:
        self.recipients: list[tuple[str, Reply]] = []
        self.notes: list[str] = []


class Body:
    """What the dialogue yields where the message is to be sent."""


class StartTls:
    """What the dialogue yields where STARTTLS is to be said, and TLS to begin if the reply is 220."""


def dialogue(plan: Plan, account: Account) -> Generator[bytes | Body | StartTls, Reply, Verdict]:
    """Yield what to send, get the reply to it (at first, without sending anything, the greeting); returns the Verdict."""
    reply = yield b""
    if reply.code != 220:
        return Verdict("Z", "Connected to ", " but greeting failed", reply)
    refused = yield from begin(plan, account)
    if refused is not None:
        return refused
    return (yield from transaction(plan, account))


def begin(plan: Plan, account: Account) -> Generator[bytes | StartTls, Reply, Verdict | None]:
    """All that comes before MAIL; the Verdict if it ends there."""
    reply = yield from hello(plan.helo)
    if reply.code != 250:
        return nameless(reply)
    encrypted = plan.tls == ON
    if plan.tls in (OFFERED, REQUIRED) and b"STARTTLS" in extensions(reply):
        answer = yield StartTls()
        encrypted = answer.code == 220
        if encrypted:  # what was said before is forgotten (RFC 3207 section 4.2)
            reply = yield from hello(plan.helo)
            if reply.code != 250:
                return nameless(reply)
        elif plan.tls == REQUIRED:
            return Verdict("Z", f"STARTTLS rejected while {plan.demand} exists; connecting to ", "", answer)
    if plan.tls == REQUIRED and not encrypted:
        return Verdict("Z", f"No TLS achieved while {plan.demand} exists; connecting to ", "", None)
    if plan.login is None:
        return None
    if plan.no_clear and not encrypted:
        return Verdict("Z", "Connected to ", f" but {plan.no_clear}", None)
    from qmailpy.smtp.login_client import log_in

    refused = yield from log_in(plan.login, extensions(reply).get(b"AUTH", set()), encrypted, account.notes)
    if refused is None:
        return None
    where, reply = refused
    return Verdict("Z", "Connected to ", f" but authentication was rejected ({where})", reply)


def hello(helo: bytes) -> Generator[bytes, Reply, Reply]:
    """Say who we are; the last reply."""
    reply = yield b"EHLO " + helo + b"\r\n"
    if reply.code >= 500:
        reply = yield b"HELO " + helo + b"\r\n"
    return reply


def nameless(reply: Reply) -> Verdict:
    """How it ends where EHLO and HELO are refused."""
    return Verdict("Z", "Connected to ", " but my name was rejected", reply)


def extensions(reply: Reply) -> dict[bytes, set[bytes]]:
    """What a reply to EHLO offers: {keyword: its words}, in upper case (RFC 5321 section 4.1.1.1).  AUTH= is an older form of AUTH."""
    found: dict[bytes, set[bytes]] = {}
    for line in reply.text.upper().splitlines()[1:]:
        line = line[4:]
        if line.startswith(b"AUTH="):
            line = line.replace(b"=", b" ", 1)
        keyword, *words = line.split() or [b""]
        found.setdefault(keyword, set()).update(words)
    return found


def transaction(plan: Plan, account: Account) -> Generator[bytes | Body, Reply, Verdict]:
    """From MAIL to the end."""
    reply = yield b"MAIL FROM:<" + plan.sender + b">\r\n"
    if reply.code >= 400:
        return Verdict(letter(reply), "Connected to ", " but sender was rejected", reply)
    for recipient in plan.recipients:
        reply = yield b"RCPT TO:<" + recipient + b">\r\n"
        account.recipients.append(("h" if reply.code >= 500 else "s" if reply.code >= 400 else "r", reply))
    if all(word != "r" for word, _ in account.recipients):
        return Verdict("D", "Giving up on ", "", None)
    reply = yield b"DATA\r\n"
    if reply.code >= 400:
        return Verdict(letter(reply), "", " failed on DATA command", reply)
    reply = yield Body()
    if reply.code >= 400:
        return Verdict(letter(reply), "", " failed after I sent the message", reply)
    return Verdict("K", "", " accepted message", reply)


def may_go_elsewhere(verdict: Verdict, account: Account) -> bool:
    """Whether a server has taken nothing, and refused for now, so that another one may be asked in its place (aio: straightfallback)."""
    if verdict.reply is not None:
        return 400 <= verdict.reply.code < 500
    return bool(account.recipients) and all(word == "s" for word, _ in account.recipients)


def letter(reply: Reply) -> str:
    """What a refusal is: permanent or temporary."""
    return "D" if reply.code >= 500 else "Z"
