"""AUTH: how a client says who it is, for qmail-smtpd (RFC 4954, 4616, 2195; aio: Local SMTP AUTH).

An exchange takes the client's lines and gives the server's challenges; what it ends with goes to a checkpassword program.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Steps = Generator[bytes, bytes, "Credentials"]

ROOM = 512  # bytes that a checkpassword program must take; some take no more, and would see an end where there is none
DIGEST = 32  # hexadecimal digits of MD5
HEXADECIMAL = b"0123456789abcdefABCDEF"
NAME, PASSWORD = b"Username:", b"Password:"


class Malformed(Exception):
    """What the client says makes no sense."""


class Credentials:
    """What a client says: `name`, and what proves it, for a checkpassword program.  Nothing of this is to be shown to anybody."""

    __slots__ = ("name", "_secret", "_stamp")

    def __init__(self, name: bytes, secret: bytes, stamp: bytes = b"") -> None:
        if not name or not secret or b"\0" in name + secret:
            raise Malformed
        self.name, self._secret, self._stamp = name, secret, stamp
        if len(self.handed_over()) > ROOM:
            raise Malformed

    def handed_over(self) -> bytes:
        """The bytes for descriptor 3: name, password or response, and the challenge of CRAM-MD5."""
        return b"\0".join((self.name, self._secret, self._stamp, b""))


class Exchange:
    """One exchange.

    challenge    what the server asks next, in base64
    credentials  once the client has said everything; None before
    """

    __slots__ = ("challenge", "credentials", "_steps")

    def __init__(self, steps: Steps) -> None:
        self._steps, self.challenge = steps, b""
        self.credentials: Credentials | None = None
        self._go_on(None)

    def answer(self, line: bytes) -> None:
        """The client's answer, in base64.  Raises Malformed."""
        self._go_on(decoded(line))

    def _go_on(self, said: bytes | None) -> None:
        try:
            self.challenge = b2a_base64(next(self._steps) if said is None else self._steps.send(said), newline=False)
        except StopIteration as end:
            self.credentials = end.value


def begin(mechanism: bytes, initial: bytes, stamp: Callable[[], bytes]) -> Exchange | None:
    """The exchange of that mechanism; None: it is not known.  Raises Malformed.

    initial  what the client has said with AUTH, in base64; b"": nothing, "=": an empty word
    stamp    makes the challenge of CRAM-MD5, such as <1234.1000000000@mx.example>
    """
    mechanism = mechanism.upper()
    if mechanism == b"CRAM-MD5":
        if initial:
            raise Malformed  # the client cannot know yet what is asked
        return Exchange(cram_md5(stamp()))
    steps = {b"PLAIN": plain, b"LOGIN": login}.get(mechanism)
    if steps is None:
        return None
    return Exchange(steps(None if not initial else b"" if initial == b"=" else decoded(initial)))


def decoded(line: bytes) -> bytes:
    """What a line in base64 says.  Raises Malformed."""
    try:
        return a2b_base64(line, strict_mode=True)
    except Error:
        raise Malformed from None


def plain(initial: bytes | None) -> Steps:
    """All in one word: who one wants to be, which is not looked at, the name, the password."""
    word = initial if initial is not None else (yield b"")
    try:
        _, name, password = word.split(b"\0")
    except ValueError:
        raise Malformed from None
    return Credentials(name, password)


def login(initial: bytes | None) -> Steps:
    """The name, then the password."""
    name = initial if initial is not None else (yield NAME)
    if not name:
        raise Malformed  # before the password is asked for
    return Credentials(name, (yield PASSWORD))


def cram_md5(stamp: bytes) -> Steps:
    """The name, and a digest of the challenge under the password."""
    name, _, digest = (yield stamp).rpartition(b" ")
    if len(digest) != DIGEST or digest.strip(HEXADECIMAL):
        raise Malformed
    return Credentials(name, digest, stamp)
