"""The envelope sender as it is sent: with a tag by which its bounces are known (aio: BATV)."""

from __future__ import annotations

from qmailpy.text.address import domain
from qmailpy.text.batv import PREFIX, signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

UNSIGNED = b"sb*-"  # what a sender begins with who wants no tag
DOUBLE_BOUNCE = b"#@[]"  # a tag would hide that this must never bounce


def outgoing(sender: bytes, recipient: bytes, key: bytes, day: int, hosts: Container[bytes], domains: Container[bytes]) -> bytes:
    """The sender of a message whose first recipient is `recipient`.

    key      control/signkey; empty: nobody signs
    day      today (text/batv.py)
    hosts    nosignhosts: domains of recipients, in lower case
    domains  nosignmydoms: domains of senders, in lower case
    """
    if not key or sender in (b"", DOUBLE_BOUNCE) or sender.startswith(PREFIX):
        return sender
    if sender.startswith(UNSIGNED):
        return sender[len(UNSIGNED):]
    if domain(recipient) in hosts or domain(sender) in domains:
        return sender
    return signed(sender, key, day)
