"""Questions to a real small DNS server."""

import pytest

from qmailpy.unix import resolver
from qmailpy.unix.resolver import NoSuchHost, NullExchanger, Resolver, Search, Unknown, server, servers
from tests.dnsserver import DnsServer

ZONE = {
    "host.example a": ["192.0.2.1"], "host.example aaaa": ["2001:db8::1"], "six.example aaaa": ["2001:db8::6"], "alias.example cname": ["host.example."],
    "mx.example mx": ["20 b.example.", "10 a.example."], "null.example mx": ["0 ."], "text.example txt": ['"a" "b"'], "loop.example cname": ["loop.example."],
    "1.2.0.192.in-addr.arpa ptr": ["host.example."], "servfail.example": "SERVFAIL", "half.example a": ["192.0.2.3"],
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(resolver, "PATIENCE", (0.5, 0.5))


def test_addresses_of_both_kinds():
    with DnsServer(ZONE) as dns:
        asker = Resolver(dns.env)
        assert asker.addresses(b"host.example") == ["192.0.2.1", "2001:db8::1"]
        assert asker.addresses(b"HOST.example.") == ["192.0.2.1", "2001:db8::1"]
        assert asker.addresses(b"six.example") == ["2001:db8::6"]
        assert asker.addresses(b"mx.example") == []
        assert "host.example a" in [question.lower() for question in dns.asked]
        assert not any("ANY" in question for question in dns.asked)


def test_aliases_are_followed_by_the_server_or_by_us():
    for follow in (True, False):
        with DnsServer({**ZONE, "follow": follow}) as dns:
            assert Resolver(dns.env).addresses(b"alias.example")[0] == "192.0.2.1"


@pytest.mark.parametrize(("name", "kinds", "found"), [
    (b"host.example", ("A",), True), (b"six.example", ("A", "AAAA"), True), (b"mx.example", ("A", "AAAA"), False), (b"mx.example", ("A", "AAAA", "MX"), True),
    (b"text.example", ("A", "AAAA", "MX"), False), (b"nosuch.example", ("A", "MX"), False), (b"a..example", ("A",), False), (b"", ("A",), False),
])
def test_whether_there_are_records(name, kinds, found):
    with DnsServer(ZONE) as dns:
        assert Resolver(dns.env).has(name, *kinds) == found


def test_no_further_kind_is_asked_for_than_needed():
    with DnsServer(ZONE) as dns:
        assert Resolver(dns.env).has(b"host.example", "A", "AAAA", "MX")
        assert not Resolver(dns.env).has(b"nosuch.example", "A", "AAAA", "MX")
        assert dns.asked == ["host.example A", "nosuch.example A"]
        with pytest.raises(Unknown):
            Resolver(dns.env).has(b"servfail.example", "A")


def test_exchangers():
    with DnsServer(ZONE) as dns:
        asker = Resolver(dns.env)
        assert sorted(asker.exchangers(b"mx.example")) == [(10, b"a.example"), (20, b"b.example")]
        assert asker.exchangers(b"host.example") == []
        with pytest.raises(NullExchanger):
            asker.exchangers(b"null.example")


def test_pointers_and_text():
    with DnsServer(ZONE) as dns:
        assert Resolver(dns.env).pointers("192.0.2.1") == [b"host.example"]
        assert Resolver(dns.env).text(b"text.example") == [b"ab"]


@pytest.mark.parametrize(("said", "name"), [
    ("a\\000b\\010\\255.example.", [b"a?b??.example"]), ("x\\032y=z.example.", [b"x?y=z.example"]), (".", []),
])
def test_names_that_no_variable_could_hold(said, name):
    with DnsServer({"1.2.0.192.in-addr.arpa ptr": [said]}) as dns:
        assert Resolver(dns.env).pointers("192.0.2.1") == name


@pytest.mark.parametrize("name", [b"none.example", b"", b"a..b", b"x" * 64 + b".example", b".".join([b"x" * 60] * 5)])
def test_names_that_do_not_exist(name):
    with DnsServer(ZONE) as dns, pytest.raises(NoSuchHost):
        Resolver(dns.env).addresses(name)


@pytest.mark.parametrize("how", ["SERVFAIL", "REFUSED", "silent", "garbage", "wrong id", "wrong question"])
def test_doubt_is_temporary(how):
    with DnsServer({"odd.example": how}) as dns, pytest.raises(Unknown):
        Resolver(dns.env).exchangers(b"odd.example")


def test_a_loop_of_aliases_is_temporary():
    with DnsServer({**ZONE, "follow": False}) as dns, pytest.raises(Unknown):
        Resolver(dns.env).addresses(b"loop.example")


def test_cut_answers_are_fetched_by_tcp():
    many = [f"192.0.2.{number}" for number in range(1, 250)]
    with DnsServer({"big.example a": many}, cut=True) as dns:
        assert len(Resolver(dns.env).addresses(b"big.example")) == resolver.ADDRESSES


def test_a_server_on_ipv6():
    try:
        dns = DnsServer(ZONE, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with dns:
        assert Resolver(dns.env).addresses(b"host.example")[0] == "192.0.2.1"


def test_no_server_at_all():
    with DnsServer(ZONE) as dns:
        env = dns.env
    with pytest.raises(Unknown):
        Resolver(env).addresses(b"host.example")


@pytest.mark.parametrize(("text", "wanted"), [
    ("192.0.2.1", ("192.0.2.1", 53)), ("192.0.2.1:5353", ("192.0.2.1", 5353)), ("[2001:db8::1]:5353", ("2001:db8::1", 5353)), ("[2001:db8::1]", ("2001:db8::1", 53)),
    ("2001:db8::1", ("2001:db8::1", 53)),
])
def test_dnscacheip(text, wanted):
    assert server(text) == wanted
    assert servers({"DNSCACHEIP": text}) == [wanted]


def test_resolv_conf(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text("search x\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver\n")
    assert servers({}, str(path)) == [("192.0.2.1", 53), ("2001:db8::1", 53)]
    assert servers({}, str(tmp_path / "none")) == [("127.0.0.1", 53)]
    assert servers({"DNSCACHEIP": ""}, str(path))[0] == ("192.0.2.1", 53)


@pytest.mark.parametrize(("conf", "env", "host", "names"), [
    ("search a.example b.example.\n", {}, b"host", [b"host.a.example", b"host.b.example.", b"host"]), ("search a.example\n", {}, b"host.", [b"host."]),
    ("search a.example\n", {}, b"host.sub", [b"host.sub", b"host.sub.a.example"]), ("search a.example\noptions rotate ndots:2\n", {}, b"host.sub", [b"host.sub.a.example", b"host.sub"]),
    ("search a.example\ndomain b.example\n", {}, b"host", [b"host.b.example", b"host"]), ("search .\n", {}, b"host", [b"host"]), ("search\noptions ndots:x\n", {}, b"host", [b"host"]),
    ("# search c.example\n", {}, b"host", [b"host.own.example", b"host"]), (None, {}, b"host", [b"host.own.example", b"host"]),
    ("search a.example\n", {"LOCALDOMAIN": "b.example c.example"}, b"host", [b"host.b.example", b"host.c.example", b"host"]), ("search a.example\n", {"LOCALDOMAIN": ""}, b"host", [b"host"]),
])
def test_what_a_short_name_may_stand_for(tmp_path, conf, env, host, names):
    path = tmp_path / "resolv.conf"
    if conf is not None:
        path.write_text(conf)
    assert Search(env, "me.own.example", str(path)).names(host) == names
    assert conf is not None or Search(env, "me", str(path)).names(host) == [host]


def test_no_more_is_looked_at_than_can_be_asked_in_time(monkeypatch):
    monkeypatch.setattr(resolver, "PATIENCE", (20.0,))
    zone = {"many.example a": [f"192.0.2.{at}" for at in range(1, 101)], "many.example aaaa": ["2001:db8::1"],
            "many.example mx": [f"{100 - at} m{at}.example." for at in range(100)]}
    with DnsServer(zone, cut=True) as dns:
        assert len(Resolver(dns.env).addresses(b"many.example")) == resolver.ADDRESSES
        assert Resolver(dns.env).exchangers(b"many.example") == [(100 - at, b"m%d.example" % at) for at in range(99, 99 - resolver.EXCHANGERS, -1)]
