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

    def abandon(self):
        self.world.abandoned += 1

    def close(self):
        if self.failed or self.sender is None:
            return "Zqq read error (#4.3.0)"
        if not self.world.verdict:
            self.world.queued.append((self.sender, self.recipients, self.message))
        return self.world.verdict


class FakeWorld:
    """Answers from what it is given; `queued` is what was queued: (sender, recipients, message); `abandoned` counts what was given up."""

    def __init__(self, *, own=(), more=(), verdict="", broken=False):
        self.own, self.more, self.verdict, self.broken, self.queued, self.abandoned = own, more, verdict, broken, [], 0

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
