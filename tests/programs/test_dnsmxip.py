"""dnsmxip, against a small DNS server."""

import pytest

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer

ZONE = {"mail.example mx": ["20 b.example.", "10 a.example.", "30 none.example."], "a.example a": ["192.0.2.1"], "a.example aaaa": ["2001:db8::1"],
        "b.example a": ["192.0.2.2"], "doubt.example": "SERVFAIL", "half.example mx": ["10 doubt.example.", "20 a.example."], "open.example mx": ["10 doubt.example."],
        "null.example mx": ["0 ."], "lost.example mx": ["10 none.example."], "empty.example txt": ["x"]}


@pytest.mark.parametrize(("words", "status", "said", "error"), [
    (["mail.example"], 0, b"192.0.2.1 10\n2001:db8::1 10\n192.0.2.2 20\n", b""), (["b.example"], 0, b"192.0.2.2 0\n", b""),
    (["192.0.2.7"], 0, b"192.0.2.7 0\n", b""), (["[192.0.2.7]"], 0, b"192.0.2.7 0\n", b""), (["half.example"], 0, b"192.0.2.1 20\n2001:db8::1 20\n", b""),
    (["open.example"], 111, b"", b"soft error\n"), (["doubt.example"], 111, b"", b"soft error\n"), (["null.example"], 100, b"", b"hard error\n"),
    (["lost.example"], 100, b"", b"hard error\n"), (["empty.example"], 100, b"", b"hard error\n"), (["none.example"], 100, b"", b"hard error\n"),
    ([], 100, b"", b"dnsmxip: usage: dnsmxip host\n"),
])
def test_answers(tmp_path, words, status, said, error):
    with DnsServer(ZONE) as dns:
        done = LittleHome(tmp_path).run("dnsmxip", *words, **dns.env)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, error)


def test_exchangers_of_one_preference_come_in_any_order(tmp_path):
    names = [f"m{number}.example" for number in range(8)]
    zone = {"many.example mx": [f"5 {name}." for name in names], **{f"{name} a": [f"192.0.2.{at}"] for at, name in enumerate(names)}}
    home = LittleHome(tmp_path)
    with DnsServer(zone) as dns:
        orders = {home.run("dnsmxip", "many.example", **dns.env).stdout for _ in range(3)}
    assert {tuple(sorted(order.split(b"\n"))) for order in orders} == {(b"", *(b"192.0.2.%d 5" % at for at in range(8)))}
    assert len(orders) > 1
