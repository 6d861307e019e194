"""qmail-explain: the whole answer."""

import json
import subprocess

import pytest

from qmailpy.unix.cdb import write
from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(rcpthosts="ours.example\n", locals="ours.example\n", badheloext="!\\.\n", greetdelay="7\n", antispoofing="own.example: 10/255.0.0.0\n")
    return found


@pytest.mark.parametrize(("words", "status", "told"), [
    (("--to", "bob@else.example"), 100, "553 sorry, that domain isn't in my list"),
    (("--to", "a@ours.example", "--helo", "localhost"), 100, "control/badheloext:1: !\\."),
    (("--to", "a@ours.example", "--helo", "x.example"), 0, "354 go ahead"),
    (("--to", "a@ours.example", "--helo", "localhost", "--relay"), 0, "badheloint"),
    (("--to", "a@ours.example", "--helo", "localhost", "--env", "NOBADHELOEXT="), 0, "badheloext: switched off by NOBADHELOEXT"),
    (("--to", "a@far.example", "--auth", "joe", "--tls"), 0, "remote: a@far.example"),
    (("--to", "a@ours.example", "--from", "x@own.example"), 100, "your envelope sender is not allowed"),
    (("--to", "a@ours.example", "--env", "GREETDELAY=9"), 0, "(after 9 s)"),
    (("--to", "a@ours.example", "--env", "MAXRECIPIENTS=1", "--to", "b@ours.example"), 111, "452 sorry, too many recipients"),
    (("--to", "a@ours.example", "--ip", "10.1.2.3", "--from", "x@own.example", "--host", "h.example"), 0, "250 ok"),
])
def test_answers(home, words, status, told):
    done = home.run("qmail-explain", *words)
    assert (done.returncode, done.stderr) == (status, b"")
    assert told in done.stdout.decode()
    assert "(after 7 s)" in done.stdout.decode() or "GREETDELAY=9" in words


def test_json(home):
    done = home.run("qmail-explain", "--json", "--to", "a@ours.example", "--to", "b@far.example", "--relay")
    found = json.loads(done.stdout)
    assert (found["accepted"], found["limit"]) == (True, 0)
    assert [command["command"] for command in found["commands"]] == ["", "MAIL FROM:<>", "RCPT TO:<a@ours.example>", "RCPT TO:<b@far.example>", "DATA"]
    assert [command.get("destination", {}).get("channel") for command in found["commands"]] == [None, None, "local", "remote", None]


@pytest.mark.parametrize(("ip", "status", "told"), [("192.0.2.1", 100, b"The listener's rules deny this client.\n"), ("10.0.0.1", 0, b"badrmhostint"), ("192.0.2.2", 0, b"badrmhostext")])
def test_rules_of_the_listener(home, ip, status, told):
    path = str(home.path / "tcp.cdb")
    write(path, {b"192.0.2.1": b"D", b"10.": b"+RELAYCLIENT=\0", b"": b""}.items())
    done = home.run("qmail-explain", "--rules", path, "--ip", ip, "--to", "a@ours.example")
    assert done.returncode == status and told in done.stdout


@pytest.mark.parametrize("words", [(), ("--to",), ("--to", "a@b", "--env", "X"), ("--to", "a@b", "--rules", "/no/such/file"), ("--nonsense",)])
def test_what_makes_no_sense(home, words):
    done = home.run("qmail-explain", *words)
    assert done.returncode == 100 and done.stderr and not done.stdout


def test_help(home):
    done = home.run("qmail-explain", "--help")
    assert done.returncode == 0 and b"--callback" in done.stdout


def test_control_files_that_cannot_be_read(home):
    (home.path / "control/databytes").mkdir()
    done = home.run("qmail-explain", "--to", "a@b")
    assert done.returncode == 111 and b"control/databytes" in done.stderr


def test_nothing_is_queued_or_changed(home):
    def files():
        return subprocess.run(["find", str(home.path), "-not", "-name", "*.pyc", "-not", "-name", "__pycache__", "-printf", "%p %T@ %s\n"], capture_output=True).stdout

    before = files()
    home.run("qmail-explain", "--to", "a@ours.example", "--helo", "x.example", "--relay")
    assert files() == before
