"""qmail-queue as a process: codes, and what is left."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from tests.checkout import LittleHome
from tests.home import wait_for
from tests.send.queue import make

GOOD = b"Fa@x\0Tb@y\0\0"


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    make(tmp_path / "queue", split=23)
    (tmp_path / "queue/pid").mkdir()
    return found


def start(home, message=subprocess.PIPE, envelope=GOOD, **how):
    read, write = os.pipe()
    os.write(write, envelope)
    os.close(write)
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-queue", "qmail-queue"]
    child = subprocess.Popen(command, stdin=message, stdout=read, stderr=subprocess.PIPE, env={}, **how)
    os.close(read)
    return child


def run(home, message=b"Subject: x\n\n", **how):
    child = start(home, **how)
    _, stderr = child.communicate(message)
    assert stderr == b""
    return child.returncode


def files(home):
    return sorted(os.path.relpath(os.path.join(place, name), home.path / "queue") for place, _, names in os.walk(home.path / "queue") for name in names
                  if "lock" not in place)


def test_a_message_is_queued_and_the_trigger_pulled(home):
    trigger = os.open(home.path / "queue/lock/trigger", os.O_RDONLY | os.O_NONBLOCK)
    assert run(home) == 0
    assert os.read(trigger, 10) == b"\0"
    os.close(trigger)
    intd, mess, todo = files(home)
    number = int(os.path.basename(todo))
    assert (intd, mess, todo) == (f"intd/{number}", f"mess/{number % 23}/{number}", f"todo/{number}")
    text = (home.path / "queue" / mess).read_bytes()
    assert text.startswith(b"Received: (qmail ") and text.endswith(b" -0000\nSubject: x\n\n")
    assert f" invoked by uid {os.getuid()}); ".encode() in text


@pytest.mark.parametrize(("gone", "code"), [("queue", 62), ("queue/pid", 63), ("queue/intd", 65), ("queue/todo", 66)])
def test_missing_folders(home, gone, code):
    os.rename(home.path / gone, home.path / "away")
    assert run(home) == code


def test_a_full_disk(home):
    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    assert run(home, b"x" * 5000, preexec_fn=small) == 53
    assert files(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE])
def test_signals_that_it_survives(home, number):
    child = start(home)
    child.stdin.write(b"Subject: x\n")
    child.stdin.flush()
    wait_for(lambda: any(name.startswith("mess/") for name in files(home)))
    child.send_signal(number)
    child.stdin.write(b"\nbody\n")
    child.communicate()
    assert child.returncode == 0


def test_a_killed_one_leaves_what_qmail_clean_removes(home):
    child = start(home)
    child.stdin.write(b"Subject: x\n")
    child.stdin.flush()
    wait_for(lambda: any(name.startswith("mess/") for name in files(home)))
    child.kill()
    child.communicate()
    assert [name.split("/")[0] for name in files(home)] == ["mess"]


@pytest.mark.parametrize("envelope", [b"", b"Fa\0Tb\0", b"junk"])
def test_nothing_is_left_of_a_refused_message(home, envelope):
    assert run(home, envelope=envelope) in (54, 91)
    assert files(home) == []


def test_the_umask_of_the_caller_does_not_count(home):
    assert run(home, umask=0o777) == 0
    assert all((home.path / "queue" / name).stat().st_mode & 0o777 == 0o644 for name in files(home))
