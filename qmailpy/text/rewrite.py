"""What qmail-inject makes of a header: addresses completed, fields added and removed, recipients found (qmail-header(5))."""

from __future__ import annotations

from qmailpy.text.date import rfc822, stamp
from qmailpy.text.header import (
    AT, ATOM, COLON, COMMENT, DOT, LEFT, LITERAL, QUOTED, RIGHT, AddressList, Unparsable, field, name, plain, tokens,
)
from qmailpy.text.quote import needs_quotes, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qmailpy.text.header import Token

VERP = b"-@[]"  # after a sender: put each recipient into the sender of its copy (addresses(5))
NOBODY = b"Cc: recipient list not shown: ;\n"

TO_CC = (b"to", b"cc")
BLIND = (b"bcc", b"apparently-to")
RESENT_TO = (b"resent-to", b"resent-cc", b"resent-bcc")
SENDERS = (b"sender", b"from", b"reply-to", b"return-receipt-to", b"errors-to", b"resent-sender", b"resent-from", b"resent-reply-to")
RESENT = (*RESENT_TO, b"resent-sender", b"resent-from", b"resent-reply-to", b"resent-date", b"resent-message-id")
REMOVED = (b"bcc", b"resent-bcc", b"return-path", b"content-length")


def one_line(value: bytes) -> bytes:
    """A value from outside as part of one line: CR and LF become blanks, so that it cannot begin a line of its own."""
    return value.replace(b"\r", b" ").replace(b"\n", b" ")


class Hosts:
    """The host names that addresses are completed with.  Raises Unparsable for a name that makes no sense.

    default  added to addresses without a host
    domain   added to host names without a dot
    plus     added to host names that end with +, in its place
    """

    __slots__ = ("default", "domain", "plus")

    def __init__(self, default: bytes, domain: bytes, plus: bytes) -> None:
        self.domain = tokens(b"." + one_line(domain))
        self.default = tokens(b"@" + one_line(default))
        self.plus = tokens(b"." + one_line(plus))

    def complete(self, address: list[Token]) -> list[Token]:
        """An address with a full host name, without source route; <> and <box@[]> stay."""
        if not address or address[-2:] == [AT, (LITERAL, b"")]:
            return address
        if address[0] == AT:  # a source route
            address = address[address.index(COLON) + 1:] if COLON in address else []
        for stray in (DOT, AT):
            if address and address[-1] == stray:
                address = address[:-1]
        if not address:
            return []
        if AT not in address:
            address = address + self.default
        kind, text = address[-1]
        if kind == ATOM and text.endswith(b"+"):
            address = [*address[:-1], (kind, text[:-1]), *self.plus]
        return address if dotted(address) else address + self.domain


def dotted(address: list[Token]) -> bool:
    """Whether the host name has a dot or is a literal."""
    for token in reversed(address):
        if token == AT:
            break
        if token == DOT or token[0] == LITERAL:
            return True
    return False


class Author:
    """Who writes, for a From field or a sender that the message itself does not give.

    user, host    his address; host None: the default host
    name          his name, or None; commented: write it behind the address, as a comment
    sender_user, sender_host   the envelope sender
    mark          put behind sender_user, for a VERP of each message; b"" for none
    verp          give each recipient's copy a sender of its own
    """

    __slots__ = ("user", "host", "name", "commented", "sender_user", "sender_host", "mark", "verp")

    def __init__(self, user: bytes, host: bytes | None, full_name: bytes | None) -> None:
        self.user, self.host, self.name, self.commented = user, host, full_name, False
        self.sender_user, self.sender_host, self.mark, self.verp = user, host, b"", False

    def from_field(self) -> bytes:
        """The From field, its address not yet completed."""
        user = one_line(self.user)
        address: list[Token] = [(QUOTED if needs_quotes(user) else ATOM, user), *at_host(self.host)]
        if self.name is not None:
            full_name = one_line(self.name)
            address = [*address, (COMMENT, full_name)] if self.commented else [(QUOTED, full_name), LEFT, *address, RIGHT]
        return field([(ATOM, b"From"), COLON, *address])

    def return_path(self) -> bytes:
        """The envelope sender as a Return-Path field, its address not yet completed."""
        user = one_line(self.sender_user) + self.mark + (b"-" if self.verp else b"")
        return field([(ATOM, b"Return-Path"), COLON, (QUOTED, user), *at_host(self.sender_host)])


def at_host(host: bytes | None) -> list[Token]:
    """What goes behind a user name."""
    return [] if host is None else [AT, (ATOM, one_line(host))]


class Header:
    """Takes the fields of a message one by one and gives the header that is sent, and its recipients.

    drop  names of fields to throw away unseen

    `sender` is None until something has said who it is.
    """

    def __init__(self, hosts: Hosts, author: Author, *, drop: Collection[bytes] = ()) -> None:
        self.sender: bytes | None = None
        self.to_cc: list[bytes] = []
        self._hosts, self._author, self._drop = hosts, author, drop
        self._recipients: dict[bool, list[bytes]] = {False: [], True: []}  # by whether the field is a Resent one
        self._unparsable: dict[bool, bytes] = {}
        self._kept: list[bytes] = []
        self._seen: set[bytes] = set()

    @property
    def resent(self) -> bool:
        """Whether the message is sent on by somebody else than its author."""
        return not self._seen.isdisjoint(RESENT)

    def take(self, line: bytes) -> None:
        """Take one field with its continuation lines.  Raises Unparsable, with the line, where the field must be understood."""
        kind = name(line)
        if kind in self._drop:
            return
        self._seen.add(kind)
        try:
            line = self._rewritten(kind, line)
        except Unparsable:
            if kind not in TO_CC + BLIND + RESENT_TO:
                raise Unparsable(line) from None
            self._unparsable.setdefault(kind in RESENT_TO, line)
        if kind not in REMOVED:
            self._kept.append(line)

    def recipients(self) -> list[bytes]:
        """The addresses that the header names as recipients.  Raises Unparsable, with the line, if it is not certain who they are."""
        if self.resent in self._unparsable:
            raise Unparsable(self._unparsable[self.resent])
        return self._recipients[self.resent]

    def fields(self, now: int, pid: int, id_host: bytes, lists: Collection[bytes] | None) -> bytes:
        """The header as it is sent, the missing fields first.

        now, pid  of this run, for Date and Message-ID
        id_host   the host name in Message-ID
        lists     addresses of mailing lists, in lower case: mail to one of them gets a Mail-Followup-To field
        """
        prefix = b"Resent-" if self.resent else b""
        have = {kind[len(prefix):] for kind in self._seen if kind.startswith(prefix.lower())}
        added = []
        if b"date" not in have:
            added.append(b"Date: %s\n" % rfc822(now))
        if b"message-id" not in have:
            added.append(b"Message-ID: <%s.%d.qmail@%s>\n" % (stamp(now), pid, one_line(id_host)))
        if b"from" not in have:
            added.append(self._changed(self._author.from_field(), self._hosts.complete))
        if have.isdisjoint(TO_CC):
            added.append(NOBODY)
        follow_up = b"" if prefix or not lists else self._follow_up(lists)
        return b"".join([*(prefix + line for line in added), follow_up, *self._kept])

    def envelope_sender(self) -> bytes:
        """The sender: as given, or from a Return-Path field, or the author's address."""
        if self.sender is None:
            self._changed(self._author.return_path(), self._sender_too)
        return self.sender or b""

    def _rewritten(self, kind: bytes, line: bytes) -> bytes:
        if kind in SENDERS:
            return self._changed(line, self._hosts.complete)
        if kind in TO_CC + BLIND + RESENT_TO:
            return self._changed(line, lambda address: self._recipient_too(kind, address))
        if kind == b"return-path":
            return self._changed(line, self._sender_too)
        return line

    def _changed(self, line: bytes, change: Callable[[list[Token]], list[Token]]) -> bytes:
        # Without its newline, a backslash at the end cannot carry it into an address.
        try:
            return field(AddressList(tokens(line.removesuffix(b"\n")), change).changed())
        except Unparsable:
            raise Unparsable(line) from None

    def _recipient_too(self, kind: bytes, address: list[Token]) -> list[Token]:
        address = self._hosts.complete(address)
        recipient = plain(address)
        self._recipients[kind in RESENT_TO].append(recipient)
        if kind in TO_CC:
            self.to_cc.append(recipient)
        return address

    def _sender_too(self, address: list[Token]) -> list[Token]:
        address = self._hosts.complete(address)
        if self.sender is None:
            self.sender = plain(address) + (VERP if self._author.verp else b"")
        return address

    def _follow_up(self, lists: Collection[bytes]) -> bytes:
        """Mail-Followup-To with every address of To and Cc, if one of them is a list's."""
        if b"mail-followup-to" in self._seen or not any(address.lower() in lists for address in self.to_cc):
            return b""
        return b"Mail-Followup-To: %s\n" % b",\n  ".join(quoted(address) for address in reversed(self.to_cc))
