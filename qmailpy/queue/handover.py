"""Queue a message that is on a descriptor, for the programs that forward from .qmail files."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import Permanent, Temporary
from qmailpy.queue.client import QueueProcess
from qmailpy.unix.fds import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qmailpy.home import Home


def variable(env: Mapping[str, str], name: str) -> bytes:
    """A variable that qmail-local sets (qmail-command(8)).  Raises Permanent if it is missing."""
    if name not in env:
        raise Permanent(f"{name} not set")
    return os.fsencode(env[name])


def queue_process(home: Home, env: Mapping[str, str]) -> QueueProcess:
    """A queue program that waits for a message.  Raises Temporary."""
    try:
        return QueueProcess(home, env)
    except Temporary as problem:
        cause = problem.__cause__
        raise Temporary(f"unable to fork: {wording(cause.errno if isinstance(cause, OSError) else None)}") from None


def hand_over(home: Home, env: Mapping[str, str], head: bytes, source: int, sender: bytes, recipients: Iterable[bytes]) -> int:
    """Queue `head` and what descriptor `source` gives; what logs call "qp".  Raises Permanent or Temporary with the reason."""
    queue = queue_process(home, env)
    queue.put(head)
    try:
        while data := os.read(source, BLOCK):
            queue.put(data)
    except OSError as problem:
        queue.fail()
        queue.close()
        raise Temporary(f"unable to read message: {wording(problem.errno)}") from None
    queue.envelope(sender)
    for recipient in recipients:
        queue.recipient(recipient)
    verdict = queue.close()
    if verdict:
        raise (Permanent if verdict.startswith("D") else Temporary)(verdict[1:])
    return queue.pid
