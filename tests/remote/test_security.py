"""Which files say how TLS is used with a host."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.remote.report import Failed
from qmailpy.remote.security import file_names, security
from qmailpy.smtp.client import NEVER, OFFERED, ON, REQUIRED

MX = b"mx1.d.example"


@pytest.fixture
def home(tmp_path):
    for folder in ("tlshosts", "notlshosts"):
        (tmp_path / "control" / folder).mkdir(parents=True)
    return Home(str(tmp_path))


def write(home, *names):
    for name in names:
        with open(home.at("control", name), "w"):
            pass


PEM, NOT, ALL = "tlshosts/mx1.d.example.pem", "notlshosts/mx1.d.example", "tlshosts/exhaustivelist"


@pytest.mark.parametrize(("files", "tlsremote", "tls"), [
    ((), False, NEVER), ((), True, OFFERED), ((PEM,), False, REQUIRED), ((PEM,), True, REQUIRED), ((PEM, NOT, ALL), True, REQUIRED), ((NOT,), True, NEVER),
    ((ALL,), True, NEVER), ((ALL,), False, NEVER), (("tlshosts/d.example.pem", "notlshosts/d.example"), True, OFFERED),
])
def test_the_order_of_what_decides(home, files, tlsremote, tls):
    write(home, *files)
    found = security(home, MX, 25, tlsremote)
    assert (found.tls, found.demand, found.required()) == (tls, "control/" + PEM if tls == REQUIRED else "", tls == REQUIRED)


@pytest.mark.parametrize(("files", "demand"), [((), ""), ((NOT, ALL), ""), ((PEM,), "control/" + PEM)])
@pytest.mark.parametrize("tlsremote", [False, True])
def test_port_465_is_tls_from_the_first_byte(home, files, demand, tlsremote):
    write(home, *files)
    found = security(home, MX, 465, tlsremote)
    assert (found.tls, found.demand, found.required()) == (ON, demand, True)


def test_lower_case_first_then_as_it_is(home):
    write(home, "tlshosts/MX2.pem")
    assert security(home, b"MX2", 25, False).name == "MX2"
    write(home, "tlshosts/mx2.pem")
    assert security(home, b"MX2", 25, False).demand == "control/tlshosts/mx2.pem"
    assert security(home, b"Mx3", 25, False).name == "mx3"


@pytest.mark.parametrize("host", [b"", b".", b"..", b".hidden", b"../me", b"a/b", b"a\0b", b"x;touch y", b"a b", b"\xff", b"a\n"])
def test_a_name_that_no_file_should_have_has_none(home, host):
    write(home, "tlshosts/.hidden.pem", "me.pem")
    assert list(file_names(host)) == []
    assert security(home, host, 25, True).tls == OFFERED


def test_a_link_to_nothing_is_a_demand_as_well(home):
    os.symlink("nowhere", home.at("control", PEM))
    assert security(home, MX, 25, True).tls == REQUIRED


def test_a_name_that_is_too_long_for_a_file(home):
    assert security(home, b"a" * 250 + b".example", 25, True).tls == OFFERED


def test_without_the_folders(tmp_path):
    (tmp_path / "control").mkdir()
    assert security(Home(str(tmp_path)), MX, 25, True).tls == OFFERED


def test_where_it_cannot_be_seen_nothing_is_sent(home):
    if os.geteuid() == 0:
        os.rmdir(home.at("control/tlshosts"))
        os.symlink("tlshosts", home.at("control/tlshosts"))  # even root cannot follow it
    else:
        os.chmod(home.at("control/tlshosts"), 0)
    with pytest.raises(Failed, match="Unable to read control files"):
        security(home, MX, 25, True)
