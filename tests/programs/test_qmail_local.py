"""qmail-local as a process."""

import os
import subprocess
import sys

import pytest

from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    place = tmp_path / "qmail"
    place.mkdir()
    found = LittleHome(place)
    found.user = tmp_path / "joe"
    found.user.mkdir()
    os.chmod(found.user, 0o755)
    return found


def deliver(home, *options, message=b"Subject: x\n\nbody\n", dash="", ext="", sender="s@x", default="./Mailbox"):
    path = home.path / "message"
    path.write_bytes(message)
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-local", "qmail-local", *options]
    words = ["joe", str(home.user), f"joe{dash}{ext}", dash, ext, "h.example", sender, default]
    with open(path, "rb") as stdin:
        return subprocess.run(command + words, stdin=stdin, capture_output=True, env={"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder)})


def test_a_delivery(home):
    done = deliver(home)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"did 1+0+0\n", b"")
    assert (home.user / "Mailbox").read_bytes().endswith(b"\nbody\n\n")


def test_what_it_says_has_no_name_before_it(home):
    done = deliver(home, dash="-", ext="none")
    assert (done.returncode, done.stderr) == (100, b"Sorry, no mailbox here by that name. (#5.1.1)\n")
    os.chmod(home.user, 0o1755)
    assert deliver(home).returncode == 111


@pytest.mark.parametrize(("options", "out"), [(("-n",), b"mbox ./Mailbox\ndid 1+0+0\n"), (("-nN",), b"did 1+0+0\n"), (("-n", "-N", "--"), b"did 1+0+0\n")])
def test_options(home, options, out):
    assert deliver(home, *options).stdout == out


def test_usage(home):
    done = deliver(home, "-x")
    assert done.returncode == 100
    assert b"illegal option -- x\nqmail-local: usage: qmail-local [ -nN ] user" in done.stderr
    assert home.run("qmail-local", "a").returncode == 100


def test_forwards(home):
    (home.user / ".qmail").write_text("&a@b\nc@d\n")
    done = deliver(home)
    assert done.returncode == 0
    assert done.stdout.startswith(b"did 0+2+0\nqp ")
    message, envelope = home.queued()
    assert message == b"Delivered-To: joe@h.example\nSubject: x\n\nbody\n"
    assert envelope == b"Fs@x\0Ta@b\0Tc@d\0\0"


def test_many_deliveries_to_one_maildir_at_once(home):
    for part in ("tmp", "new", "cur"):
        (home.user / "Maildir" / part).mkdir(parents=True)
    path = home.path / "message"
    path.write_bytes(b"Subject: x\n\n")
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-local", "qmail-local", "joe", str(home.user), "joe", "", "", "h", "s", "./Maildir/"]
    children = []
    for _ in range(30):
        with open(path, "rb") as stdin:
            children.append(subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, env={}))
    assert [child.wait() for child in children] == [0] * 30
    assert len(list((home.user / "Maildir/new").iterdir())) == 30
    assert list((home.user / "Maildir/tmp").iterdir()) == []


def test_a_program_that_takes_too_long(home):
    home.control(timeoutdelivery="1\n")
    (home.user / ".qmail").write_text("|sleep 600 & wait\n./Mailbox\n")
    done = deliver(home)  # which waits until nobody holds its output open any more
    assert (done.returncode, done.stderr) == (111, b"Timeout on delivery to program. (#4.3.0)\n")
    assert not (home.user / "Mailbox").exists()


def test_a_limit_that_cannot_be_read_lets_the_mail_wait(home):
    (home.path / "control/timeoutdelivery").mkdir()
    (home.user / ".qmail").write_text("|true\n")
    done = deliver(home)
    assert (done.returncode, done.stderr) == (111, b"unable to read control/timeoutdelivery: is a directory\n")
