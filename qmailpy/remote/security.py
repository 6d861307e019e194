"""How TLS is used with a server: control/tlshosts, notlshosts, tlsremote (aio: TLS in qmail-remote)."""

from __future__ import annotations

import errno
import os

from qmailpy.remote import report
from qmailpy.remote.report import Failed
from qmailpy.smtp.client import NEVER, OFFERED, ON, REQUIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

SMTPS_PORT = 465
SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")  # bytes of a name that may be a file's
NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


class Security:
    """How TLS is used with one server.

    tls     NEVER, OFFERED, REQUIRED or ON (smtp/client.py)
    demand  the file below the home that its certificate is verified with; "" if nobody asks for its certificate
    name    the server's, as the file has it; "" if the server has none that could be in a certificate
    """

    __slots__ = ("tls", "demand", "name")

    def __init__(self, tls: str, demand: str, name: str) -> None:
        self.tls, self.demand, self.name = tls, demand, name

    def required(self) -> bool:
        """Whether nothing may be said in clear."""
        return self.tls in (REQUIRED, ON)


def security(home: Home, host: bytes, port: int, tlsremote: bool) -> Security:
    """How TLS is used with a host.

    tlsremote  control/tlsremote: TLS where it is offered, unless a file says otherwise

    Raises Failed where it cannot be seen which files there are: then nobody knows whether the host may be talked to in clear.
    """
    names = list(file_names(host))
    wanted = next((name for name in names if exists(home, "tlshosts", name + ".pem")), "")
    demand = f"control/tlshosts/{wanted}.pem" if wanted else ""
    name = wanted or (names[0] if names else "")
    if port == SMTPS_PORT:
        return Security(ON, demand, name)
    if demand:
        return Security(REQUIRED, demand, name)
    if not tlsremote or exists(home, "tlshosts", "exhaustivelist") or any(exists(home, "notlshosts", name) for name in names):
        return Security(NEVER, "", name)
    return Security(OFFERED, "", name)


def file_names(host: bytes) -> Iterator[str]:
    """What files about a host may be called: its name in lower case, then as it is; none for a name that no file should have."""
    if host and not host.startswith(b".") and SAFE.issuperset(host):
        text = host.decode("ascii")
        yield text.lower()
        if text != text.lower():
            yield text


def exists(home: Home, *parts: str) -> bool:
    """Whether there is such a file in control, be it one that cannot be read, or a link to nothing.  Raises Failed."""
    try:
        os.lstat(home.at("control", *parts))
    except OSError as problem:
        if problem.errno in NO_SUCH_FILE:
            return False
        raise Failed(report.record(report.NO_CONTROLS)) from None
    return True
