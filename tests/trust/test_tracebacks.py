"""A fault in the middle of any program: told in one line to the administrator, as a failure for now to everybody else, and never in Python's words."""

import re
import subprocess
import sys

import pytest

from tests.checkout import LittleHome
from tests.netstrings import qmqp, qmtp
from tests.smtpsink import SmtpSink

# Runs boot.py with one call of the system's functions that fails; makes a file if it came to that.
DRIVER = r"""
import os, sys
number, kind, struck, boot = int(sys.argv[1]), *sys.argv[2:5]
sys.argv[:] = sys.argv[4:]
faults = {"bug": lambda: RuntimeError("injected\r\n250 fault"), "memory": MemoryError, "disk": lambda: OSError(5, "injected"), "name": lambda: KeyError("injected")}
calls, mine = [0], os.getpid()

def failing(real):
    def call(*words, **named):
        calls[0] += 1
        if calls[0] == number and real_getpid() == mine:
            real_close(real_open(struck, os.O_WRONLY | os.O_CREAT))
            raise faults[kind]()
        return real(*words, **named)
    return call

real_open, real_close, real_getpid = os.open, os.close, os.getpid
for name in ("open read stat fstat lstat listdir scandir pipe2 fork dup2 link rename unlink mkdir getuid geteuid umask chdir lseek fsync readlink waitpid access urandom uname "
             "lseek pidfd_open get_terminal_size getppid").split():
    if hasattr(os, name):
        setattr(os, name, failing(getattr(os, name)))
with open(boot) as text:
    exec(compile(text.read(), boot, "exec"), {"__name__": "__main__", "__file__": boot})
"""
KINDS = ("bug", "memory", "disk", "name")
OURS = re.compile(rb"Traceback|File \"|\.py\", line|injected|RuntimeError|KeyError")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "qmail").mkdir()
    found = LittleHome(tmp_path / "qmail")
    found.user = tmp_path / "joe"
    for name in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        (found.user / name).mkdir()
    (found.path / "queue/lock").mkdir(parents=True)
    (found.path / "queue/lock/tcpto").write_bytes(bytes(1024))
    found.control(rcpthosts="ours.example\n", badheloext="evil\n")
    (found.path / "driver.py").write_text(DRIVER)
    return found


def runs(home, program, *words, stdin=b"", **env):
    """Run a program again and again, each time with another call that fails, until none is left: (exit status, standard output, standard error) of each."""
    message = home.path / "message"
    message.write_bytes(stdin)
    number = 0
    while True:
        number += 1
        struck = home.path / f"struck.{number}"
        command = [sys.executable, "-I", "-S", str(home.path / "driver.py"), str(number), KINDS[number % len(KINDS)], str(struck), *home.command(program, *words)[3:]]
        with open(message, "rb") as opened:
            done = subprocess.run(command, stdin=opened, env=home.environment(env), cwd=home.path, capture_output=True, timeout=60)
        if not struck.exists():
            assert number > 4, done
            return
        yield done.returncode, done.stdout, done.stderr


def is_told_in_one_line(said):
    """What the administrator hears, if anything."""
    assert b"Traceback" not in said and b'File "' not in said
    assert said.count(b"\n") <= 2 and b"\r" not in said, said


SESSION = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"


def test_qmail_smtpd(home):
    for status, said, errors in runs(home, "qmail-smtpd", stdin=SESSION):
        assert not OURS.search(said) and status in (0, 1, 111)
        assert all(re.match(rb"[245][0-9]{2}[ -]|354 |$", line) for line in said.split(b"\r\n")), said
        assert status == 0 or b" qp " not in said or said.endswith(b"\r\n"), said
        is_told_in_one_line(errors)


@pytest.mark.parametrize(("program", "package"), [("qmail-qmtpd", qmtp()), ("qmail-qmqpd", qmqp())])
def test_qmtp_and_qmqp(home, program, package):
    for status, said, errors in runs(home, program, stdin=package):
        assert not OURS.search(said) and status in (0, 111)
        assert said == b"" or re.match(rb"[0-9]+:[KZ]", said), said
        is_told_in_one_line(errors)


def test_qmail_popup(home):
    for status, said, errors in runs(home, "qmail-popup", "pop.example", "/bin/false", stdin=b"USER joe\r\nPASS secret\r\n"):
        assert not OURS.search(said) and status in (1, 111) and b"secret" not in errors + said
        assert all(line.startswith((b"+OK", b"-ERR")) for line in said.split(b"\r\n") if line)
        is_told_in_one_line(errors)


@pytest.mark.parametrize("orders", ["./Maildir/\n", "./Mailbox\n", "|cat > /dev/null\n", "&a@b.example\n"])
def test_qmail_local(home, orders):
    """What it says stands in a bounce or in the log, and its exit code decides whether the mail bounces."""
    (home.user / ".qmail").write_text(orders)
    for status, said, errors in runs(home, "qmail-local", "joe", str(home.user), "joe", "", "", "h.example", "s@x.example", "./Mailbox", stdin=b"Subject: x\n\nbody\n"):
        assert status in (0, 111), (status, said, errors)
        is_told_in_one_line(errors)
    assert len(list((home.user / "Maildir/tmp").iterdir())) <= 1  # where it was the removal that failed


def test_qmail_remote(home):
    """Its records decide whether the mail bounces."""
    with SmtpSink() as sink:
        home.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        for status, said, errors in runs(home, "qmail-remote", "far.example", "s@x.example", "r@far.example", stdin=b"Subject: x\n\nbody\n"):
            assert not OURS.search(said)
            assert status == 111 or (status == 0 and re.match(rb"Z|r\0[KZ]", said)), (status, said, errors)
            is_told_in_one_line(errors)


@pytest.mark.parametrize(("program", "words"), [("qmail-inject", ["x@y.example"]), ("sendmail", ["-t"]), ("forward", ["x@y.example"]), ("predate", ["true"])])
def test_programs_of_users(home, program, words):
    home.link("qmail-inject")
    for status, said, errors in runs(home, program, *words, stdin=b"To: a@b.example\n\nbody\n", NEWSENDER="s@x", DTLINE="d\n"):
        assert status in (0, 111), (status, said, errors)
        assert not OURS.search(said)
        is_told_in_one_line(errors)
