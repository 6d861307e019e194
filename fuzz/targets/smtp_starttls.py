"""STARTTLS in a session.

- What a client sends in clear behind STARTTLS, in the same piece, has no effect: no reply, no message.
- After the handshake everything said before is forgotten: no transaction, no user.
"""

from __future__ import annotations

from qmailpy.smtp.server import Session
from qmailpy.text.received import Client

from fuzz import replies
from fuzz.promise import number_of, promise
from fuzz.worlds import World, values

WORDS = (b"STARTTLS\r\n", b"EHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@ours.example>\r\n", b"DATA\r\n", b"\r\n.\r\n",
         b"AUTH PLAIN AGdvb2QAeA==\r\n", b"starttls\n")


def check(data: bytes) -> None:
    world = World()
    session = Session(values(**{"rcpthosts": frozenset([b"ours.example"]), "servercert.pem": True, "secauthext": bool(number_of(data) & 1)}),
                      Client(ip=b"192.0.2.7"), world, auth_host=b"mx.example")
    before, mark, behind = data.partition(b"STARTTLS\r\n")
    said = b"".join(session.feed(before + mark + behind))
    codes = replies.smtp(said)
    if session.facts.tls is not None and session.closing is None and codes[-1] == 220:
        promise(session.facts.sender is None and session.facts.user is None and session.facts.helo is None and not session.facts.recipients,
                "it remembers what was said in clear")
        answer = replies.smtp(b"".join(session.feed(b"RCPT TO:<c@ours.example>\r\n")))
        promise(answer == [503], "a transaction has come through the handshake", answer)
        promise(replies.smtp(b"".join(session.feed(b"STARTTLS\r\n"))) == [502], "TLS within TLS")
    session.abandon()
    promise(world.all_over, "a queue is left open")
