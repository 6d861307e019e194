"""An administrator's words for ciphers, as OpenSSL understands them (aio: TLS in qmail-smtpd; openssl-ciphers(1))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT = b"DEFAULT"
LEVEL = b"@SECLEVEL="


class Ciphers:
    """What the words mean.

    older  the list for TLS 1.2 and before; b"": no word was about these
    newer  the suites of TLS 1.3; b"": the library's own
    level  the security level that the words set; None: the library's own
    """

    __slots__ = ("older", "newer", "level")

    def __init__(self, older: bytes, newer: bytes, level: int | None) -> None:
        self.older, self.newer, self.level = older, newer, level

    @property
    def weak(self) -> bool:
        """Whether they ask for what the library refuses by itself: short keys, TLS before 1.2."""
        return self.level == 0


def ciphers(lines: Iterable[bytes]) -> Ciphers:
    """The lines' words; with no word at all, the library's default."""
    words = [word for word in b":".join(lines).replace(b",", b":").replace(b";", b":").replace(b" ", b":").split(b":") if word]
    newer = [word for word in words if word.startswith(b"TLS_")]
    older = [word for word in words if word not in newer]
    levels = [word.partition(LEVEL)[2] for word in older if LEVEL in word]
    digits = levels[-1] if levels else b""
    if not words or (older and all(word.startswith(LEVEL) for word in older)):
        older.insert(0, DEFAULT)
    return Ciphers(b":".join(older), b":".join(newer), int(digits) if digits.isdigit() and len(digits) == 1 else None)
