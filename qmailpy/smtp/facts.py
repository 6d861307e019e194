"""What is known in a session when something has to be decided: the settings, the client, the transaction so far."""

from __future__ import annotations

from qmailpy.text.received import Client


class Rules:
    """The settings of a session, as loaded at its start.

    greeting       what this host calls itself
    local_ip_host  the name for an [own address]; None: such addresses are left alone
    bad_mail_from  refused senders, addresses and @domains in lower case
    rcpthosts      domains that mail is taken for, in lower case; None: all
    databytes      the largest message; 0: any
    relay          RELAYCLIENT: what is added to recipients of a client that may relay; None: it may not
    """

    __slots__ = ("greeting", "local_ip_host", "bad_mail_from", "rcpthosts", "databytes", "relay")

    def __init__(self, greeting: bytes = b"", local_ip_host: bytes | None = None, bad_mail_from: frozenset[bytes] = frozenset(),
                 rcpthosts: frozenset[bytes] | None = None, databytes: int = 0, relay: bytes | None = None) -> None:
        self.greeting, self.local_ip_host = greeting, local_ip_host
        self.bad_mail_from, self.rcpthosts = bad_mail_from, rcpthosts
        self.databytes, self.relay = databytes, relay


class Facts:
    """A session's state that checks look at.

    helo        the name in HELO or EHLO; None before that
    sender      of the transaction under way; None: no MAIL yet
    recipients  accepted so far, as they go into the envelope
    room_taken  bytes of memory that these take, about
    recipient   of the RCPT that is being judged
    size        that the client has announced with MAIL; 0: none
    """

    __slots__ = ("rules", "client", "helo", "sender", "recipients", "room_taken", "recipient", "size")

    def __init__(self, rules: Rules, client: Client) -> None:
        self.rules, self.client = rules, client
        self.helo: bytes | None = None
        self.sender: bytes | None = None
        self.recipients: list[bytes] = []
        self.room_taken = 0
        self.recipient = b""
        self.size = 0

    def forget_transaction(self) -> None:
        """As after RSET."""
        self.sender, self.recipients, self.room_taken, self.recipient, self.size = None, [], 0, b"", 0

    def accept_recipient(self, address: bytes) -> None:
        """Add an address to the envelope."""
        self.recipients.append(address)
        self.room_taken += len(address) + 48  # what a bytes object and its place in a list take
