"""What a session may ask of the world around it.  The session itself does no input or output."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from qmailpy.smtp.auth import Credentials
    from qmailpy.smtp.facts import Secured

    class Queue(Protocol):
        """A message on its way into the queue (queue/client.py)."""

        pid: int

        def put(self, data: bytes) -> None:
            """Add bytes of the message."""

        def fail(self) -> None:
            """Have the message refused."""

        def envelope(self, sender: bytes) -> None:
            """End the message; the envelope begins."""

        def recipient(self, address: bytes) -> None:
            """Add a recipient."""

        def close(self) -> str:
            """"" if it is queued; else "D..." or "Z..." and why not."""

    class World(Protocol):
        """Everything outside the dialogue."""

        def now(self) -> int:
            """Seconds since 1970."""

        def is_own_address(self, address: str) -> bool:
            """Whether this host has that IP address."""

        def in_more_rcpthosts(self, name: bytes) -> bool:
            """Whether control/morercpthosts.cdb has that key.  Raises Temporary."""

        def open_queue(self) -> Queue:
            """Begin a message.  Raises Temporary."""

        def log(self, line: bytes) -> None:
            """Tell the administrator."""

        def pause(self, seconds: int) -> None:
            """Send the replies so far, then wait."""

        def stamp(self) -> bytes:
            """Two numbers and a dot, which no other session has at the same time."""

        def authenticate(self, credentials: Credentials) -> bool:
            """Whether they are right.  Raises Temporary where that cannot be found out."""

        def introduce(self, relay: bytes | None, info: bytes | None) -> None:
            """What RELAYCLIENT and TCPREMOTEINFO say to the programs that are run from now on; None: they are not set."""

        def prepare_tls(self) -> str:
            """Get ready for a handshake; why there can be none, or ""."""

        def start_tls(self) -> Secured | None:
            """Send the replies so far, then TLS begins; None: it has failed, and nothing more can be said."""
