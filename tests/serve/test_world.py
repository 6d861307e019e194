"""The world of a server's session, and what listeners say of a client."""

import os
import threading
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.serve import world as worlds
from qmailpy.serve.world import SmtpWorld, World, client, relay
from qmailpy.smtp.auth import Credentials
from qmailpy.smtp.callback import LATER, OURS
from qmailpy.unix import resolver
from qmailpy.unix.cdb import write
from qmailpy.unix.connection import Connection
from qmailpy.unix.signals import Late, deadline, too_late
from tests.checkout import LittleHome
from tests.clamdserver import VIRUS, Clamd
from tests.dnsserver import DnsServer
from tests.smtp.world import values


@pytest.mark.parametrize(("env", "found"), [
    ({}, (b"unknown", b"unknown", b"unknown", None)),
    ({"TCPREMOTEIP": "192.0.2.7", "TCPREMOTEHOST": "h", "TCPLOCALHOST": "l", "TCPLOCALIP": "192.0.2.1", "TCPREMOTEINFO": "i"}, (b"192.0.2.7", b"h", b"l", b"i")),
    ({"TCPLOCALIP": "192.0.2.1", "TCPREMOTEHOST": "\udcff"}, (b"unknown", b"\xff", b"192.0.2.1", None)),
])
def test_client(env, found):
    who = client(env)
    assert (who.ip, who.host, who.local, who.info) == found


@pytest.mark.parametrize(("env", "found"), [({}, None), ({"RELAYCLIENT": ""}, b""), ({"RELAYCLIENT": "@x"}, b"@x")])
def test_relay(env, found):
    assert relay(env) == found


def test_the_world(tmp_path):
    home = LittleHome(tmp_path)
    world = World(Home(str(tmp_path)), {"QMAILQUEUE": str(home.recorder)})
    assert world.now() > 1700000000
    assert world.is_own_address("127.0.0.1")
    assert not world.is_own_address("192.0.2.77")
    assert not world.in_more_rcpthosts(b"x.example")
    home.control(morercpthosts="x.example\n")
    home.run("qmail-newmrh")
    assert world.in_more_rcpthosts(b"x.example")
    queue = world.open_queue()
    queue.put(b"x")
    queue.envelope(b"a")
    queue.recipient(b"b")
    assert queue.close() == ""
    assert home.queued() == (b"x", b"Fa\0Tb\0\0")


def test_lines_in_the_log_are_printable_and_have_the_programs_name(capfd):
    world = World(Home("/"), {}, "qmail-qmtpd")
    world.log(b"a\nb\xe9\0c")
    for _ in range(3):
        world.log_once(b"once")
    world.log_once(b"twice")
    assert capfd.readouterr().err == "qmail-qmtpd: a?b??c\nqmail-qmtpd: once\nqmail-qmtpd: twice\n"


def test_a_log_that_is_the_clients_connection_stays_empty(capfd):
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        World(Home("/"), {}).log(b"x")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert capfd.readouterr().err == ""


def test_a_pause_lets_the_client_read_first(tmp_path):
    source, target = os.pipe()
    connection = Connection(0, target, 5)
    connection.say(b"250 ok")
    world, begin = SmtpWorld(Home(str(tmp_path)), {}, connection, values()), time.monotonic()
    pausing = threading.Thread(target=world.pause, args=(1,))
    pausing.start()
    assert os.read(source, 100) == b"250 ok"
    assert time.monotonic() - begin < 1
    pausing.join()
    assert time.monotonic() - begin >= 1
    for fd in (source, target):
        os.close(fd)


def test_variables_and_programs():
    world = SmtpWorld(Home("/"), {"A": "b", "PATH": "/bin:/usr/bin"}, Connection(-1, -1, 60), values())
    assert (world.variable("A"), world.variable("B"), world.pid) == ("b", None, os.getpid())
    assert world.ask_program("/bin/false", b"", b"") == 1


def test_tables_of_recipients(tmp_path, capfd):
    world = World(Home(str(tmp_path)), {})
    write(str(tmp_path / "a.cdb"), [(b":a@x", b"data")])
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "short").write_text("")
    assert world.in_table(b"a.cdb", [b":no@x", b":a@x"]) is True
    assert world.in_table(b"a.cdb", [b":no@x"]) is False
    assert world.in_table(os.fsencode(tmp_path / "a.cdb"), [b":a@x"]) is True
    for _ in range(2):
        assert world.in_table(b"none.cdb", [b":a@x"]) is None
        assert world.in_table(b"loop", [b":a@x"]) is None
    for damaged in (b"folder", b"short"):
        with pytest.raises(Temporary, match="^unable to check recipients$"):
            world.in_table(damaged, [b":a@x"])
    assert capfd.readouterr().err.splitlines() == [
        "qmail-smtpd: control/recipients: none.cdb is passed over: file does not exist",
        f"qmail-smtpd: control/recipients: loop is passed over: unable to open {tmp_path}/loop: symbolic link loop"]


def test_accounts_and_clamd(tmp_path, capfd):
    home = Home(str(tmp_path))
    home.single = True
    (tmp_path / "alias").symlink_to("alias")
    assert World(home, {}).has_account(b"no-such-user-here")
    assert capfd.readouterr().err == f"qmail-smtpd: unable to stat {tmp_path}/alias/.qmail-no-such-user-here: symbolic link loop\n"
    with Clamd(VIRUS) as server:
        scan = SmtpWorld(home, {}, None, values()).open_scan(server.address, 5)
        scan.put(b"x")
        assert scan.verdict() == b"Eicar-Signature"


class Line:
    """While its block runs, the world of a client on two pipes: `say` writes to it, `listen` reads from it."""

    def __init__(self, **env):
        (source, self.say), (self.listen, target) = os.pipe(), os.pipe()
        self.fds = [self.say, source, self.listen, target]
        self.connection = Connection(source, target, 30)
        self.world = SmtpWorld(Home("/nowhere"), env, self.connection, values())

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        for fd in self.fds:
            os.close(fd)


@pytest.fixture
def line():
    with Line(LOGREGEX="") as found:
        yield found


def test_a_pause_may_be_as_long_as_a_number_can_be(line):
    with pytest.raises(Late), deadline(0.05, too_late):
        line.world.pause(10**30)


def test_hearing_what_a_client_says_before_it_may(line):
    assert line.world.hear(0.05) is None
    os.write(line.say, b"HELO")
    assert line.world.hear(30) == b"HELO"
    assert line.connection.timeout == 30


def test_hearing_a_client_hang_up():
    with Line() as found:
        os.close(found.fds.pop(0))
        assert found.world.hear(30) == b""


@pytest.mark.parametrize(("said", "told"), [
    (b"badhelo: <x> at 192.0.2.7", b"badhelo: <x> at 192.0.2.7"), (b"a\r\nb\0\x1b\xe9\x7f", b"a??b????"), (b"x" * 10000, b"x" * worlds.LOG_LINE), (b"", b""),
])
def test_the_log_is_one_printable_line(line, capfdbinary, said, told):
    line.world.log(said)
    assert capfdbinary.readouterr().err == b"qmail-smtpd: " + told + b"\n"


def test_searching_a_list(line, capfdbinary):
    lists = [b"(", rb"^mx[0-9]\."]
    assert line.world.search("badheloext", lists, b"MX1.example") == lists[1]
    assert line.world.search("badheloext", lists, b"client.example") is None
    assert capfdbinary.readouterr().err == b"qmail-smtpd: badheloext: bad pattern: (\n"


ZONE = {"host.example a": ["192.0.2.1"], "six.example aaaa": ["2001:db8::1"], "mx.example mx": ["10 host.example."], "text.example txt": ["x"], "broken.example": "SERVFAIL",
        "null.example mx": ["0 ."], "null.example a": ["192.0.2.2"], "own.example mx": ["10 local.example."], "local.example a": ["127.0.0.1"]}


@pytest.mark.parametrize(("name", "exists", "takes_mail"), [
    (b"host.example", True, True), (b"HOST.example.", True, True), (b"six.example", True, True), (b"mx.example", True, True), (b"text.example", False, False),
    (b"nosuch.example", False, False), (b"null.example", True, False), (b"a..example", False, False), (b".", False, False), (b"", False, False), (b"x" * 64 + b".example", False, False),
    (b"x." * 200 + b"example", False, False), (b"b\xe9\0.example", False, False), (b"broken.example", None, None),
])
def test_names_in_the_dns(name, exists, takes_mail, monkeypatch):
    """None: nobody can tell."""
    monkeypatch.setattr(resolver, "PATIENCE", (0.5, 0.5))
    with DnsServer(ZONE) as dns, Line(**dns.env) as found:
        world = found.world
        for ask, wanted in ((world.exists, exists), (world.takes_mail, takes_mail)):
            if wanted is None:
                with pytest.raises(Temporary):
                    ask(name)
            else:
                assert ask(name) == wanted


@pytest.mark.parametrize(("sender", "verdict"), [(b"a@own.example", OURS), (b"a@nosuch.example", LATER)])
def test_calling_back(sender, verdict):
    with DnsServer(ZONE) as dns, Line(**dns.env) as found:
        assert found.world.call_back(sender, b"mx.example", 1).verdict == verdict


def test_what_programs_are_told_of_the_client(tmp_path):
    home = LittleHome(tmp_path)
    home.program("tell", "#!/bin/sh\ncat > /dev/null; cat <&1 > /dev/null; env > env\n")
    given = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.path / "bin/tell"), "RELAYCLIENT": ".gw", "TCPREMOTEIP": "192.0.2.7"}
    world = World(Home(str(tmp_path)), given)
    for who, info, told in ((b"", b"b\xffb", {b"RELAYCLIENT=", b"TCPREMOTEINFO=b\xffb"}), (b".gw", None, {b"RELAYCLIENT=.gw"}), (None, None, set())):
        world.introduce(who, info)
        world.open_queue().close()
        lines = set((home.path / "env").read_bytes().splitlines())
        assert {line for line in lines if line.startswith((b"RELAYCLIENT", b"TCPREMOTEINFO"))} == told
        assert b"TCPREMOTEIP=192.0.2.7" in lines
    assert given["RELAYCLIENT"] == ".gw"


def test_passwords_are_checked_in_the_home(tmp_path):
    home = LittleHome(tmp_path)
    home.program("check", "#!/bin/sh\ntest \"$(tr '\\000' '|' <&3)\" = 'bob|secret||' && exec \"$@\"\n")
    connection = Connection(0, 1, 30)
    for check, secret, accepted in ((("bin/check", "true"), b"secret", True), (("bin/check", "true"), b"other", False), (("bin/check", "false"), b"secret", False)):
        world = SmtpWorld(Home(str(tmp_path)), dict(os.environ), connection, values(), check)
        assert world.authenticate(Credentials(b"bob", secret)) is accepted


def test_stamps():
    process, seconds = SmtpWorld(Home("/nowhere"), {}, None, values()).stamp().split(b".")
    assert int(process) == os.getpid()
    assert int(seconds) > 1700000000


def test_a_session_that_was_elsewhere_keeps_its_process_id_but_for_stamps(tmp_path):
    """No two sessions have one stamp, but two may be told by one process id one after the other."""
    world = SmtpWorld(Home(str(tmp_path)), {}, Connection(0, 1, 5), values())
    assert world.pid == os.getpid()
    world.pid, world.told = 4711, {b"x"}
    world.log_once(b"x")
    assert world.stamp().startswith(b"%d." % os.getpid())
