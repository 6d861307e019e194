"""The sending side of AUTH (RFC 4954; aio: smtproutes with user and password): CRAM-MD5, PLAIN, LOGIN.

Secrets travel alone in their lines, never behind a command that somebody might log or repeat; and what a server repeats
of them is told to nobody.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from qmailpy.smtp.client import Reply

    Refusal = tuple[str, Reply] | None  # where it was refused, in the word of a report, and the reply; None: it was not

IN_TLS, IN_CLEAR = (b"CRAM-MD5", b"PLAIN", b"LOGIN"), (b"CRAM-MD5", b"LOGIN", b"PLAIN")  # what is tried first
GO_ON, WELCOME = 334, 235
UNKNOWN = "no supported AUTH method found, continuing without authentication"
BLOCK = 64  # bytes: what MD5 takes at a time (RFC 2104)


class Login:
    """Who a server is to take us for, and the proof of it."""

    __slots__ = ("user", "password")

    def __init__(self, user: bytes, password: bytes) -> None:
        self.user, self.password = user, password


def log_in(login: Login, offered: Collection[bytes], encrypted: bool, notes: list[str]) -> Generator[bytes, Reply, Refusal]:
    """Yield what to send, get the reply to it; returns where it was refused, if it was.

    offered  the mechanisms that EHLO told, in upper case; where none is known, nothing is sent and `notes` gets a sentence
    """
    for mechanism in IN_TLS if encrypted else IN_CLEAR:
        if mechanism in offered:
            refused = yield from METHODS[mechanism](login.user, login.password)
            return None if refused is None else (refused[0], discreet(refused[1], login))
    notes.append(UNKNOWN)
    return None


def by_login(user: bytes, password: bytes) -> Generator[bytes, Reply, Refusal]:
    """LOGIN: the server asks for the one, then for the other."""
    for line, wanted, word in ((b"AUTH LOGIN", GO_ON, "AUTH LOGIN"), (encoded(user), GO_ON, "username"), (encoded(password), WELCOME, "password")):
        reply = yield line + b"\r\n"
        if reply.code != wanted:
            return word, reply
    return None


def by_plain(user: bytes, password: bytes) -> Generator[bytes, Reply, Refusal]:
    """PLAIN: both in one line (RFC 4616)."""
    for line, wanted in ((b"AUTH PLAIN", GO_ON), (plain(user, password), WELCOME)):
        reply = yield line + b"\r\n"
        if reply.code != wanted:
            return "AUTH PLAIN", reply
    return None


def plain(user: bytes, password: bytes) -> bytes:
    """What PLAIN sends."""
    return encoded(b"\0" + user + b"\0" + password)


def by_cram(user: bytes, password: bytes) -> Generator[bytes, Reply, Refusal]:
    """CRAM-MD5: proof that one knows the password, which itself is not sent (RFC 2195)."""
    reply = yield b"AUTH CRAM-MD5\r\n"
    challenge = decoded(reply.text[4:].strip()) if reply.code == GO_ON else None
    if challenge is not None:
        reply = yield encoded(user + b" " + hmac_md5(password, challenge)) + b"\r\n"
        if reply.code == WELCOME:
            return None
    return "AUTH CRAM-MD5", reply


METHODS = {b"LOGIN": by_login, b"PLAIN": by_plain, b"CRAM-MD5": by_cram}


def hmac_md5(key: bytes, text: bytes) -> bytes:
    """HMAC with MD5, in hex digits (RFC 2104).  Not the module hmac: it imports hashlib, which costs milliseconds and may be told to forbid MD5."""
    from _md5 import md5

    if len(key) > BLOCK:
        key = md5(key, usedforsecurity=False).digest()
    key = key.ljust(BLOCK, b"\0")
    inner = md5(bytes(byte ^ 0x36 for byte in key) + text, usedforsecurity=False).digest()
    outer: str = md5(bytes(byte ^ 0x5C for byte in key) + inner, usedforsecurity=False).hexdigest()
    return outer.encode()


def discreet(reply: Reply, login: Login) -> Reply:
    """The reply, without its words if they repeat the password in any form that it was sent in."""
    said = reply.text.lower()
    if any(form.lower() in said for form in (login.password, encoded(login.password), plain(login.user, login.password))):
        reply.text = b"%d (not shown, since it repeats what it was sent)\n" % reply.code
    return reply


def encoded(text: bytes) -> bytes:
    """Text in Base64, in one line."""
    from binascii import b2a_base64

    return b2a_base64(text, newline=False)


def decoded(text: bytes) -> bytes | None:
    """What Base64 stands for; None if it is none."""
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(text, strict_mode=True)
    except Error:
        return None
