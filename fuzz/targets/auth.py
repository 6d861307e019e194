"""AUTH, both sides (smtp/auth.py, smtp/login_client.py).

- The server's side raises Malformed and nothing else; credentials fit into 512 bytes and have three NULs.
- The sending side, whatever a server answers, sends lines of Base64 that end in CR LF, never the password in clear, and shows nobody the password
  that a server repeats.
"""

from __future__ import annotations

from binascii import a2b_base64

from qmailpy.smtp import auth
from qmailpy.smtp.client import ReplyReader, TooLong
from qmailpy.smtp.login_client import Login, encoded, log_in

from fuzz.promise import number_of, promise

WORDS = (b"PLAIN", b"LOGIN", b"CRAM-MD5", b"=", b"*", b"AGdvb2QAeA==", b"334 ", b"235 ok\r\n", b"334 PDEyMzQ+\r\n", b"535 no\r\n", b"secret pass",
         encoded(b"secret pass"), b"334-x\r\n")
PASSWORD = b"secret pass"


def check(data: bytes) -> None:
    mechanism, _, rest = data.partition(b" ")
    initial, *lines = rest.split(b"\n")
    served(mechanism, initial, lines)
    sent(data)


def served(mechanism: bytes, initial: bytes, lines: list[bytes]) -> None:
    """The server's side."""
    try:
        exchange = auth.begin(mechanism, initial, lambda: b"<1.2@x>")
        for line in lines if exchange else ():
            assert exchange
            if exchange.credentials is not None:
                break
            promise(b"\n" not in exchange.challenge, "a challenge of two lines", exchange.challenge)
            exchange.answer(line)
    except auth.Malformed:
        return
    if exchange and exchange.credentials:
        given = exchange.credentials.handed_over()
        promise(len(given) <= auth.ROOM and given.count(b"\0") == 3 and exchange.credentials.name != b"", "what a check program would misread", given)


def sent(data: bytes) -> None:
    """The sending side, given these bytes of a server."""
    replies, notes = ReplyReader(), list[str]()
    kind = number_of(data)
    offered = [name for bit, name in enumerate((b"PLAIN", b"LOGIN", b"CRAM-MD5")) if kind >> bit & 1]
    steps = log_in(Login(b"me", PASSWORD), offered, bool(kind & 8), notes)
    try:
        replies.feed(data)
        line = next(steps)
        while (reply := replies.next_reply()) is not None:
            promise(line.endswith(b"\r\n") and line.count(b"\n") == 1 and PASSWORD not in line, "no such line", line)
            if not line.startswith(b"AUTH "):
                a2b_base64(line.strip(), strict_mode=True)
            line = steps.send(reply)
    except TooLong:
        pass
    except StopIteration as end:
        if end.value is not None:
            shown = end.value[1].text
            promise(PASSWORD not in shown and encoded(PASSWORD) not in shown, "the password is shown", shown)
