"""maildirwatch."""

import os
import signal
import subprocess

import pytest

from qmailpy.exits import Temporary
from qmailpy.programs.maildirwatch import CLEAR, screen
from tests.checkout import LittleHome

THEN, NOW = 1700000000, 1700000100


@pytest.fixture
def box(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return tmp_path / "box"


def put(box, name, content, when=THEN):
    path = box / name
    path.write_bytes(content)
    os.utime(path, (when, when))


def shown(box):
    text = screen(os.fsencode(box), NOW)
    assert text.startswith(CLEAR)
    return text[len(CLEAR):]


def test_new_messages_oldest_first(box):
    put(box, "new/b", b"Return-Path: <s@x>\nDelivered-To: joe@me\nFrom: Sue\n <s@x>\nSubject: hi\n\nText\n")
    put(box, "new/a", b"Subject: later\n\n", THEN + 5)
    put(box, "cur/c:2,S", b"Subject: seen\n\n")
    put(box, "new/d", b"Subject: in this second\n\n", NOW)
    assert shown(box) == (b"FROM <s@x> TO <joe@me>\n\033[1mFrom: Sue/ <s@x>\033[0m\nhi//Text/\n\n"
                          b"FROM ? TO <?>\nlater//\n\n")


@pytest.mark.parametrize(("message", "lines"), [
    (b"", b"FROM ? TO <?>\n\n\n"), (b"\nbody\n", b"FROM ? TO <?>\n/body/\n\n"), (b"body without header", b"FROM ? TO <?>\n/body without header/\n\n"),
    (b"Return-Path: <\x1b]0;x\x07>\nFrom: \x1b[2J\nSubject: \xff\n\n\x9b\n", b"FROM <?]0;x?> TO <?>\n\033[1mFrom: /[2J\033[0m\n////" b"/\n\n"),
    (b"Subject: a\nSubject: b\n", b"FROM ? TO <?>\na/b/\n\n"), (b"Subject:" + b"x" * 500 + b"\n\ny\n", b"FROM ? TO <?>\n" + b"x" * 158 + b"\n\n"),
    (b"X: " + b"x" * 65531 + b"\n\nbody\n", b"FROM ? TO <?>\n/body/\n\n"),
])
def test_a_message(box, message, lines):
    put(box, "new/a", message)
    assert shown(box) == lines


def test_an_endless_header_does_not_end_the_watch(box):
    put(box, "new/a", b"Subject: big\nY: z\n" + b"X: " + b"x" * (17 << 20) + b"\n\n")
    put(box, "new/b", b"Subject: small\n\n", THEN + 1)
    assert shown(box) == b"FROM ? TO <?>\nbig/\n\nFROM ? TO <?>\nsmall//\n\n"


def test_what_cannot_be_read(box):
    (box / "new/a").symlink_to("nowhere")
    assert shown(box) == b""
    (box / "new/b").mkdir()
    os.utime(box / "new/b", (THEN, THEN))
    with pytest.raises(Temporary, match="trouble reading new message"):
        screen(os.fsencode(box), NOW)


def test_leftovers_in_tmp_are_removed(box):
    put(box, "tmp/old", b"", NOW - 129601)
    put(box, "tmp/young", b"", NOW - 129599)
    assert shown(box) == b""
    assert os.listdir(box / "tmp") == ["young"]


def test_it_goes_on_until_interrupted_and_then_ends_without_a_word(box, tmp_path):
    put(box, "new/a", b"Subject: hi\n\n")
    program = LittleHome(tmp_path).link("maildirwatch")
    child = subprocess.Popen([program], env={"MAILDIR": str(box), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert [child.stdout.readline() for _ in range(3)] == [CLEAR + b"FROM ? TO <?>\n", b"hi//\n", b"\n"]
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60) == (b"", b"")
    assert child.returncode == -signal.SIGINT


@pytest.mark.parametrize(("env", "words"), [({}, b"MAILDIR not set"), ({"MAILDIR": "/none"}, b"unable to chdir to /none: file does not exist")])
def test_no_maildir(tmp_path, env, words):
    done = LittleHome(tmp_path).run("maildirwatch", **env)
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"maildirwatch: fatal: " + words + b"\n")
