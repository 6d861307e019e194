"""One delivery: the address, and all that programs and mailboxes are told of it (qmail-local(8), qmail-command(8))."""

from __future__ import annotations

import os

from qmailpy.text.mbox import from_line
from qmailpy.text.quote import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UNTOUCHED_SENDERS = (b"", b"#@[]")  # of bounces and double bounces: never the -owner of a list


class Delivery:
    """What qmail-local's arguments say.

    user, home, local, dash, extension, host, sender, default: as the arguments are called in qmail-local(8)
    new_sender  the sender of forwards; set once the -owner files were looked for
    """

    __slots__ = ("user", "home", "local", "dash", "extension", "host", "sender", "default", "new_sender", "now")

    def __init__(self, arguments: list[bytes], now: int) -> None:
        self.user, self.home, self.local, self.dash, self.extension, self.host, self.sender, self.default = arguments
        self.new_sender = self.sender
        self.now = now

    @property
    def recipient(self) -> bytes:
        """The address."""
        return self.local + b"@" + self.host

    @property
    def delivered_to(self) -> bytes:
        """The line that is put before the message, and by which a loop is seen."""
        return b"Delivered-To: " + self.recipient.replace(b"\n", b"_") + b"\n"

    @property
    def return_path(self) -> bytes:
        """The line that holds the sender."""
        return b"Return-Path: <" + quoted(self.sender).replace(b"\n", b"_") + b">\n"

    @property
    def from_line(self) -> bytes:
        """The line that begins an mbox entry."""
        return from_line(self.sender, self.now)

    @property
    def may_have_owner(self) -> bool:
        """Whether forwards may get the list's owner as sender."""
        return self.sender not in UNTOUCHED_SENDERS

    def variables(self, default: bytes | None) -> dict[str, str]:
        """The variables of programs.  `default`: what DEFAULT is; None: not set."""
        found = {
            "HOST": self.host, "HOME": self.home, "USER": self.user, "LOCAL": self.local, "RECIPIENT": self.recipient, "SENDER": self.sender,
            "NEWSENDER": self.new_sender, "DTLINE": self.delivered_to, "RPLINE": self.return_path, "UFLINE": self.from_line,
        }
        found |= zip(("EXT", "EXT2", "EXT3", "EXT4"), shorter_extensions(self.extension), strict=False)
        found |= zip(("HOST2", "HOST3", "HOST4"), shorter_hosts(self.host), strict=False)
        if default is not None:
            found["DEFAULT"] = default
        return {name: os.fsdecode(value) for name, value in found.items()}


def shorter_extensions(extension: bytes) -> Iterator[bytes]:
    """The extension, then what follows its first dash, its second, and so on."""
    while True:
        yield extension
        extension = extension.partition(b"-")[2]


def shorter_hosts(host: bytes) -> Iterator[bytes]:
    """The host up to its last dot, to the one before, and so on; without a dot, the host itself."""
    while True:
        before, dot, _ = host.rpartition(b".")
        host = before if dot else host
        yield host
