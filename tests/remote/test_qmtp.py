"""Sending by QMTP, to a server that a test plays."""

import os

import pytest

from qmailpy.remote.qmtp import ANSWER_LIMIT, QmtpCourier, package
from qmailpy.text.netstring import encoded
from qmailpy.unix.net import connect
from qmailpy.unix.spool import Spool
from tests.netstrings import Server, joined

MESSAGE = b"Subject: x\n\n.\nbody\r\n"


def send(source, place, recipients):
    """The records for a message on a descriptor, which is sent as descriptor 0."""
    saved = os.dup(0)
    try:
        os.dup2(source, 0)
        return QmtpCourier(connect("127.0.0.1", place.port, 10, 10), "127.0.0.1").run(b"s@x", recipients)
    finally:
        os.dup2(saved, 0)
        os.close(saved)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "message").write_bytes(MESSAGE)
    fd = os.open(tmp_path / "message", os.O_RDONLY)
    yield fd
    os.close(fd)


def test_each_recipient_has_its_record(source):
    with Server(3, encoded(b"Kok 1 qp 2") + encoded(b"Zlater") + encoded(b"Dno\0such\n")) as server:
        found = send(source, server, [b"a b@y", b"c@y", b"d@y"])
    assert found == (b"r\0s127.0.0.1 does not like recipient.\nRemote host said: later\n\0h127.0.0.1 does not like recipient.\nRemote host said: no?such\n\0"
                     b"K127.0.0.1 accepted message.\nRemote host said: ok 1 qp 2\n\0")
    assert server.got == [[b"\n" + MESSAGE, b"s@x", joined(b"a b@y", b"c@y", b"d@y")]]


def test_nobody_is_taken(source):
    with Server(3, encoded(b"Dno")) as server:
        assert send(source, server, [b"a"]).endswith(b"\0DGiving up on 127.0.0.1.\n\0")


@pytest.mark.parametrize("answer", [b"x", encoded(b""), encoded(b"X"), b"99999999999999:", b"2:Kok,", encoded(b"K" * ANSWER_LIMIT), b"150000000:K"])
def test_answers_that_are_none(source, answer):
    with Server(3, answer) as server:
        assert send(source, server, [b"a"]) == b"ZRecipient did not talk proper QMTP (#4.3.0)\n\0"


def test_what_was_answered_before_the_end_counts(source):
    with Server(3, encoded(b"Kok")) as server:
        assert send(source, server, [b"a", b"b"]) == b"r\0ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n\0"


def test_a_server_that_hangs_up_before_it_has_the_message(tmp_path):
    with open(tmp_path / "big", "wb") as big:
        big.truncate(1 << 26)
    with open(tmp_path / "big", "rb") as big, Server(3, None) as server:
        assert send(big.fileno(), server, [b"a"]) == b"ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n\0"


def test_a_message_that_cannot_be_read(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    with Server(3, encoded(b"Kok")) as server:
        assert send(folder, server, [b"r"]) == b"ZUnable to read message. (#4.3.0)\n\0"
    assert server.got == []
    os.close(folder)


def test_a_package_is_never_whole_in_memory(tmp_path):
    with open(tmp_path / "big", "wb") as big:
        big.truncate(1 << 24)
    with open(tmp_path / "big", "rb") as big:
        sizes = [len(block) for block in package(Spool(big.fileno()), b"s", [b"r"])]
    assert max(sizes) <= 1 << 16
    assert sum(sizes) > 1 << 24
