"""The end of a message."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.send.clean import Cleaner
from qmailpy.send.files import Files
from qmailpy.send.finish import Finisher, Later
from qmailpy.send.settings import Settings
from tests.send.queue import make, put

KEEP = "#!/bin/sh\ncat > {0}/message; cat <&1 > {0}/envelope; exit $(cat {0}/exit 2>/dev/null || echo 0)\n"


@pytest.fixture
def end(tmp_path):
    """A finisher whose queue program keeps what it gets, and whose cleaner says + to everything."""
    (tmp_path / "control").mkdir()
    (tmp_path / "control/me").write_text("mx.example\n")
    (tmp_path / "queue").mkdir()
    program = tmp_path / "keep"
    program.write_text(KEEP.format(tmp_path))
    program.chmod(0o755)
    home, files = Home(str(tmp_path)), Files(make(tmp_path / "queue"))
    orders, answers = os.pipe(), os.pipe()
    os.write(answers[1], b"+" * 50)
    yield Finisher(home, {"QMAILQUEUE": str(program), "PATH": os.environ["PATH"]}, files, Settings(home), Cleaner(orders[1], answers[0])), orders[0], tmp_path
    for fd in (*orders, *answers):
        os.close(fd)


def left(finisher, number):
    return {kind for kind in ("mess", "info", "local", "remote", "bounce") if finisher.files.exists(kind, number)}


def test_without_bounce(end):
    finisher, orders, place = end
    put(finisher.files.paths, 7, mess=b"m", info=b"Fs@x\0")
    finisher.finish(7, 0)
    assert os.read(orders, 50) == b"foop/7\0"
    assert left(finisher, 7) == {"mess"}
    assert not (place / "message").exists()


def test_with_bounce(end):
    finisher, _, place = end
    put(finisher.files.paths, 7, mess=b"Subject: m\n\nbody\n", info=b"Fs@x\0", bounce=b"<r@y>:\nno\n\n")
    finisher.finish(7, 1000000000)
    text = (place / "message").read_bytes()
    assert b"\nTo: s@x\n" in text
    assert text.endswith(b"\n\n<r@y>:\nno\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <s@x>\nSubject: m\n\nbody\n")
    assert (place / "envelope").read_bytes() == b"F\0Ts@x\0\0"
    assert left(finisher, 7) == {"mess"}


@pytest.mark.parametrize("sender", [b"s@x", b""])
def test_a_bounce_has_the_beginning_of_a_long_message(end, sender):
    finisher, _, place = end
    finisher.settings.bounce_limit = 100000
    put(finisher.files.paths, 7, mess=b"m" * 100001, info=b"F" + sender + b"\0", bounce=b"<r@y>:\n" + b"no" * 100000 + b"\n\n")
    finisher.finish(7, 0)
    told, _, copy = (place / "message").read_bytes().partition(b"\nReturn-Path: <" + sender + b">\n")
    assert b"no" * 100000 in told
    assert copy == b"m" * 100000 + b"\n\n--- End of message stripped.\n"


@pytest.mark.parametrize("code", ["53", "31", "82"])
def test_a_queue_that_refuses_keeps_everything(end, code):
    finisher, _, place = end
    (place / "exit").write_text(code)
    put(finisher.files.paths, 7, mess=b"m", info=b"Fs@x\0", bounce=b"b")
    with pytest.raises(Later):
        finisher.finish(7, 0)
    assert left(finisher, 7) == {"mess", "info", "bounce"}


def test_double_and_triple_bounces(end):
    finisher, _, place = end
    put(finisher.files.paths, 7, mess=b"m", info=b"F\0", bounce=b"b")
    finisher.finish(7, 0)
    assert (place / "envelope").read_bytes() == b"F#@[]\0Tpostmaster@mx.example\0\0"
    (place / "envelope").unlink()
    put(finisher.files.paths, 8, mess=b"m", info=b"F#@[]\0", bounce=b"b")
    finisher.finish(8, 0)
    assert not (place / "envelope").exists()
    assert left(finisher, 8) == {"mess"}


@pytest.mark.parametrize("files", [{"local": b"Ta\0"}, {"remote": b"Ta\0"}, {"todo": b""}])
def test_a_false_alarm(end, files):
    finisher, _, _ = end
    put(finisher.files.paths, 7, mess=b"m", info=b"Fs\0", **files)
    finisher.finish(7, 0)
    assert "info" in left(finisher, 7)


def test_a_message_that_has_gone_is_removed(end):
    finisher, orders, place = end
    put(finisher.files.paths, 7, info=b"Fs@x\0", bounce=b"b")
    finisher.finish(7, 0)
    assert left(finisher, 7) == set()
    assert not (place / "message").exists()
    assert os.read(orders, 50) == b"foop/7\0"
