"""ipmetest as a process: the original form byte for byte, and what was added."""

import pytest

from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


# aio: Own-address list.  The rows that need an interface of another address are in tests/text/test_ownaddress.py.
@pytest.mark.parametrize(("moreipme", "notipme", "tested", "said"), [
    ("", "", "203.0.113.6", b"not me\n"),
    ("", "", "127.9.9.9", b"me\n"),
    ("", "", "0.0.0.0", b"me\n"),
    ("", "127.0.0.2\n", "127.0.0.2", b"not me\n"),
    ("", "127.0.0.2\n", "127.0.0.3", b"me\n"),
    ("", "127.0.0.0/255.0.0.0\n", "127.9.9.9", b"not me\n"),
    ("", "127.0.0.0/255.0.0.0\n", "127.0.0.1", b"me\n"),
    ("203.0.113.7\n", "", "203.0.113.7", b"me\n"),
    ("198.18.0.0/255.255.255.0\n", "198.18.0.0/255.255.0.0\n", "198.18.0.9", b"me\n"),
    ("198.18.0.0/255.255.255.0\n", "198.18.0.0/255.255.0.0\n", "198.18.1.9", b"not me\n"),
    ("203.0.113.7\n", "203.0.113.7\n", "203.0.113.7", b"not me\n"),
    ("", "127.0.0.1\n", "127.0.0.1", b"not me\n"),
    ("198.18.0.1/255.0.0.0\n", "", "198.18.0.1", b"not me\n"),
    ("", "0.0.0.0/0.0.0.0\n", "127.0.0.1", b"me\n"),
    # lines that are no entries, blanks at line ends, no last newline
    ("# own\n\nhost.example\n 203.0.113.9\n203.0.113.8 \n203.0.113.7\t ", "", "203.0.113.7", b"me\n"),
    ("203.0.113.128/25\n", "", "203.0.113.130", b"me\n"),
    ("2001:db8::/32\n", "2001:db8:1::/48\n", "2001:db8:1::1", b"not me\n"),
    ("", "", "::1", b"me\n"),
])
def test_one_address(home, moreipme, notipme, tested, said):
    home.control(moreipme=moreipme, notipme=notipme)
    done = home.run("ipmetest", tested)
    assert (done.stdout, done.stderr, done.returncode) == (said, b"", 0)


@pytest.mark.parametrize(("words", "said"), [
    ([], b"invalid usage\n"), (["host.example"], b"invalid IP address\n"), ([""], b"invalid IP address\n"), (["127.0.0.1x"], b"invalid IP address\n"),
    (["-x"], b"invalid IP address\n"), (["--quiet=1"], b"invalid usage\n"), (["-"], b"invalid usage\n"),
])
def test_what_cannot_be_answered(home, words, said):
    done = home.run("ipmetest", *words)
    assert (done.stdout, done.stderr, done.returncode) == (said, b"", 1)


@pytest.mark.parametrize(("words", "stdin", "said", "status"), [
    (["127.0.0.1", "203.0.113.6", "::1"], b"", b"me\nnot me\nme\n", 0),
    (["127.0.0.1", "host", "203.0.113.6"], b"", b"me\ninvalid IP address\nnot me\n", 1),
    (["-"], b"203.0.113.6\n\n 127.0.0.1 \r\n::1", b"not me\nme\nme\n", 0),
    (["203.0.113.6", "-", "::1"], b"127.0.0.1\n\xff\n", b"not me\nme\ninvalid IP address\nme\n", 1),
])
def test_several_addresses(home, words, stdin, said, status):
    done = home.run("ipmetest", *words, stdin=stdin)
    assert (done.stdout, done.stderr, done.returncode) == (said, b"", status)


@pytest.mark.parametrize(("words", "stdin", "status", "complaint"), [
    (["127.0.0.1"], b"", 0, b""), (["127.0.0.1", "::1"], b"", 0, b""), (["127.0.0.1", "203.0.113.6"], b"", 1, b""), (["-"], b"127.0.0.1\n", 0, b""),
    (["203.0.113.6", "host"], b"", 100, b"ipmetest: fatal: invalid IP address: host\n"),
    ([], b"", 100, b"ipmetest: usage: ipmetest [-q] address ... (- reads them from standard input)\n"),
    (["-"], b"\n", 100, b"ipmetest: usage: ipmetest [-q] address ... (- reads them from standard input)\n"),
])
@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_exit_status_only(home, option, words, stdin, status, complaint):
    done = home.run("ipmetest", option, *words, stdin=stdin)
    assert (done.stdout, done.stderr, done.returncode) == (b"", complaint, status)


def test_the_control_folder_here(home):
    """LittleHome's working folder is its home: the home's files count, but those below another folder do if the variable exists."""
    (home.path / "elsewhere/control").mkdir(parents=True)
    (home.path / "elsewhere/control/moreipme").write_text("203.0.113.7\n")
    home.control(moreipme="203.0.113.8\n")
    for env, said in (({}, b"not me\nme\n"), ({"IPMETEST_HERE": ""}, b"me\nnot me\n")):
        assert home.run("ipmetest", "203.0.113.7", "203.0.113.8", cwd=home.path / "elsewhere", **env).stdout == said


def test_a_list_that_cannot_be_read(home):
    (home.path / "control/moreipme").mkdir()
    done = home.run("ipmetest", "127.0.0.1")
    assert (done.returncode, done.stdout) == (111, b"")
    assert b"unable to read control/moreipme: is a directory" in done.stderr


def test_help(home):
    assert home.run("ipmetest", "--help").stdout.startswith(b"Usage: ipmetest [-q] ADDRESS...")
