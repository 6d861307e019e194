"""A UDP port that answers."""

import socket

from qmailpy.unix.datagrams import Datagrams


def test_each_datagram_has_its_answer():
    asked = Datagrams()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.connect(("127.0.0.1", asked.port))
        for word in (b"one", b"two"):
            client.send(word)
            asked.answer(bytes.upper)
            assert client.recv(100) == word.upper()
    asked.close()
