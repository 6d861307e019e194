"""dnsfq, against a small DNS server."""

import pytest

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer

ZONE = {"host.our.example a": ["192.0.2.1"], "host.example a": ["192.0.2.2"], "1.2.0.192.in-addr.arpa ptr": ["Mail.our.example."], "2.2.0.192.in-addr.arpa ptr": ["other.example."],
        "nameless.example a": ["192.0.2.4"], "mail.example mx": ["10 host.example."], "doubt.our.example": "SERVFAIL"}


@pytest.mark.parametrize(("words", "status", "said", "error"), [
    (["host"], 0, b"Mail.our.example\n", b""), (["host.our.example"], 0, b"Mail.our.example\n", b""), (["host.example."], 0, b"other.example\n", b""),
    (["192.0.2.2"], 0, b"other.example\n", b""), (["none"], 100, b"", b"hard error\n"), (["nameless.example"], 100, b"", b"hard error\n"),
    (["mail.example"], 100, b"", b"hard error\n"), (["doubt"], 111, b"", b"soft error\n"), ([], 100, b"", b"dnsfq: usage: dnsfq host\n"),
])
def test_answers(tmp_path, words, status, said, error):
    with DnsServer(ZONE) as dns:
        done = LittleHome(tmp_path).run("dnsfq", *words, LOCALDOMAIN="none.example our.example", **dns.env)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, error)
