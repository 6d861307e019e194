"""The records that qmail-remote prints."""

from qmailpy.remote import report
from qmailpy.smtp.client import Reply, Verdict


def test_recipients():
    assert report.of_recipient("r", Reply(250, b"250 ok\n"), "192.0.2.1") == b"r\0"
    assert report.of_recipient("h", Reply(550, b"550 no\n"), "192.0.2.1") == b"h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n\0"


def test_messages():
    accepted = Verdict("K", "", " accepted message", Reply(250, b"250 ok\n"))
    assert report.of_message(accepted, "::1") == b"K::1 accepted message.\nRemote host said: 250 ok\n\0"
    assert report.of_message(Verdict("D", "Giving up on ", "", None), "192.0.2.1") == b"DGiving up on 192.0.2.1.\n\0"


def test_qmtp():
    assert report.of_qmtp_recipient("r", b"ok", "::1") == b"r\0"
    assert report.of_qmtp_recipient("s", b"a\0b\r\n", "::1") == b"s::1 does not like recipient.\nRemote host said: a?b\n\0"
    assert report.of_qmtp_message(b"ok 1 qp 2", "::1") == b"K::1 accepted message.\nRemote host said: ok 1 qp 2\n\0"
    assert report.of_qmtp_message(None, "::1") == b"DGiving up on ::1.\n\0"


def test_broken_connections():
    assert report.dropped("::1", False) == b"ZConnected to ::1 but connection died. (#4.4.2)\n\0"
    assert report.dropped("::1", True) == b"ZConnected to ::1 but connection died. Possible duplicate! (#4.4.2)\n\0"


def test_unsafe_names():
    assert report.no_such_host(b"a\nb\xff c") == b"DSorry, I couldn't find any host named a?b??c. (#5.1.2)\n\0"


def test_notes_have_lines_of_their_own():
    for said in (b"250 ok\n", b"250 cut"):
        found = report.of_message(Verdict("K", "", " accepted message", Reply(250, said)), "::1", ["a", "b"])
        assert found == b"K::1 accepted message.\nRemote host said: " + said.rstrip() + b"\n(a)\n(b)\n\0"
    assert report.of_message(Verdict("Z", "No ", "", None), "::1", ["a"]) == b"ZNo ::1.\n(a)\n\0"


def test_tls():
    assert report.of_tls("TLS connect failed: x", True, "::1") == b"ZTLS connect failed: x; connected to ::1.\n\0"
    assert report.of_tls("TLS unable to load y", False, "::1") == b"ZTLS unable to load y; connecting to ::1.\n\0"


def test_a_route_without_a_password():
    assert report.no_password(b"a\nb") == b"ZRoute for a?b has a user name but no password. (#4.3.5)\n\0"
