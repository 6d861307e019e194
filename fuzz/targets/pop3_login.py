"""The first part of a POP3 session (pop3/login.py).

- Nothing is raised; every answer is a line that begins with +OK or -ERR and ends in CR LF, but for the list that CAPA gets.
- Credentials have no NUL, CR or LF in them: the program that checks them would read something else.
- Behind STLS nothing that comes in clear is heard.  The pieces change nothing.
"""

from __future__ import annotations

import re

from qmailpy.pop3.login import Login

from fuzz.promise import deliveries, number_of, promise

WORDS = (b"USER ", b"PASS ", b"APOP ", b"QUIT\r\n", b"NOOP\r\n", b"CAPA\r\n", b"STLS\r\n", b"USER a\r\nPASS b\r\n", b"APOP a 0123456789abcdef\r\n", b"\0",
         b"x" * 1000)
LONGEST = 16384
ANSWERS = re.compile(rb"(?:\+OK [^\r\n\0]*\r\n|-ERR [^\r\n\0]*\r\n|TOP\r\nUSER\r\nUIDL\r\nIMPLEMENTATION qmailpy\r\n(?:STLS\r\n)?\.\r\n)*")


def check(data: bytes) -> None:
    ways = [play(way, number_of(data) & 1) for way in deliveries(data)]
    promise(all(way == ways[0] for way in ways), "it depends on the pieces", *ways)
    said, credentials = ways[0]
    promise(b"begin TLS now" not in said or said.endswith(b"begin TLS now\r\n"), "it goes on in clear", said)
    promise(ANSWERS.fullmatch(said) is not None, "no such answers", said)
    if credentials:
        promise(not any(byte in one for one in credentials for byte in (b"\0", b"\n")), "what a check program would misread", credentials)


def play(parts: list[bytes], tls: int) -> tuple[bytes, tuple[bytes, bytes] | None]:
    """What is said, and the credentials."""
    login = Login(b"<1.2@x>", (lambda: True) if tls else None)
    said = [login.greeting()]
    for part in parts:
        if login.over or login.credentials:
            break
        said += login.feed(part)
    return b"".join(said), login.credentials
