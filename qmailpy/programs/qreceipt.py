"""qreceipt: from a .qmail file, answer a message that asks for a notice of its delivery.  See qreceipt(1)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Permanent, Temporary, Usage
from qmailpy.home import here
from qmailpy.queue.handover import queue_process
from qmailpy.text.header import AddressList, Unparsable, name, plain, tokens
from qmailpy.text.quote import quoted
from qmailpy.unix.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.text.header import Token

NOTICE = b"notice-requested-upon-delivery-to"
NEVER = (b"", b"#@[]")  # senders of bounces and double bounces


def asks(field: bytes, address: bytes) -> bool:
    """Whether a field names the address.  Raises Permanent if it cannot be parsed."""
    named = False

    def look(one: list[Token]) -> list[Token]:
        nonlocal named
        try:
            named = plain(one) == address or named
        except Unparsable:
            pass  # no envelope can hold it, so it is not ours
        return one

    try:
        AddressList(tokens(field), look).changed()
    except Unparsable:
        raise Permanent("unable to parse this: " + os.fsdecode(field.removesuffix(b"\n"))) from None
    return named


def request(message: Message, address: bytes) -> tuple[bool, bytes]:
    """Whether a message asks for a notice, and its Message-ID field.  Raises Permanent, Temporary."""
    wanted, identity = False, b""
    for field in message.fields():
        if name(field) == NOTICE:
            wanted = asks(field, address) or wanted
        elif name(field) == b"message-id":
            identity = field
    return wanted, identity


def notice(address: bytes, sender: bytes, identity: bytes) -> bytes:
    """The answer; `identity` is the Message-ID field of the message."""
    to = quoted(sender)
    return (b"From: DELIVERY NOTICE SYSTEM <%s>\nTo: <%s>\nSubject: success notice\n\n"
            b"Hi! This is the qreceipt program. Your message was delivered to the\nfollowing address: %s. Thanks for asking.\n"
            % (to, to, address)) + (b"Your " + identity if identity else b"")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) == 1 or "SENDER" not in env:
        raise Usage("qreceipt deliveryaddress")
    address, sender = os.fsencode(argv[1]), os.fsencode(env["SENDER"])
    wanted, identity = request(Message(0), address)
    if not wanted or sender in NEVER:
        return OK
    if b"\r" in sender or b"\n" in sender:
        raise Permanent("SENDER has a line break in it")
    queue = queue_process(here(), env)
    queue.put(notice(address, sender, identity))
    queue.envelope(b"")
    queue.recipient(sender)
    verdict = queue.close()
    if verdict.startswith("D"):
        raise Permanent("permanent qmail-queue error")
    if verdict:
        raise Temporary("temporary qmail-queue error")
    return OK
