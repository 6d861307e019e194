"""What a session may ask of the world around it.  The session itself does no input or output."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from qmailpy.smtp.auth import Credentials
    from qmailpy.smtp.callback import Answer
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

        def abandon(self) -> None:
            """Give it up in the middle: nothing is queued."""

    class Scan(Protocol):
        """A message on its way through clamd (unix/clamd.py)."""

        def put(self, data: bytes) -> None:
            """Add bytes of the message."""

        def verdict(self) -> bytes | None:
            """End the message: the name of the virus in it, None if there is none.  Raises Temporary, with the reason, if clamd cannot tell."""

        def close(self) -> None:
            """Give it up; it may have ended."""

    class World(Protocol):
        """Everything outside a dialogue by which mail comes in.  `pid` is what log lines tell this process by; `told` are the lines of log_once so far."""

        pid: int
        told: set[bytes]

        def now(self) -> int:
            """Seconds since 1970."""

        def variable(self, name: str) -> str | None:
            """A variable of the environment; None: it is not set."""

        def log(self, line: bytes) -> None:
            """Tell the administrator; whatever bytes there are, it is one line."""

        def log_once(self, line: bytes) -> None:
            """The same, unless this session has told that line before."""

        def is_own_address(self, address: str) -> bool:
            """Whether this host has that IP address.  Raises Temporary."""

        def in_more_rcpthosts(self, name: bytes) -> bool:
            """Whether control/morercpthosts.cdb has that key.  Raises Temporary."""

        def has_account(self, local: bytes) -> bool:
            """Whether mail for a local part is delivered to anybody here.  Raises Temporary, with the text of a reply."""

        def in_table(self, name: bytes, keys: Sequence[bytes]) -> bool | None:
            """Whether a cdb file of the home has one of the keys; None if the file is not there.  Raises Temporary, with the text of a reply."""

        def open_queue(self) -> Queue:
            """Begin a message.  Raises Temporary."""

        def introduce(self, relay: bytes | None, info: bytes | None) -> None:
            """What RELAYCLIENT and TCPREMOTEINFO say to the programs that are run from now on; None: they are not set."""

    class SmtpWorld(World, Protocol):
        """And what only SMTP asks."""

        def hear(self, seconds: int) -> bytes | None:
            """What the client says within so many seconds; b"" if it hangs up, None if it waits."""

        def pause(self, seconds: int) -> None:
            """Send the replies to earlier commands, then do nothing for so many seconds."""

        def search(self, name: str, lines: list[bytes], subject: bytes) -> bytes | None:
            """The first line of a list of patterns that hits; `name` is the list's.  Raises Temporary."""

        def exists(self, name: bytes) -> bool:
            """Whether a name has an A, AAAA or MX record.  Raises Temporary."""

        def takes_mail(self, domain: bytes) -> bool:
            """Whether a domain has mail exchangers or addresses, and does not say that it takes no mail.  Raises Temporary."""

        def call_back(self, sender: bytes, helo: bytes, timeout: int) -> Answer:
            """Ask a mail exchanger of its domain whether it takes mail for that address; `timeout` seconds for each step."""

        def stamp(self) -> bytes:
            """Two numbers and a dot, which no other session has at the same time."""

        def authenticate(self, credentials: Credentials) -> bool:
            """Whether they are right.  Raises Temporary where that cannot be found out."""

        def prepare_tls(self) -> str:
            """Get ready for a handshake; why there can be none, or ""."""

        def start_tls(self) -> Secured | None:
            """Send the replies so far, then TLS begins; None: it has failed, and nothing more can be said."""

        def ask_program(self, program: str, sender: bytes, recipient: bytes) -> int:
            """Run a program of RCPTCHECK's: its exit status, or minus the signal that ended it.  Raises Temporary, with the text of a reply."""

        def open_scan(self, address: bytes, seconds: int) -> Scan:
            """Begin to pass a message through the clamd at address:port, each step within so many seconds."""
