"""The world of a server's session, and what listeners say of a client."""

import os
import time

import pytest

from qmailpy.home import Home
from qmailpy.serve.world import World, client, relay
from qmailpy.smtp.auth import Credentials
from qmailpy.unix.connection import Connection
from tests.checkout import LittleHome


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


def test_the_log_is_clean_and_never_the_clients(capfd, tmp_path):
    World(Home(str(tmp_path)), {}).log(b"tls: x\r\n\xff y")
    assert capfd.readouterr().err == "qmail-smtpd: tls: x??? y\n"


def test_a_pause_comes_after_the_earlier_replies():
    source, target = os.pipe()
    connection = Connection(source, target, 5)
    connection.say(b"250 ok")
    begin = time.monotonic()
    World(Home("/nowhere"), {}, connection).pause(1)
    assert time.monotonic() >= begin + 1
    assert os.read(source, 10) == b"250 ok"
    os.close(source)
    os.close(target)


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
        assert World(Home(str(tmp_path)), dict(os.environ), connection, check=check).authenticate(Credentials(b"bob", secret)) is accepted


def test_stamps():
    process, seconds = World(Home("/nowhere"), {}).stamp().split(b".")
    assert int(process) == os.getpid()
    assert int(seconds) > 1700000000
