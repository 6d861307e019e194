"""qmail-popup as a process, with shell scripts in the place of checkpassword."""

import os
import re
import threading
import time

import pytest

from qmailpy.pop3.login import Login
from qmailpy.programs import qmail_popup
from qmailpy.programs.qmail_popup import ask, check, main
from qmailpy.unix.connection import Connection
from qmailpy.unix.fds import TimedOut
from tests.checkout import LittleHome, feed, peak_memory
from tests.signalmasks import NONE, masks

LOGIN = b"USER joe\r\nPASS a secret\r\n"
GREETING = re.compile(rb"\+OK (<\d+\.\d+@pop\.example>)\r\n")


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def run(home, script, said=LOGIN):
    """(what it said behind the greeting, standard error); it always exits 1."""
    done = home.run("qmail-popup", "pop.example", "/bin/sh", "-c", script, stdin=said)
    assert done.returncode == 1
    return done.stdout[GREETING.match(done.stdout).end():], done.stderr


@pytest.mark.parametrize(("said", "name"), [(LOGIN, b"joe|a secret"), (b"user x\nUSER joe\r\npAsS  \xff \r\n", b"joe|\xff "), (b"APOP joe d1g e\r\n", b"joe|d1g e")])
def test_name_password_and_the_greetings_stamp_on_descriptor_3(home, said, name):
    done = home.run("qmail-popup", "pop.example", "/bin/sh", "-c", "tr '\\000' '|' <&3", stdin=said)
    stamp = GREETING.match(done.stdout)[1]
    assert done.stdout.endswith(b"\r\n" + name + b"|" + stamp + b"|")
    assert done.returncode == 1


def test_the_password_is_nowhere_else(home):
    secret = "tr '\\000' '\\n' < /proc/$$/environ; tr '\\000' ' ' < /proc/$$/cmdline; tr '\\000' ' ' < /proc/$PPID/cmdline; tr '\\000' '\\n' < /proc/$PPID/environ"
    said, errors = run(home, secret)
    assert b"PATH=" in said and b"qmail-popup" in said
    assert b"secret" not in said + errors


def test_what_the_client_says_behind_its_password_is_for_the_subprogram(home):
    assert run(home, "cat <&3 >/dev/null; cat", LOGIN + b"STAT\r\nQUIT\r\n")[0] == b"+OK \r\nSTAT\r\nQUIT\r\n"


@pytest.mark.parametrize(("script", "said"), [
    ("exit 0", b""), ("exit 1", b"-ERR authorization failed\r\n"), ("cat <&3 >&2; exit 1", b"-ERR authorization failed\r\n"), ("cat <&3 >&2; exit 111", b"-ERR authorization failed\r\n"),
    ("cat <&3 >&2; kill -9 $$", b"-ERR aack, child crashed\r\n"), ("cat <&3 >&2; kill -15 $$", b"-ERR aack, child crashed\r\n"),
])
def test_how_the_subprogram_ends(home, script, said):
    assert run(home, script)[0] == b"+OK \r\n" + said


def test_one_wrong_password_ends_the_connection(home):
    assert run(home, "cat <&3 >&2; exit 1", LOGIN * 3)[0] == b"+OK \r\n-ERR authorization failed\r\n"


def test_the_subprogram_has_descriptors_0_to_3_and_usual_signals(home):
    said, _ = run(home, "ls /proc/$$/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status")
    lines = said.decode().splitlines()[1:]
    assert {fd for fd in map(int, filter(str.isdigit, lines)) if fd < 10} == {0, 1, 2, 3}
    assert masks(said) == NONE


@pytest.mark.parametrize(("said", "heard"), [
    (b"PASS x\r\n", b"-ERR USER first\r\n"), (b"USER\r\n", b"-ERR syntax error\r\n"), (b"APOP joe\r\n", b"-ERR syntax error\r\n"), (b"NOOP\r\n", b"+OK \r\n"),
    (b"STAT\r\n", b"-ERR authorization first\r\n"), (b"CAPA\r\n", b"-ERR authorization first\r\n"), (b"\r\n", b"-ERR authorization first\r\n"),
    (b"x" * 5000 + b"\r\nQUIT\r\n", b"-ERR line too long\r\n+OK \r\n"), (b"QUIT\r\nUSER joe\r\n", b"+OK \r\n"), (b"USER joe\r\nPASS x", b"+OK \r\n"),
])
def test_before_the_login(home, said, heard):
    assert run(home, "echo never", said) == (heard, b"")


def test_a_login_of_any_length_that_a_line_may_have(home):
    said = b"USER " + b"u" * 4000 + b"\r\nPASS " + b"p" * 4000 + b"\r\n"
    assert run(home, "wc -c <&3", said)[0].split(b"\r\n")[1].strip() in {b"%d" % (8000 + 3 + size) for size in range(25, 40)}


@pytest.mark.parametrize("words", [(), ("pop.example",)])
def test_usage(home, words):
    done = home.run("qmail-popup", *words, stdin=LOGIN)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"-ERR usage: popup hostname subprogram\r\n", b"")


def test_a_subprogram_that_is_not_there(home):
    done = home.run("qmail-popup", "pop.example", "/no/such/program", stdin=LOGIN)
    assert done.stdout.endswith(b"\r\n+OK \r\n-ERR authorization failed\r\n")
    assert done.returncode == 1


def test_a_command_without_end_needs_no_memory(home):
    child = home.start("qmail-popup", "pop.example", "true")
    assert GREETING.match(child.stdout.read(1000))
    feed(child.stdin, b"USER " + b"x" * 100000 + b"\r\n")
    assert child.stdout.read(1000) == b"-ERR line too long\r\n"
    assert peak_memory(child) < 40000  # KiB
    child.communicate()


@pytest.fixture
def pipes():
    """Four ends: our source, the client's end of it, what the client reads, our target."""
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for end in ends:
        os.close(end)


def test_a_silent_client(pipes):
    source, _, _, target = pipes
    with pytest.raises(TimedOut):
        ask(Login(b"<>"), Connection(source, target, 0.05))


def test_a_command_that_drips_is_cut_off(pipes):
    source, client, _, target = pipes
    over = threading.Event()

    def drip():
        while not over.wait(0.02):
            os.write(client, b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(TimedOut):
        ask(Login(b"<>"), Connection(source, target, 0.2))
    assert time.monotonic() < begin + 10
    over.set()
    thread.join()


def test_no_descriptor_is_left_behind():
    before = os.listdir("/proc/self/fd")
    assert check(["/bin/sh", "-c", "cat <&3 > /dev/null; exit 7"], dict(os.environ), b"x\0y\0z\0") == "authorization failed"
    assert os.listdir("/proc/self/fd") == before


def test_a_bug_does_not_tell_the_password(monkeypatch, capfd):
    monkeypatch.setattr(qmail_popup, "check", lambda words, env, secret: {}[secret])
    saved, (source, client) = os.dup(0), os.pipe()
    try:
        os.write(client, LOGIN)
        os.dup2(source, 0)
        assert main(["qmail-popup", "pop.example", "true"], {}) == 1
    finally:
        os.dup2(saved, 0)
        for fd in (saved, source, client):
            os.close(fd)
    assert capfd.readouterr().err == "qmail-popup: fatal: internal error\n"
