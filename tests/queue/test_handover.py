"""Queueing a message that is on a descriptor."""

import os

import pytest

from qmailpy.exits import Permanent, Temporary
from qmailpy.home import Home
from qmailpy.queue.handover import hand_over, queue_process, variable
from tests.checkout import LittleHome
from tests.home import room_for


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def hand(home, source, *, head=b"Delivered-To: x\n", sender=b"s@x", recipients=(b"a@y", b"b@z"), **env):
    return hand_over(Home(str(home.path)), {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), **env}, head, source, sender, recipients)


@pytest.fixture
def message(tmp_path):
    (tmp_path / "message").write_bytes(b"Subject: x\n\n" + b"body\n" * 50000)
    fd = os.open(tmp_path / "message", os.O_RDONLY)
    yield fd
    os.close(fd)


def test_a_message_and_what_stands_before_it(home, message):
    assert hand(home, message) > 1
    assert home.queued() == (b"Delivered-To: x\nSubject: x\n\n" + b"body\n" * 50000, b"Fs@x\0Ta@y\0Tb@z\0\0")


def test_from_where_the_descriptor_stands(home, message):
    os.lseek(message, -5, os.SEEK_END)
    hand(home, message, head=b"", recipients=iter([b"a"]))
    assert home.queued() == (b"body\n", b"Fs@x\0Ta\0\0")


@pytest.mark.parametrize(("code", "says", "problem", "text"), [
    (31, "", Permanent, "mail server permanently rejected message (#5.3.0)"), (82, "Dno (#5.7.1)", Permanent, "no (#5.7.1)"), (53, "", Temporary, "qq write error or disk full (#4.3.0)"),
    (82, "Zlater", Temporary, "later"),
])
def test_what_the_queue_program_says(home, message, code, says, problem, text):
    home.queue_exits(code, says)
    with pytest.raises(problem) as raised:
        hand(home, message)
    assert raised.value.text == text


def test_a_message_that_cannot_be_read_is_not_queued(home, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(Temporary, match="unable to read message: is a directory"):
        hand(home, folder)
    os.close(folder)
    assert home.queued()[1] == b""


def test_a_queue_program_that_cannot_be_run(home, message):
    with pytest.raises(Temporary, match="unable to exec qq"):
        hand(home, message, QMAILQUEUE="/nowhere")


def test_no_descriptors_for_a_queue_program(home):
    with room_for(2), pytest.raises(Temporary, match="^unable to fork: process cannot open more files$"):
        queue_process(Home(str(home.path)), {})


def test_variables():
    assert variable({"SENDER": "a\udcff"}, "SENDER") == b"a\xff"
    assert variable({"SENDER": ""}, "SENDER") == b""
    with pytest.raises(Permanent, match="SENDER not set"):
        variable({}, "SENDER")
