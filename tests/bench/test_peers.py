"""Whom filters ask."""

import socket

from qmailpy.bench.peers import Answering
from qmailpy.unix.clamd import Scan
from qmailpy.unix.resolver import Resolver


def test_names_and_clamd():
    with Answering() as answering:
        resolver = Resolver(answering.env)
        assert resolver.addresses(b"any.example") == ["192.0.2.1"]
        assert resolver.exchangers(b"any.example") == [(10, b"any.example")]
        for _ in range(2):
            scan = Scan(answering.clamd.encode(), 30)
            scan.put(b"message\n" * 10000)
            assert scan.verdict() is None
        with socket.create_connection(answering.clamd.split(":"), 30) as client:
            client.sendall(b"zINSTREAM\0")
        assert resolver.addresses(b"again.example") == ["192.0.2.1"]
