"""Delivery to other addresses: the message goes into the queue again (dot-qmail(5))."""

from __future__ import annotations

import os

from qmailpy.exits import Permanent, Temporary
from qmailpy.queue.client import QueueProcess
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qmailpy.home import Home


def deliver(home: Home, env: Mapping[str, str], head: bytes, message: int, sender: bytes, recipients: Iterable[bytes]) -> int:
    """Forward what descriptor `message` gives, behind `head`; the queue process's id.  Raises Permanent, Temporary."""
    try:
        queue = QueueProcess(home, env)
    except Temporary:
        raise Temporary("Unable to fork: temporary failure. (#4.3.0)") from None
    queue.put(head)
    try:
        while data := os.read(message, BLOCK):
            queue.put(data)
    except OSError:
        queue.fail()
    queue.envelope(sender)
    for recipient in recipients:
        queue.recipient(recipient)
    verdict = queue.close()
    if verdict:
        raise (Permanent if verdict.startswith("D") else Temporary)(f"Unable to forward message: {verdict[1:]}.")
    return queue.pid
