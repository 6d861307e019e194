"""What qmail-remote prints: records ended by NUL, r, h or s for each recipient, then K, Z or D for the message (qmail-remote(8))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qmailpy.smtp.client import Reply, Verdict

NO_CONNECTION = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)"
NO_CONTROLS = "ZUnable to read control files. (#4.3.0)"
NO_RESOURCES = "ZSystem resources temporarily unavailable. (#4.3.0)"
BAD_OUTGOINGIP = "Zinvalid ipaddr in control/outgoingip (#4.3.0)"
UNREADABLE = "ZUnable to read message. (#4.3.0)"
SOFT_DNS = "ZSorry, I couldn't find any host by that name. (#4.1.2)"
NO_EXCHANGER = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)"
NULL_MX = "DSorry, that host does not accept mail. (#5.1.10)"
PARTIAL_LINE = "DSMTP cannot transfer messages with partial final lines. (#5.6.2)"
IMPROPER = "DI (qmail-remote) was invoked improperly. (#5.3.5)"
LINE_BREAK = "DSorry, that address has a line break in it. (#5.1.3)"
TOO_LATE = "ZSorry, this delivery takes too long. (#4.4.2)"
IMPROPER_QMTP = "ZRecipient did not talk proper QMTP (#4.3.0)"
LOOPS_BACK = ("DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
              "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)")


class Failed(Exception):
    """Nothing was sent; `record` says why."""

    def __init__(self, record: bytes) -> None:
        super().__init__(record)
        self.record = record


def record(text: str | bytes) -> bytes:
    """One record."""
    return (text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text) + b"\n\0"


def printable(name: bytes) -> bytes:
    """A host's name with its bytes made safe."""
    return bytes(byte if 33 <= byte <= 126 else 0x3F for byte in name)


def no_such_host(host: bytes) -> bytes:
    """The record for a name that does not exist."""
    return record(b"DSorry, I couldn't find any host named " + printable(host) + b". (#5.1.2)")


def no_password(host: bytes) -> bytes:
    """The record for a route that cannot be meant like that.  The user name is not told: it may be the password."""
    return record(b"ZRoute for " + printable(host) + b" has a user name but no password. (#4.3.5)")


def said(reply: Reply | None) -> bytes:
    """The server's own words."""
    return b"Remote host said: " + reply.text if reply is not None and reply.text else b""


def of_recipient(word: str, reply: Reply, address: str) -> bytes:
    """The record of one recipient."""
    if word == "r":
        return b"r\0"
    return word.encode() + address.encode() + b" does not like recipient.\n" + said(reply) + b"\0"


def of_message(verdict: Verdict, address: str, notes: Sequence[str] = ()) -> bytes:
    """The record of the message; `notes` stand at its end: it is all that an administrator gets to see."""
    text = f"{verdict.letter}{verdict.before}{address}{verdict.after}.\n".encode() + said(verdict.reply)
    if notes and not text.endswith(b"\n"):  # words that were cut
        text += b"\n"
    return text + "".join(f"({note})\n" for note in notes).encode() + b"\0"


def of_tls(text: str, begun: bool, address: str) -> bytes:
    """The record of a message that did not go out since there was no TLS, or none with the right server."""
    return record(f"Z{text}; {'connected' if begun else 'connecting'} to {address}.")


def of_qmtp_recipient(word: str, text: bytes, address: str) -> bytes:
    """The record of one recipient that a QMTP server has answered for: its answer without the letter."""
    if word == "r":
        return b"r\0"
    return f"{word}{address} does not like recipient.\n".encode() + said_by_qmtp(text) + b"\0"


def of_qmtp_message(taken: bytes | None, address: str) -> bytes:
    """The record of a message that went by QMTP; `taken`: the answer for a recipient who was accepted."""
    if taken is None:
        return record(f"DGiving up on {address}.")
    return f"K{address} accepted message.\n".encode() + said_by_qmtp(taken) + b"\0"


def said_by_qmtp(text: bytes) -> bytes:
    """The server's own words, as one record can hold them."""
    return b"Remote host said: " + text.replace(b"\0", b"?").rstrip(b"\r\n") + b"\n"


def dropped(address: str, critical: bool) -> bytes:
    """The record of a connection that died; critical: after the end of the message, so that it may have arrived."""
    duplicate = "Possible duplicate! " if critical else ""
    return record(f"ZConnected to {address} but connection died. {duplicate}(#4.4.2)")
