"""ipmeprint as a process."""

import re

import pytest

from qmailpy.unix.ipme import interfaces
from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def printed(home, *words):
    done = home.run("ipmeprint", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def test_what_is_built_in_then_interfaces_then_moreipme_then_notipme(home):
    home.control(moreipme="203.0.113.9\nnonsense\n203.0.113.7/32\n198.18.0.0/255.255.0.0\n", notipme="127.0.0.9\n10.0.0.0/24\n127.0.0.2")
    lines = printed(home)
    ipv4 = [line for line in lines if ":" not in line]
    own = [f"{address}/255.255.255.255 is me" for address in interfaces() if ":" not in address]
    assert ipv4 == ["127.0.0.0/255.0.0.0 is me", "0.0.0.0/255.255.255.255 is me", *own,
                    "203.0.113.9/255.255.255.255 is me", "203.0.113.7/255.255.255.255 is me", "198.18.0.0/255.255.0.0 is me",
                    "127.0.0.9/255.255.255.255 is not me", "10.0.0.0/255.255.255.0 is not me", "127.0.0.2/255.255.255.255 is not me"]


def test_ipv6_has_prefix_lengths(home):
    home.control(moreipme="2001:DB8:0::/32\n", notipme="fe80::/10\n")
    lines = [line for line in printed(home) if ":" in line]
    assert lines[0] == "::1/128 is me"
    assert lines[-2:] == ["2001:db8::/32 is me", "fe80::/10 is not me"]
    assert len(lines) == len(set(lines))


def test_arguments_count_for_nothing(home):
    assert printed(home, "x", "-y") == printed(home)


def test_help(home):
    assert re.match("Usage: ipmeprint", printed(home, "--help")[0])


def test_a_list_that_cannot_be_read(home):
    (home.path / "control/notipme").mkdir()
    done = home.run("ipmeprint")
    assert (done.returncode, done.stdout) == (111, b"")
    assert b"unable to read control/notipme: is a directory" in done.stderr
