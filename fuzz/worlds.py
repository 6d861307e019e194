"""What sessions need around them, for one input: settings, a queue, a clamd, a world; nothing of it does input or output."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.settings.load import Values
from qmailpy.settings.table import ME, SETTINGS
from qmailpy.smtp.callback import LATER, Answer
from qmailpy.smtp.facts import Secured

from fuzz.promise import promise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qmailpy.smtp.auth import Credentials

NOW = 1000000000
DEFAULTS: dict[str, object] = {name: setting.kind.absent if setting.default in (None, ME) else setting.default for name, setting in SETTINGS.items()}
FORBIDDEN = frozenset(b"\0\r\n")  # no address in an envelope has any of these


def values(**given: object) -> Values:
    """The settings of a home without control files, but for these."""
    return Values({**DEFAULTS, **given})


class Queue:
    """Keeps one message, and holds its caller to the order of calls."""

    pid = 77

    def __init__(self, kept: list[tuple[bytes, list[bytes], bytes]]) -> None:
        self._kept = kept
        self._message: list[bytes] = []
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._failed = self.over = False

    def put(self, data: bytes) -> None:
        promise(self._sender is None and not self.over, "the message is over, and more of it comes", data)
        self._message.append(data)

    def fail(self) -> None:
        self._failed = True

    def envelope(self, sender: bytes) -> None:
        promise(self._sender is None and FORBIDDEN.isdisjoint(sender), "no such sender", sender)
        self._sender = sender

    def recipient(self, address: bytes) -> None:
        promise(self._sender is not None and FORBIDDEN.isdisjoint(address), "no such recipient", address)
        self._recipients.append(address)

    def close(self) -> str:
        self.over = True
        if self._failed or self._sender is None:
            return "Zqq read error (#4.3.0)"
        self._kept.append((self._sender, self._recipients, b"".join(self._message)))
        return ""

    def abandon(self) -> None:
        self.over = True


class Scan:
    """A clamd that finds nothing."""

    def put(self, data: bytes) -> None:
        pass

    def verdict(self) -> bytes | None:
        return None

    def close(self) -> None:
        pass


class World:
    """`queued` is what was queued: (sender, recipients, message); a queue that was opened is closed or given up (`all_over`)."""

    pid = 42

    def __init__(self) -> None:
        self.told: set[bytes] = set()
        self.queued: list[tuple[bytes, list[bytes], bytes]] = []
        self._queues: list[Queue] = []

    @property
    def all_over(self) -> bool:
        return all(queue.over for queue in self._queues)

    def now(self) -> int:
        return NOW

    def variable(self, name: str) -> str | None:
        return None

    def log(self, line: bytes) -> None:
        pass

    def log_once(self, line: bytes) -> None:
        self.told.add(line)

    def hear(self, seconds: int) -> bytes | None:
        return None

    def pause(self, seconds: int) -> None:
        pass

    def search(self, name: str, lines: list[bytes], subject: bytes) -> bytes | None:
        return next((line for line in lines if line in subject), None)

    def exists(self, name: bytes) -> bool:
        return self._known(name)

    def takes_mail(self, domain: bytes) -> bool:
        return self._known(domain)

    def _known(self, name: bytes) -> bool:
        if name.startswith(b"broken."):
            raise Temporary("the DNS gives no answer")
        return not name.startswith(b"no.")

    def call_back(self, sender: bytes, helo: bytes, timeout: int) -> Answer:
        return Answer(LATER)

    def is_own_address(self, address: str) -> bool:
        return address == "192.0.2.1"

    def in_more_rcpthosts(self, name: bytes) -> bool:
        return name == b"more.example"

    def has_account(self, local: bytes) -> bool:
        return not local.startswith(b"no")

    def in_table(self, name: bytes, keys: Sequence[bytes]) -> bool | None:
        return None

    def ask_program(self, program: str, sender: bytes, recipient: bytes) -> int:
        return 0

    def open_queue(self) -> Queue:
        self._queues.append(Queue(self.queued))
        return self._queues[-1]

    def introduce(self, relay: bytes | None, info: bytes | None) -> None:
        pass

    def stamp(self) -> bytes:
        return b"1234.1218446400"

    def authenticate(self, credentials: Credentials) -> bool:
        given = credentials.handed_over()
        promise(len(given) <= 512 and given.count(b"\0") == 3, "what a check program would misread", given)
        if credentials.name == b"broken":
            raise Temporary("problem with child")
        return credentials.name == b"good"

    def prepare_tls(self) -> str:
        return ""

    def start_tls(self) -> Secured | None:
        return Secured(b"CIPHER")

    def open_scan(self, address: bytes, seconds: int) -> Scan:
        return Scan()
