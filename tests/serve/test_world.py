"""The world of a server's session, and what listeners say of a client."""

import pytest

from qmailpy.home import Home
from qmailpy.serve.world import World, client, relay
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
