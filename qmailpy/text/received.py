"""The Received field that a server adds (RFC 5321 section 4.4), with what strangers say made safe."""

from __future__ import annotations

from qmailpy.text.date import rfc822

SAFE = b".@%+/=:-[]abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TO_SAFE = bytes(byte if byte in SAFE else 0x3F for byte in range(256))


def safe(text: bytes) -> bytes:
    """`text` with every byte that could end a word, a comment or a line replaced by a question mark."""
    return text.translate(TO_SAFE)


class Client:
    """Who connects: what the listener found out, by the names of its variables (tcp-environ(5)); "unknown" where it did not."""

    __slots__ = ("ip", "host", "info", "local")

    def __init__(self, ip: bytes = b"unknown", host: bytes = b"unknown", info: bytes | None = None, local: bytes = b"unknown") -> None:
        self.ip, self.host, self.info, self.local = ip, host, info, local


def protocol(cipher: bytes | None, *, authenticated: bool = False, vouched: bytes | None = None) -> bytes:
    """What stands behind "with" for a message by SMTP (RFC 3848; aio: TLS in qmail-smtpd).

    cipher   in use; None: the session is in clear; b"": its name is not known
    vouched  the address in the client's certificate that let it relay
    """
    if cipher is None:
        return b"ESMTPA" if authenticated else b"SMTP"
    notes = [(cipher + b" encrypted").lstrip(), *([b"authenticated"] if authenticated else [])]
    word = b"ESMTPSA" if authenticated else b"ESMTPS"
    return word + b" (" + b", ".join(notes) + b")" + (b"" if vouched is None else b"\n  (cert " + safe(vouched) + b")")


def received(protocol: bytes, client: Client, helo: bytes | None, now: int) -> bytes:
    """The field.  `helo`: what the client calls itself, if that is not what it is called anyway; `now`: seconds since 1970."""
    called = b"" if helo is None else b" (HELO " + safe(helo) + b")"
    user = b"" if client.info is None else safe(client.info) + b"@"
    return (b"Received: from " + safe(client.host) + called + b" (" + user + safe(client.ip) + b")\n"
            b"  by " + safe(client.local) + b" with " + protocol + b"; " + rfc822(now) + b"\n")
