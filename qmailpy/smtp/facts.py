"""What is known in a session when something has to be decided: the settings, the client, the transaction so far."""

from __future__ import annotations

from qmailpy.smtp import reply
from qmailpy.text.received import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from qmailpy.smtp.data import Message
    from qmailpy.smtp.reply import Reply

    class Settings(Protocol):
        """The values of the control files by their names (settings/load.py)."""

        def line(self, name: str) -> bytes:
            """A line; b"" if there is none."""

        def known(self, name: str) -> bool:
            """Whether there is a value at all, be it an empty one."""

        def number(self, name: str) -> int:
            """A number."""

        def flag(self, name: str) -> bool:
            """A switch."""

        def names(self, name: str) -> frozenset[bytes] | None:
            """Domains or addresses in lower case; None: no file."""

        def list(self, name: str) -> list[bytes] | None:
            """Lines; None: no file."""

        def map(self, name: str) -> dict[bytes, bytes] | None:
            """{key in lower case: value}; None: no file."""


GOOD, REFUSED = 250, 500  # codes: a message that was accepted, and where refusals for good begin


class Secured:
    """What TLS has brought about.

    cipher     its name; b"" if another program does TLS for us and does not say
    shown      whether the client has shown a certificate
    trouble    what is wrong with that, in the library's words; ""
    addresses  the e-mail addresses in it
    """

    __slots__ = ("cipher", "shown", "trouble", "addresses")

    def __init__(self, cipher: bytes = b"", *, shown: bool = False, trouble: str = "", addresses: tuple[bytes, ...] = ()) -> None:
        self.cipher, self.shown, self.trouble, self.addresses = cipher, shown, trouble, addresses


class Facts:
    """A session's state that checks look at.

    values      of the settings
    relay       what is added to recipients of a client that may relay (RELAYCLIENT); None: it may not
    user        who the client has proved to be, with AUTH; None: it has not
    tls         what TLS has brought about; None: the session is in clear
    vouched     the address in the client's certificate that lets it relay; None: that is not why it may
    helo        the name in HELO or EHLO; None before that
    helo_known  whether it is in the DNS; None: nobody has asked yet
    sender      of the transaction under way; None: no MAIL yet
    recipients  accepted so far, as they go into the envelope
    room_taken  bytes of memory that these take, about
    recipient   of the RCPT that is being judged
    claimed     the sender in the MAIL that is being judged
    size        that this MAIL announces; 0: none
    signed      the recipient being judged bore a tag of ours
    missing     a recipient without a mailbox was accepted, and DATA is to be refused for it
    limit       bytes that the message may have for the recipients so far; 0: any number
    message     that has come and is being judged
    """

    __slots__ = ("values", "client", "relay", "introduced", "user", "tls", "vouched", "helo", "helo_known", "sender", "recipients", "room_taken", "recipient",
                 "claimed", "size", "signed", "missing", "limit", "message")

    def __init__(self, values: Settings, client: Client, relay: bytes | None = None) -> None:
        self.values, self.client, self.relay = values, client, relay
        self.introduced = relay, client.info  # by the listener
        self.user: bytes | None = None
        self.tls: Secured | None = None
        self.vouched: bytes | None = None
        self.helo: bytes | None = None
        self.helo_known: bool | None = None
        self.sender: bytes | None = None
        self.recipients: list[bytes] = []
        self.room_taken = 0
        self.recipient = self.claimed = b""
        self.size = 0
        self.signed = self.missing = False
        self.limit = 0
        self.message: Message | None = None

    def side(self, name: str) -> str:
        """The name of the setting of a pair that counts now: NAMEint for a client that may relay, else NAMEext (aio: ext and int)."""
        return name + ("ext" if self.relay is None else "int")

    def entry(self, check: str, subject: bytes) -> bytes:
        """What the log says of something that was refused (aio: Log lines)."""
        return check.encode() + b": <" + subject + b"> at " + self.client.ip

    def trust(self, user: bytes) -> None:
        """The client has proved to be this user: it may relay."""
        self.user = self.client.info = user
        self.relay = b""

    def begin_tls(self, tls: Secured) -> None:
        """The session is within TLS now: whatever was said in clear is forgotten, AUTH too (RFC 3207 section 4.2)."""
        self.tls, self.user, self.helo, self.helo_known = tls, None, None, None
        self.relay, self.client.info = self.introduced
        self.forget_transaction()

    def greet(self, name: bytes) -> None:
        """As after HELO: what was found out about another name is forgotten, and so is the transaction."""
        self.helo, self.helo_known = name, None
        self.forget_transaction()

    def forget_transaction(self) -> None:
        """As after RSET."""
        self.sender, self.recipients, self.room_taken = None, [], 0
        self.recipient, self.claimed, self.size = b"", b"", 0
        self.signed = self.missing = False
        self.limit, self.message = 0, None

    def accept_recipient(self, address: bytes) -> None:
        """Add an address to the envelope."""
        self.recipients.append(address)
        self.room_taken += len(address) + 48  # what a bytes object and its place in a list take


class Limits:
    """How much a session has taken of what it may (qmail-limits(7)).  It is all that is to be kept of it where the session goes on in another process.

    end       when it must be over, in seconds of the monotonic clock; None: there is no such time
    commands  that the client has given
    mistakes  commands, and messages, that were refused for good since a message was last accepted
    """

    __slots__ = ("end", "commands", "mistakes")

    def __init__(self, end: float | None = None, commands: int = 0, mistakes: int = 0) -> None:
        self.end, self.commands, self.mistakes = end, commands, mistakes

    def begin_command(self, values: Settings) -> Reply | None:
        """Count a command; the reply if it is one too many."""
        self.commands += 1
        limit = values.number("maxcommands")
        return reply.TOO_MANY_COMMANDS if limit and self.commands > limit else None

    def weigh(self, answer: Reply, values: Settings) -> Reply:
        """Count the reply to a command, or to a message: what the client is to hear.  What is refused for now is no mistake."""
        if answer.code < REFUSED:
            return answer
        self.mistakes += 1
        limit = values.number("maxerrors")
        return reply.TOO_MANY_ERRORS if limit and self.mistakes > limit else answer

    def weigh_message(self, answer: Reply, values: Settings) -> Reply:
        """The same for the reply to a message: a client that has sent one may make its mistakes anew."""
        if answer.code == GOOD:
            self.mistakes = 0
        return self.weigh(answer, values)
