"""clamd's answers, and the address in control/clamd (text/clamd.py, unix/clamd.py).

- Nothing is raised but Temporary, with a printable reason.
- A message counts as clean only if clamd says OK; the name of a virus is printable and at most 100 bytes, and never empty where it says FOUND.
- The pieces change nothing; no more than 4096 bytes and a piece are kept.
"""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.text import clamd
from qmailpy.unix.clamd import ANSWER_LIMIT, hear

from fuzz.promise import deliveries, promise
from fuzz.targets.smtp_courier import Server

WORDS = (b"stream: OK\0", b"stream: Eicar FOUND\0", b" FOUND", b": ", b"UNKNOWN COMMAND\n", b"PORT 3310\n", b"INSTREAM size limit exceeded. ERROR\0",
         b"127.0.0.1:3310", b"[::1]:3310", b"OK")
ENOUGH = 60.0  # seconds


def check(data: bytes) -> None:
    ways = [heard(way) for way in deliveries(data)]
    if len(data) <= ANSWER_LIMIT:
        promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    line = ways[0]
    if isinstance(line, bytes):
        promise(b"\0" not in line and b"\n" not in line and data.startswith(line), "no such line", line)
        judged(line)
    judged(data)
    where = clamd.address(data)
    promise(where is None or (0 < where[1] < 65536 and where[0] != ""), "no such place", where)


def judged(answer: bytes) -> None:
    """What follows from an answer."""
    try:
        promise(0 < clamd.stream_port(answer) < 65536, "no such port", answer)
    except Temporary as problem:
        promise(problem.text.isprintable(), "not printable", problem.text)
    try:
        found = clamd.verdict(answer)
    except Temporary as problem:
        promise(problem.text.isprintable(), "not printable", problem.text)
        return
    promise(found is not None or answer.endswith(b": OK"), "clean, though it did not say so", answer)
    promise(found is None or (len(found) <= clamd.NAME_LIMIT and all(32 <= byte <= 126 for byte in found)), "no such name", found)


def heard(parts: list[bytes]) -> bytes | str:
    """The line that was heard; or why none was."""
    try:
        return hear(Server([part for part in parts if part]), ENOUGH)
    except Temporary as problem:
        return problem.text
