"""dnsip, against a small DNS server."""

import pytest

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer

ZONE = {"host.example a": ["192.0.2.1"], "host.example aaaa": ["2001:db8::1"], "six.example aaaa": ["2001:db8::6"], "alias.example cname": ["host.example."],
        "mail.example mx": ["10 host.example."], "doubt.example": "SERVFAIL"}


@pytest.mark.parametrize(("words", "status", "said", "error"), [
    (["host.example"], 0, b"192.0.2.1\n2001:db8::1\n", b""), (["alias.example", "more"], 0, b"192.0.2.1\n2001:db8::1\n", b""),
    (["six.example"], 0, b"2001:db8::6\n", b""), (["192.0.2.7"], 0, b"192.0.2.7\n", b""), (["[192.0.2.7]"], 0, b"192.0.2.7\n", b""),
    (["mail.example"], 100, b"", b"hard error\n"), (["none.example"], 100, b"", b"hard error\n"), ([""], 100, b"", b"hard error\n"),
    (["doubt.example"], 111, b"", b"soft error\n"), ([], 100, b"", b"dnsip: usage: dnsip host\n"),
])
def test_answers(tmp_path, words, status, said, error):
    with DnsServer(ZONE) as dns:
        done = LittleHome(tmp_path).run("dnsip", *words, **dns.env)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, error)
