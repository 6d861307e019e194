"""UCSPI-TLS: a listener that does TLS for the program that it has started (sslserver and its like).

The program writes a byte to one descriptor, then reads from and writes to two others in clear, and the listener does the rest.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CONTROL, READ, WRITE = VARIABLES = ("SSLCTLFD", "SSLREADFD", "SSLWRITEFD")
REFUSED = "-"  # as UCSPITLS: not for this client
BEGIN = b"y"


def offered(env: Mapping[str, str]) -> bool:
    """Whether the listener does TLS for this client."""
    return env.get("UCSPITLS", REFUSED) != REFUSED and all(env.get(name, "").isdecimal() for name in VARIABLES)


def begin(env: Mapping[str, str], source: int, target: int) -> None:
    """Let TLS begin; `source` and `target` are within it from now on.  Raises OSError."""
    control, read, write = (int(env[name]) for name in VARIABLES)
    os.write(control, BEGIN)
    os.dup2(read, source)
    os.dup2(write, target)
