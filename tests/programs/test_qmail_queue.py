"""qmail-queue as a process: codes, and what is left."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from qmailpy.home import Home
from qmailpy.programs.qmail_queue import further_recipients, origin
from qmailpy.settings.load import load
from tests.checkout import TOP, LittleHome
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


def start(home, message=subprocess.PIPE, envelope=GOOD, env=None, **how):
    read, write = os.pipe()
    os.write(write, envelope)
    os.close(write)
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-queue", "qmail-queue"]
    child = subprocess.Popen(command, stdin=message, stdout=read, stderr=subprocess.PIPE, env=env or {}, **how)
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


def stored(home):
    """(the message without our own Received field, its recipients) of the one that was queued."""
    intd, mess, _ = files(home)
    field, _, text = (home.path / "queue" / mess).read_bytes().partition(b"\n")
    assert field.startswith(b"Received: (qmail ")
    sender, *recipients = (home.path / "queue" / intd).read_bytes().split(b"\0")[2:-1]
    assert sender.startswith(b"F")
    return text, [recipient.removeprefix(b"T") for recipient in recipients]


# aio: extraqueue
@pytest.mark.parametrize(("extraqueue", "envelope", "recipients"), [
    ("log\n", b"Fa\0Tb\0\0", [b"log", b"b"]),
    ("log\narchive@x.example\n", b"Fa\0Tb\0Tc\0\0", [b"log", b"archive@x.example", b"b", b"c"]),
    ("# comment\n", b"Fa\0Tb\0\0", [b"b"]),
    ("log\n", b"Fa\0\0", [b"log"]),
    ("log\n", b"Fa\0Tlog\0\0", [b"log", b"log"]),
    # an address as it stands, the T of an old recipe too; blanks at line ends; no last newline; a bounce and a double bounce
    ("Tlog \t\n\n#x\nTom@Archive.example", b"Fa\0Tb\0\0", [b"Tlog", b"Tom@Archive.example", b"b"]),
    ("log\n", b"F\0Tb\0\0", [b"log", b"b"]),
    ("log\n", b"F#@[]\0Tb\0\0", [b"log", b"b"]),
    ("", b"Fa\0Tb\0\0", [b"b"]),
])
def test_extraqueue(home, extraqueue, envelope, recipients):
    home.control(extraqueue=extraqueue)
    assert run(home, envelope=envelope) == 0
    assert stored(home) == (b"Subject: x\n\n", recipients)


@pytest.mark.parametrize(("extraqueue", "code"), [(None, 55), ("log\n" + "y" * 2000, 11), ("y" * 1003, 11), ("log\0\0x", 55)])
def test_an_extraqueue_that_cannot_be_used_refuses_every_message(home, extraqueue, code):
    if extraqueue is None:
        (home.path / "control/extraqueue").mkdir()
    else:
        home.control(extraqueue=extraqueue)
    assert run(home) == code
    assert files(home) == []


RELAY = {"TCPREMOTEIP": "10.0.0.5", "RELAYCLIENT": ""}


# aio: originipfield
@pytest.mark.parametrize(("originipfield", "env", "field"), [
    ("1\n", RELAY, b"X-Originating-IP: 10.0.0.5\n"),
    ("1\n", {"TCPREMOTEIP": "192.0.2.1"}, b""),
    ("1\n", {**RELAY, "ORIGINIPFIELD": "0"}, b""),
    (None, {**RELAY, "ORIGINIPFIELD": "1"}, b"X-Originating-IP: 10.0.0.5\n"),
    (None, {**RELAY, "ORIGINIPFIELD": ""}, b""),
    ("1\n", {}, b""),
    # the variable without a file; the file's 0; who is told of, and what is no address
    (None, RELAY, b""),
    ("1\n", {**RELAY, "ORIGINIPFIELD": ""}, b""),
    ("0\n", RELAY, b""),
    ("", RELAY, b""),
    ("1\n", {"TCPREMOTEIP": "192.0.2.77", "RELAYCLIENT": "@gate.example"}, b"X-Originating-IP: 192.0.2.77\n"),
    ("1\n", {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEINFO": "joe"}, b""),
    ("1\n", {"RELAYCLIENT": ""}, b""),
    ("1\n", {**RELAY, "TCPREMOTEIP": "2001:db8::25"}, b"X-Originating-IP: 2001:db8::25\n"),
    ("1\n", {**RELAY, "TCPREMOTEIP": "unknown"}, b""),
    ("1\n", {**RELAY, "TCPREMOTEIP": "10.0.0.5\nX-Evil: yes"}, b""),
    ("1\n", {**RELAY, "TCPREMOTEIP": "10.0.0.5\n"}, b""),
])
def test_originipfield(home, originipfield, env, field):
    if originipfield is not None:
        home.control(originipfield=originipfield)
    assert run(home, message=b"Subject: x\nX-Originating-IP: 192.0.2.9\n\n", env=env) == 0
    assert stored(home) == (field + b"Subject: x\nX-Originating-IP: 192.0.2.9\n\n", [b"b@y"])


def test_an_originipfield_that_cannot_be_read(home):
    (home.path / "control/originipfield").mkdir()
    assert run(home) == 55
    assert files(home) == []
    assert run(home, env={"ORIGINIPFIELD": "1"}) == 0  # nobody looks at the file then


@pytest.mark.parametrize("text", ["", "log", "# x\n\na@b \n c\n", "1\n", "10x\n", "0\n", "-1\n", " 1\n", "x\n1\n"])
def test_the_files_are_read_as_all_others_are(tmp_path, text):
    """qmail-queue does not read them through settings/load.py; it must come to the same."""
    (tmp_path / "control").mkdir()
    home = Home(str(tmp_path))
    for name in ("extraqueue", "originipfield"):
        (tmp_path / "control" / name).write_text(text)
    assert further_recipients(home) == load(home, ("extraqueue",)).list("extraqueue")
    assert (origin(home, RELAY) != b"") is load(home, ("originipfield",), RELAY).flag("originipfield")
    env = {**RELAY, "ORIGINIPFIELD": text}
    assert (origin(home, env) != b"") is load(home, ("originipfield",), env).flag("originipfield")


def test_without_the_files_nothing_is_imported_for_them(home):
    code = "import sys; sys.path[:0] = [sys.argv[1]]; from qmailpy.programs.qmail_queue import *; from qmailpy.home import Home; " \
           "print(further_recipients(Home(sys.argv[2])), origin(Home(sys.argv[2]), {}), *(name for name in sys.modules if 'settings' in name or 'text.ip' in name))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, str(TOP), str(home.path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[] b''\n"
