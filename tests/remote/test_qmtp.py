"""Sending by QMTP, to a server that a test plays."""

import os
import socket
import threading

import pytest

from qmailpy.remote.qmtp import ANSWER_LIMIT, QmtpCourier, package
from qmailpy.text.netstring import Reader, encoded
from qmailpy.unix.net import connect
from qmailpy.unix.spool import Spool

MESSAGE = b"Subject: x\n\n.\nbody\r\n"


class Server:
    """Takes one message, and answers what it is told to."""

    def __init__(self, answers, recipients=1):
        self.answers, self.recipients, self.listener = answers, recipients, socket.create_server(("127.0.0.1", 0))
        self.got = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            reader = Reader(lambda: connection.recv(4096))
            self.got = [reader.string(1 << 30) for _ in range(3)]
            connection.sendall(self.answers)

    def send(self, source, recipients):
        stream = connect("127.0.0.1", self.listener.getsockname()[1], 10, 10)
        saved = os.dup(0)
        try:
            os.dup2(source, 0)
            return QmtpCourier(stream, "127.0.0.1").run(b"s@x", recipients)
        finally:
            os.dup2(saved, 0)
            os.close(saved)
            self.thread.join(10)
            self.listener.close()


@pytest.fixture
def source(tmp_path):
    (tmp_path / "message").write_bytes(MESSAGE)
    fd = os.open(tmp_path / "message", os.O_RDONLY)
    yield fd
    os.close(fd)


def test_each_recipient_has_its_record(source):
    server = Server(encoded(b"Kok 1 qp 2") + encoded(b"Zlater") + encoded(b"Dno\0such\n"))
    found = server.send(source, [b"a b@y", b"c@y", b"d@y"])
    assert found == (b"r\0s127.0.0.1 does not like recipient.\nRemote host said: later\n\0h127.0.0.1 does not like recipient.\nRemote host said: no?such\n\0"
                     b"K127.0.0.1 accepted message.\n\0")
    assert server.got == [b"\n" + MESSAGE, b"s@x", encoded(b"a b@y") + encoded(b"c@y") + encoded(b"d@y")]


def test_nobody_is_taken(source):
    assert Server(encoded(b"Dno")).send(source, [b"a"]).endswith(b"\0DGiving up on 127.0.0.1.\n\0")


@pytest.mark.parametrize("answers", [b"x", encoded(b""), encoded(b"X"), b"99999999999999:", b"2:Kok,", encoded(b"K" * ANSWER_LIMIT)])
def test_answers_that_are_none(source, answers):
    assert Server(answers).send(source, [b"a"]) == b"ZRecipient did not talk proper QMTP (#4.3.0)\n\0"


def test_what_was_answered_before_the_end_counts(source):
    found = Server(encoded(b"Kok")).send(source, [b"a", b"b"])
    assert found == b"r\0ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n\0"


def test_a_message_that_cannot_be_read(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    stream = connect("127.0.0.1", (listener := socket.create_server(("127.0.0.1", 0))).getsockname()[1], 10, 10)
    saved = os.dup(0)
    os.dup2(folder, 0)
    try:
        assert QmtpCourier(stream, "127.0.0.1").run(b"s", [b"r"]) == b"ZUnable to read message. (#4.3.0)\n\0"
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(folder)
        listener.close()


def test_a_package_is_never_whole_in_memory(tmp_path):
    with open(tmp_path / "big", "wb") as big:
        big.truncate(1 << 24)
    with open(tmp_path / "big", "rb") as big:
        sizes = [len(block) for block in package(Spool(big.fileno()), b"s", [b"r"])]
    assert max(sizes) <= 1 << 16
    assert sum(sizes) > 1 << 24
