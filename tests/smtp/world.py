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


class FakeScan:
    """Keeps what would go through clamd; `says` is the verdict, a str the reason why there is none."""

    def __init__(self, says):
        self.says, self.data, self.closed = says, b"", False

    def put(self, data):
        self.data += data

    def verdict(self):
        self.closed = True
        if isinstance(self.says, str):
            raise Temporary(self.says)
        return self.says

    def close(self):
        self.closed = True


class FakeWorld:
    """Answers from what it is given; `queued` is what was queued: (sender, recipients, message); `abandoned` counts what was given up.

    own, more   this host's addresses; the keys of morercpthosts.cdb
    verdict     of the queue program
    env         {name: value} of variables
    accounts    local parts that are somebody's; a str: why that cannot be found out
    tables      {name: keys} of the cdb files that are there; a str in the place of keys: why one cannot be read
    hosts, domains  the names that exist, the domains that take mail; about a name that begins with "broken." nobody can tell
    answers     {sender: Answer} of mail exchangers; they do not answer about others
    early       what the client says before the greeting
    programs    {RCPTCHECK: what it answers to (sender, recipient)}; a str: why it cannot be run
    scan        what clamd says of each message (FakeScan); `scans` are those that were begun
    passwords   {what is handed over to the check program: whether that accepts it}; what is not there is its trouble
    tls         what a handshake brings about; None: it fails.  no_tls: why there can be none
    done        what it was asked to do, in order; asked(word) gives what of it has that word

    A pattern hits where it stands in the subject, whatever the case; a search for "endless" does not end.
    """

    pid = 42

    def __init__(self, *, own=(), more=(), verdict="", broken=False, env=(), accounts=(), tables=None, programs=None, scan=None, now=1000000000,
                 hosts=(), domains=(), answers=(), early=None, passwords=None, tls=None, no_tls=""):
        self.own, self.more, self.verdict, self.broken, self.queued, self.abandoned = own, more, verdict, broken, [], 0
        self.env, self.accounts, self.tables, self.programs = dict(env), accounts, tables or {}, programs or {}
        self.scan, self.scans, self.time, self.done = scan, [], now, []
        self.hosts, self.domains, self.answers, self.early = hosts, domains, dict(answers), early
        self.passwords, self.tls, self.no_tls = passwords or {}, tls, no_tls
        self.told = set()

    def asked(self, word):
        return [what for one, what in self.done if one == word]

    @property
    def logged(self):
        return self.asked("log")

    @property
    def paused(self):
        return self.asked("pause")

    def now(self):
        return self.time

    def variable(self, name):
        return self.env.get(name)

    def log(self, line):
        self.done.append(("log", line))

    def log_once(self, line):
        if line not in self.told:
            self.told.add(line)
            self.log(line)

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

    def is_own_address(self, address):
        return address in self.own

    def in_more_rcpthosts(self, name):
        if self.broken:
            raise Temporary("morercpthosts.cdb is damaged")
        return name in self.more

    def has_account(self, local):
        self.done.append(("account", local))
        return local in known(self.accounts)

    def in_table(self, name, keys):
        self.done.append(("table", name))
        return None if name not in self.tables else not known(self.tables[name]).isdisjoint(keys)

    def ask_program(self, program, sender, recipient):
        self.done.append(("program", (program, sender, recipient)))
        found = self.programs[program]
        if isinstance(found, str):
            raise Temporary(found, "4.3.0")
        return found(sender, recipient) if callable(found) else found

    def open_queue(self):
        if self.broken:
            raise Temporary("qqt failure")
        return FakeQueue(self)

    def introduce(self, relay, info):
        self.done.append(("introduce", (relay, info)))

    def stamp(self):
        return b"1234.1218446400"

    def authenticate(self, credentials):
        given = credentials.handed_over()
        self.done.append(("check", given))
        if given not in self.passwords:
            raise Temporary("problem with child")
        return self.passwords[given]

    def prepare_tls(self):
        return self.no_tls

    def start_tls(self):
        self.done.append(("tls", self.tls))
        return self.tls

    def open_scan(self, address, seconds):
        self.done.append(("clamd", (address, seconds)))
        self.scans.append(FakeScan(self.scan))
        return self.scans[-1]


def known(things):
    """The things as a set; a str is trouble."""
    if isinstance(things, str):
        raise Temporary(things, "4.3.0")
    return set(things)
