"""dnsptr, against a small DNS server."""

import pytest

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer

ZONE = {"1.2.0.192.in-addr.arpa ptr": ["mail.example."], "2.2.0.192.in-addr.arpa ptr": [r"a\010b.example."], "3.2.0.192.in-addr.arpa": "SERVFAIL",
        "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa ptr": ["six.example."]}


@pytest.mark.parametrize(("words", "status", "said", "error"), [
    (["192.0.2.1"], 0, b"mail.example\n", b""), (["[192.0.2.1]"], 0, b"mail.example\n", b""), (["2001:db8::1"], 0, b"six.example\n", b""),
    (["192.0.2.2"], 0, b"a?b.example\n", b""), (["192.0.2.4"], 100, b"", b"hard error\n"), (["192.0.2.3"], 111, b"", b"soft error\n"),
    (["mail.example"], 100, b"", b"dnsptr: usage: dnsptr address\n"), ([], 100, b"", b"dnsptr: usage: dnsptr address\n"),
])
def test_answers(tmp_path, words, status, said, error):
    with DnsServer(ZONE) as dns:
        done = LittleHome(tmp_path).run("dnsptr", *words, **dns.env)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, error)
