"""Where a recipient goes."""

import os

import pytest

from qmailpy.explain.destination import destination
from tests.dnsserver import DnsServer
from tests.explain.homes import home_with, trace_of

CONTROL = {"virtualdomains": "v.example:alias-v\nexcept.example:\n", "percenthack": "ours.example\n",
           "smtproutes": ".routed.example:relay.example:2525\nliteral.example:[192.0.2.9] joe secret\ntwo.example:r1,r2:26\nhalf.example:relay joe\n",
           "qmtproutes": "q.example:fast.example\n", "senderip": "a.example:192.0.2.10\n", "bindroutes": "192.0.2.:192.0.2.1\n192.0.2.7:\n", "tlsremote": "1\n"}
ZONE = {"mx.far.example mx": ["10 b.example.", "5 a.example."], "a.example a": ["192.0.2.7"], "b.example a": ["198.51.100.1"], "b.example aaaa": ["2001:db8::1"]}


def where(tmp_path, recipient, sender=b"s@b.example", dns=None, **control):
    home = home_with(tmp_path, **{**CONTROL, **control})
    return destination(home, trace_of(home), sender, recipient, dns or {}, dns=dns is not None)


@pytest.mark.parametrize(("recipient", "address", "files"), [
    (b"bob@ours.example", b"bob@ours.example", ["locals"]), (b"x@v.example", b"alias-v-x@v.example", ["virtualdomains"]), (b"u%ours.example@ours.example", b"u@ours.example", ["percenthack", "locals"]),
])
def test_mail_for_users_here(tmp_path, recipient, address, files):
    found = where(tmp_path, recipient)
    assert (found.local, found.address) == (True, address)
    assert sorted({hit.name for hit in found.hits}) == sorted(files)


@pytest.mark.parametrize(("recipient", "file", "orders", "trouble"), [
    (b"list@ours.example", ".qmail-list", [b"&a@b", b"./Maildir/"], ""), (b"any@ours.example", ".qmail-default", [b"|cat"], ""), (b"@ours.example", "", [], "thrown away"),
])
def test_the_file_that_is_obeyed(tmp_path, recipient, file, orders, trouble):
    home_with(tmp_path)
    (tmp_path / "alias/.qmail-list").write_text("# a list\n&a@b\n./Maildir/\n")
    (tmp_path / "alias/.qmail-default").write_text("|cat\n")
    found = where(tmp_path, recipient)
    assert (os.path.basename(found.file), found.orders) == (file, orders)
    assert trouble in found.trouble
    if file:
        assert (found.user, found.by) == ("alias", "the system's users")


def test_nobody_takes_it(tmp_path):
    assert "would bounce" in where(tmp_path, b"no-such-user@ours.example").trouble


def test_users_cdb_that_is_damaged(tmp_path):
    home_with(tmp_path)
    (tmp_path / "users/cdb").write_bytes(b"x" * 3000)
    assert "would wait" in where(tmp_path, b"bob@ours.example").trouble


@pytest.mark.parametrize(("recipient", "ways", "login"), [
    (b"x@sub.routed.example", [("relay.example", "", 2525, "SMTP", "")], False), (b"x@literal.example", [("192.0.2.9", "192.0.2.9", 25, "SMTP", "192.0.2.1")], True),
    (b"x@two.example", [("r1", "", 25, "SMTP", ""), ("r2", "", 26, "SMTP", "")], False), (b"x@q.example", [("fast.example", "", 209, "QMTP", "")], False),
    (b"x@except.example", [("", "", 25, "SMTP", "")], False), (b"x@[192.0.2.7]", [("192.0.2.7", "192.0.2.7", 25, "SMTP", None)], False),
])
def test_mail_for_other_hosts(tmp_path, recipient, ways, login):
    found = where(tmp_path, recipient)
    assert not found.local and not found.trouble
    assert [(way.name, way.address, way.port, way.protocol, way.source) for way in found.ways] == ways
    assert found.login == login


def test_a_route_without_a_password(tmp_path):
    assert "no password" in where(tmp_path, b"x@half.example").trouble


def test_the_local_address_by_sender(tmp_path):
    assert [way.source for way in where(tmp_path, b"x@literal.example", b"s@A.example").ways] == ["192.0.2.10"]


def test_a_signed_sender(tmp_path):
    assert where(tmp_path, b"x@far.example", signkey="k\n").sender.startswith(b"prvs=0")
    assert where(tmp_path, b"x@far.example", signkey="k\n", nosignhosts="far.example\n").sender == b"s@b.example"


def test_what_the_dns_says_if_it_may_be_asked(tmp_path):
    with DnsServer(ZONE) as dns:
        found = where(tmp_path, b"x@mx.far.example", dns=dns.env)
        assert [(way.preference, way.name, way.address, way.source) for way in found.ways] == [
            (5, "a.example", "192.0.2.7", None), (10, "b.example", "198.51.100.1", ""), (10, "b.example", "2001:db8::1", "")]
        assert "couldn't find any host" in where(tmp_path, b"x@nosuch.example", dns=dns.env).trouble


@pytest.mark.parametrize(("files", "tls"), [
    ({}, "in TLS if it is offered"), ({"tlsremote": "0\n"}, "in clear"),
])
def test_whether_in_tls(tmp_path, files, tls):
    assert [way.tls for way in where(tmp_path, b"x@sub.routed.example", **files).ways] == [tls]
