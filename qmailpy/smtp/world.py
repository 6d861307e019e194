"""What a session may ask of the world around it.  The session itself does no input or output."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

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
            """Whether this host has that IP address.  Raises Temporary."""

        def in_more_rcpthosts(self, name: bytes) -> bool:
            """Whether control/morercpthosts.cdb has that key.  Raises Temporary."""

        def open_queue(self) -> Queue:
            """Begin a message.  Raises Temporary."""
