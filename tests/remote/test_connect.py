"""From a host's name to a connection, with a real DNS server and real listeners."""

import socket

import pytest

from qmailpy.queue.tcpto import DeadHosts
from qmailpy.remote import connect
from qmailpy.remote.connect import Connector, hops
from qmailpy.remote.report import Failed
from qmailpy.remote.route import QMTP, SMTP, Hop, Target
from qmailpy.remote.source import Sources
from qmailpy.text.ownaddress import OwnAddresses, networks
from qmailpy.unix import resolver
from qmailpy.unix.resolver import Resolver
from tests.dnsserver import DnsServer

ZONE = {"far.example mx": ["20 second.example.", "10 first.example."], "first.example a": ["192.0.2.1"], "second.example a": ["192.0.2.2"],
        "second.example aaaa": ["2001:db8::2"], "plain.example a": ["192.0.2.3"], "null.example mx": ["0 ."], "odd.example": "SERVFAIL",
        "me.example mx": ["10 here.example.", "5 first.example."], "here.example a": ["127.0.0.1"], "mine.example mx": ["10 here.example."],
        "mapped.example aaaa": ["::ffff:192.0.2.7"], "gone.example mx": ["10 none.example."], "half.example mx": ["10 odd.example.", "20 first.example."], "doubt.example mx": ["10 odd.example."]}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """DNS servers that answer soon or never, and a host that has no address of the documentation's networks, as some do."""
    monkeypatch.setattr(resolver, "PATIENCE", (1.0,))
    monkeypatch.setattr(connect, "own_addresses", lambda moreipme, notipme: OwnAddresses(networks([b"127.0.0.1", b"::1", *moreipme]), networks(notipme)))


@pytest.fixture
def asker():
    with DnsServer(ZONE) as dns:
        yield Resolver(dns.env)


def sources(*, sender=b"", senderip=(), bindroutes=(), outgoingip=b""):
    return Sources(dict(senderip), dict(bindroutes), outgoingip, sender)


def found(host, asker, relay=False, moreipme=(), notipme=()):
    return [hop.address for hop in hops(Target(host, relay=relay), asker, moreipme, notipme)]


@pytest.mark.parametrize(("host", "addresses"), [
    (b"far.example", ["192.0.2.1", "192.0.2.2", "2001:db8::2"]), (b"plain.example", ["192.0.2.3"]), (b"[192.0.2.9]", ["192.0.2.9"]),
    (b"[IPv6:2001:DB8:0::9]", ["2001:db8::9"]), (b"me.example", ["192.0.2.1"]), (b"half.example", ["192.0.2.1"]),
    (b"mapped.example", ["192.0.2.7"]),
])
def test_hops(asker, host, addresses):
    assert found(host, asker) == addresses


@pytest.mark.parametrize(("host", "record"), [
    (b"none.example", b"DSorry, I couldn't find any host named none.example. (#5.1.2)\n\0"), (b"null.example", b"DSorry, that host does not accept mail. (#5.1.10)\n\0"),
    (b"odd.example", b"ZSorry, I couldn't find any host by that name. (#4.1.2)\n\0"), (b"doubt.example", b"ZSorry, I couldn't find any host by that name. (#4.1.2)\n\0"),
    (b"gone.example", b"DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n\0"), (b"[127.0.0.1]", b"DSorry. Although I'm listed"),
    (b"mine.example", b"DSorry. Although I'm listed"), (b"[::1]", b"DSorry. Although I'm listed"),
])
def test_why_there_is_no_hop(asker, host, record):
    with pytest.raises(Failed) as problem:
        found(host, asker)
    assert problem.value.record.startswith(record)


@pytest.mark.parametrize(("host", "moreipme", "notipme", "addresses"), [
    (b"far.example", [b"192.0.2.2"], [], ["192.0.2.1"]), (b"far.example", [b"192.0.2.2"], [b"192.0.2.0/24", b"192.0.2.2"], ["192.0.2.1", "192.0.2.2", "2001:db8::2"]),
    (b"far.example", [b"192.0.2.0/255.255.255.0"], [b"192.0.2.1"], ["192.0.2.1"]), (b"far.example", [b"2001:db8::/32"], [], ["192.0.2.1"]),
    (b"me.example", [], [b"127.0.0.1"], ["192.0.2.1", "127.0.0.1"]), (b"plain.example", [b"192.0.2.0/24"], [], None), (b"far.example", [b"192.0.2.1"], [], None),
])
def test_what_the_control_files_say_of_own_addresses(asker, host, moreipme, notipme, addresses):
    if addresses is None:
        with pytest.raises(Failed, match="Although I'm listed"):
            found(host, asker, moreipme=moreipme, notipme=notipme)
    else:
        assert found(host, asker, moreipme=moreipme, notipme=notipme) == addresses


def test_a_relay_may_be_this_host_and_has_no_exchangers(asker):
    assert found(b"[127.0.0.1]", asker, relay=True) == ["127.0.0.1"]
    assert found(b"first.example", asker, relay=True) == ["192.0.2.1"]


@pytest.mark.parametrize(("host", "relay", "names"), [
    (b"far.example", False, [b"first.example", b"second.example", b"second.example"]), (b"plain.example", False, [b"plain.example"]),
    (b"first.example.", True, [b"first.example"]), (b"[192.0.2.9]", True, [b"192.0.2.9"]), (b"[IPv6:2001:DB8::9]", True, [b"2001:DB8::9"]),
])
def test_a_hop_knows_whose_address_it_is(asker, host, relay, names):
    assert [hop.name for hop in hops(Target(host, relay=relay), asker, (), ())] == names


@pytest.fixture
def connector(tmp_path):
    (tmp_path / "tcpto").write_bytes(bytes(1024))
    return Connector(DeadHosts(str(tmp_path / "tcpto"), 0), sources(), 5, 5, 1700000000)


def test_the_next_address_is_tried_when_one_refuses(connector):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        link = connector.connect([Hop("127.0.0.2", 0), Hop("127.0.0.1", 0)], lambda hop: ((port, SMTP),))
        assert (link.hop.address, link.port, link.protocol) == ("127.0.0.1", port, SMTP)
        link.stream.close()


def test_nobody_answers(connector):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Failed) as problem:
        connector.connect([Hop("127.0.0.1", 0), Hop("::1", 0)], lambda hop: ((port, SMTP),))
    assert problem.value.record == b"ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0"


def test_the_next_door_is_tried_before_the_next_address(connector):
    with socket.create_server(("127.0.0.1", 0)) as shut, socket.create_server(("127.0.0.1", 0)) as server:
        port, closed = server.getsockname()[1], shut.getsockname()[1]
        shut.close()
        link = connector.connect([Hop("127.0.0.1", 0), Hop("127.0.0.2", 0)], lambda hop: ((closed, QMTP), (port, SMTP)))
        assert (link.hop.address, link.protocol) == ("127.0.0.1", SMTP)
        link.stream.close()


def test_a_host_is_remembered_if_no_door_answers_in_time(connector, monkeypatch):
    answers = {1: TimeoutError(), 2: TimeoutError(), 3: ConnectionRefusedError()}

    def refuse(address, port, seconds, timeout, source):
        raise answers[port]

    monkeypatch.setattr(connect, "connect", refuse)
    for ports, count in (((1, 3), 0), ((1, 2), 1)):
        with pytest.raises(Failed):
            connector.connect([Hop("192.0.2.1", 0)], lambda hop, ports=ports: tuple((port, SMTP) for port in ports))
        with open(connector.dead.path, "rb") as remembered:
            assert remembered.read(5) == (b"\xc0\0\2\1\1" if count else bytes(5))


def test_connections_come_from_the_local_address_again_and_again(connector):
    connector.sources = sources(bindroutes={b"127.": b"127.0.0.9"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = connector.connect([Hop("127.0.0.1", 0)], lambda hop: ((server.getsockname()[1], SMTP),))
        links = [link, connector.again(link)]
        for one in links:
            accepted, peer = server.accept()
            accepted.close()
            one.stream.close()
            assert peer[0] == "127.0.0.9"


@pytest.mark.parametrize("value", [b"", b"192.0.2.77", b"host"])
def test_a_destination_without_a_local_address_is_passed_over_and_not_charged(connector, value):
    connector.sources = sources(bindroutes={b"127.0.0.1": value})
    with socket.create_server(("127.0.0.1", 0)) as near, socket.create_server(("127.0.0.2", near.getsockname()[1])):
        link = connector.connect([Hop("127.0.0.1", 0), Hop("127.0.0.2", 0)], lambda hop: ((near.getsockname()[1], SMTP),))
        assert link.hop.address == "127.0.0.2"
        link.stream.close()
        with pytest.raises(Failed, match="wasn't able to establish"):
            connector.connect([Hop("127.0.0.1", 0)], lambda hop: ((near.getsockname()[1], SMTP),))
        near.setblocking(False)
        with pytest.raises(BlockingIOError):
            near.accept()
    with open(connector.dead.path, "rb") as remembered:
        assert remembered.read() == bytes(1024)


def test_what_is_known_of_a_dead_host_stays_while_there_is_no_local_address(connector, monkeypatch):
    host = bytes([192, 0, 2, 1])
    connector.dead.note(host, True, 0)
    connector.sources = sources(outgoingip=b"192.0.2.77")
    with open(connector.dead.path, "rb") as remembered:
        before = remembered.read()
        with pytest.raises(Failed):
            connector.connect([Hop("192.0.2.1", 0)], lambda hop: ((1, SMTP),))
        remembered.seek(0)
        assert remembered.read() == before


def test_no_more_exchangers_and_addresses_than_anybody_needs():
    zone = {"many.example mx": [f"{number} mx{number}.many.example." for number in range(1, 61)]}
    zone |= {f"mx{number}.many.example a": [f"192.0.2.{number}"] for number in range(1, 61)}
    zone |= {"wide.example mx": ["10 all.example."], "all.example a": [f"203.0.113.{number}" for number in range(1, 201)]}
    with DnsServer(zone) as dns:
        asker = Resolver(dns.env)
        assert found(b"many.example", asker) == [f"192.0.2.{number}" for number in range(1, 33)]
        assert not any(question.startswith("mx33.") for question in dns.asked)
        assert len(found(b"wide.example", asker)) == len(found(b"all.example", asker, relay=True)) == 64
