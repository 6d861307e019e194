"""A world for sessions that is made of dicts."""

from qmailpy.exits import Temporary
from qmailpy.settings.load import Values
from qmailpy.settings.table import ME, SETTINGS
from qmailpy.smtp.callback import LATER, Answer


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
    """Answers from what it is given.

    hosts, domains  the names that exist, and the domains that take mail; another name is a temporary failure if it begins with "broken."
    answers         {sender: Answer} of mail exchangers; they do not answer about others
    early           what the client says before the greeting
    env             variables

    `queued` is what was queued: (sender, recipients, message); `abandoned` counts what was given up; `done` is what was done else, in order.
    A pattern hits where it stands in the subject, whatever the case; a search for "endless" does not end.
    """

    def __init__(self, *, own=(), more=(), verdict="", broken=False, hosts=(), domains=(), answers=(), early=None, env=()):
        self.own, self.more, self.verdict, self.broken, self.queued, self.abandoned = own, more, verdict, broken, [], 0
        self.hosts, self.domains, self.answers, self.early, self.env = hosts, domains, dict(answers), early, dict(env)
        self.done = []

    def asked(self, word):
        """What was asked of one kind: "log" gives the lines, "pause" the seconds."""
        return [what for one, what in self.done if one == word]

    def variable(self, name):
        return self.env.get(name)

    def log(self, line):
        self.done.append(("log", line))

    def hear(self, seconds):
        self.done.append(("hear", seconds))
        return self.early

    def pause(self, seconds):
        self.done.append(("pause", seconds))

    def search(self, name, lines, subject):
        self.done.append(("search", name))
        if b"endless" in lines:
            raise Temporary("the search takes too long")
        return next((line for line in lines if line.lower() in subject.lower()), None)

    def exists(self, name):
        return self.look_up("exists", name, self.hosts)

    def takes_mail(self, domain):
        return self.look_up("takes_mail", domain, self.domains)

    def look_up(self, word, name, known):
        self.done.append((word, name))
        if name.startswith(b"broken."):
            raise Temporary("the DNS gives no answer")
        return name in known

    def call_back(self, sender, helo, timeout):
        self.done.append(("call_back", (sender, helo, timeout)))
        return self.answers.get(sender, Answer(LATER))

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
