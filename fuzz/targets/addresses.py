"""Addresses in MAIL and RCPT (text/address.py).

- Nothing is raised; an address is shorter than 900 bytes and has no NUL, CR or LF.
- A plain <address> is taken as it stands, and what follows > is what follows it.
- An address that is written out by the sending side (quoted) is read back as itself, and its literal is an address that a socket understands.
- SIZE is a number of at most 20 digits, whatever it says.
"""

from __future__ import annotations

import re
import socket

from qmailpy.smtp.server import announced
from qmailpy.text.address import LIMIT, domain, literal, parameters, path
from qmailpy.text.quote import quoted

from fuzz.promise import promise
from fuzz.worlds import FORBIDDEN

WORDS = (b"FROM:<", b"TO:<", b"> SIZE=", b" BODY=8BITMIME", b"@a,@b:", b'"', b"\\", b"@[127.0.0.1]", b"[IPv6:::1]", b"<>", b"a@b.example", b"x" * 900)
PLAIN = re.compile(rb"[^<]*<([A-Za-z0-9.]+@[A-Za-z0-9.]+)>(.*)", re.DOTALL)
HOST = re.compile(rb"[A-Za-z0-9.-]*")


def check(data: bytes) -> None:
    found = path(data)
    if found is not None:
        address, rest = found
        promise(len(address) < LIMIT and FORBIDDEN.isdisjoint(address), "no such address", address)
        promise(data.endswith(rest), "what follows is made up", rest)
        promise(0 <= announced(rest) < 10 ** 20, "no such size", rest)
        promise(all(name == name.upper() for name in parameters(rest)), "names in lower case", rest)
        host = domain(address)
        promise((host is None) == (b"@" not in address), "another domain", host)
        if host is not None and (ip := literal(host)) is not None and not host.startswith(b"[ipv6:"):
            socket.inet_pton(socket.AF_INET, ip)
        if address and not address.startswith(b"@") and (host is None or HOST.fullmatch(host)):
            promise(path(b"TO:<" + quoted(address) + b">") in ((address, b""), None), "it is read back as another one", address, quoted(address))
    plain = PLAIN.fullmatch(data)
    if plain is not None and len(plain[1]) < LIMIT:
        promise(found == (plain[1], plain[2]), "a plain address is another one", found)
