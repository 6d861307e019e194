"""What the DNS look-up programs share."""

import pytest

from qmailpy.exits import Permanent, Temporary
from qmailpy.remote.lookup import addresses, answer, full_name, itself, name_of
from qmailpy.unix.resolver import Resolver
from tests.dnsserver import DnsServer

ZONE = {
    "host.example a": ["192.0.2.1"], "host.example aaaa": ["2001:db8::1"], "text.example txt": ["x"], "doubt.example": "SERVFAIL",
    "1.2.0.192.in-addr.arpa ptr": ["mail.host.example."], "9.2.0.192.in-addr.arpa ptr": [r"a\010b\032c.example."], "8.2.0.192.in-addr.arpa txt": ["x"],
}


@pytest.fixture
def resolver():
    with DnsServer(ZONE) as dns:
        yield Resolver(dns.env)


@pytest.mark.parametrize(("host", "address"), [
    (b"192.0.2.1", "192.0.2.1"), (b"[192.0.2.1]", "192.0.2.1"), (b"010.0.0.1", "10.0.0.1"), (b"2001:DB8::1", "2001:db8::1"), (b"[IPv6:2001:db8::1]", "2001:db8::1"),
    (b"::ffff:192.0.2.1", "192.0.2.1"), (b"[192.0.2.1", None), (b"1.2.3", None), (b"1.2.3.256", None), (b"1:2", None), (b"host.example", None), (b"", None),
])
def test_a_host_that_is_written_as_an_address(host, address):
    assert itself(host) == address


def test_addresses(resolver):
    assert addresses(resolver, b"host.example") == ["192.0.2.1", "2001:db8::1"]
    assert addresses(resolver, b"[192.0.2.7]") == ["192.0.2.7"]


@pytest.mark.parametrize(("host", "trouble"), [(b"none.example", Permanent), (b"text.example", Permanent), (b"", Permanent), (b"doubt.example", Temporary)])
def test_no_address(resolver, host, trouble):
    with pytest.raises(trouble):
        addresses(resolver, host)


def test_names(resolver):
    assert name_of(resolver, "192.0.2.1") == b"mail.host.example"
    assert name_of(resolver, "192.0.2.9") == b"a?b?c.example"
    for address in ("192.0.2.8", "192.0.2.3"):
        with pytest.raises(Permanent):
            name_of(resolver, address)


def test_the_full_name_is_that_of_the_first_that_has_an_address(resolver):
    assert full_name(resolver, [b"none.example", b"text.example", b"host.example", b"doubt.example"]) == b"mail.host.example"
    for names, trouble in (([b"none.example"], Permanent), ([], Permanent), ([b"doubt.example", b"host.example"], Temporary)):
        with pytest.raises(trouble):
            full_name(resolver, names)


def test_answers(capfd):
    def fail(problem):
        raise problem

    assert answer({}, lambda resolver: [b"a", b"b"]) == 0
    assert capfd.readouterr() == ("a\nb\n", "")
    assert answer({}, lambda resolver: fail(Permanent("no"))) == 100
    assert capfd.readouterr() == ("", "hard error\n")
    assert answer({}, lambda resolver: fail(Temporary("who knows"))) == 111
    assert capfd.readouterr() == ("", "soft error\n")
