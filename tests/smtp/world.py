"""A world for sessions that is made of dicts."""

from qmailpy.exits import Temporary
from qmailpy.settings.load import Values
from qmailpy.settings.table import ME, SETTINGS


def values(**given):
    """The settings of a home without control files, but for these; "_" stands for a dot in a name."""
    known = {name: setting.kind.absent if setting.default in (None, ME) else setting.default for name, setting in SETTINGS.items()}
    given = {name.replace("_", "."): value for name, value in given.items()}
    assert given.keys() <= known.keys()
    return Values({**known, **given})


class FakeQueue:
    """Keeps one message."""

    pid = 77

    def __init__(self, world):
        self.world, self.message, self.sender, self.recipients, self.failed = world, b"", None, [], False

    def put(self, data):
        assert self.sender is None
        self.message += data

    def fail(self):
        self.failed = True

    def envelope(self, sender):
        self.sender = sender

    def recipient(self, address):
        self.recipients.append(address)

    def close(self):
        if self.failed or self.sender is None:
            return "Zqq read error (#4.3.0)"
        if not self.world.verdict:
            self.world.queued.append((self.sender, self.recipients, self.message))
        return self.world.verdict


class FakeWorld:
    """Answers from what it is given.

    queued      what was queued: (sender, recipients, message)
    passwords   {what is handed over to the check program: whether that accepts it}; what is not there is its trouble
    tls         what a handshake brings about; None: it fails.  no_tls: why there can be none
    told        what happened, in order: ("log", line), ("pause", seconds), ("introduce", relay, info), ("check", what), ("tls",)
    """

    def __init__(self, *, own=(), more=(), verdict="", broken=False, passwords=None, tls=None, no_tls=""):
        self.own, self.more, self.verdict, self.broken, self.queued = own, more, verdict, broken, []
        self.passwords, self.tls, self.no_tls, self.told = passwords or {}, tls, no_tls, []

    def now(self):
        return 1000000000

    def is_own_address(self, address):
        return address in self.own

    def in_more_rcpthosts(self, name):
        if self.broken:
            raise Temporary("morercpthosts.cdb is damaged")
        return name in self.more

    def open_queue(self):
        if self.broken:
            raise Temporary("qqt failure")
        return FakeQueue(self)

    def log(self, line):
        self.told.append(("log", line))

    def pause(self, seconds):
        self.told.append(("pause", seconds))

    def stamp(self):
        return b"1234.1218446400"

    def authenticate(self, credentials):
        given = credentials.handed_over()
        self.told.append(("check", given))
        if given not in self.passwords:
            raise Temporary("problem with child")
        return self.passwords[given]

    def introduce(self, relay, info):
        self.told.append(("introduce", relay, info))

    def prepare_tls(self):
        return self.no_tls

    def start_tls(self):
        self.told.append(("tls",))
        return self.tls
