"""config, with a DNS server that knows this host."""

import os

from tests.checkout import LittleHome
from tests.dnsserver import DnsServer


def test_the_files_are_made_of_what_the_dns_says(tmp_path):
    home, name = LittleHome(tmp_path), os.uname().nodename.lower().rstrip(".")
    zone = {f"{name}.in.our.example a": ["127.0.0.1"], "1.0.0.127.in-addr.arpa ptr": ["Mail.Example.org."]}
    with DnsServer(zone) as dns:
        done = home.run("config", LOCALDOMAIN="in.our.example", **dns.env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "control/me").read_text() == "mail.example.org\n"
    assert "mail.example.org\n" in (tmp_path / "control/locals").read_text()
    assert (tmp_path / "control/rcpthosts").read_text() == (tmp_path / "control/locals").read_text()
    assert b"concurrencyincoming" in done.stdout


def test_an_unknown_host(tmp_path):
    home = LittleHome(tmp_path)
    with DnsServer({}) as dns:
        done = home.run("config", **dns.env)
    assert done.returncode == 111
    assert b"no full name found: " in done.stderr
    assert (tmp_path / "control/me").read_text() == "me.example\n"
