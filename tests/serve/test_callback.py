"""Callbacks to small SMTP servers, found by a small DNS server."""

import socket
import threading
import time

import pytest

from qmailpy.serve import callback
from qmailpy.serve.callback import Callback
from qmailpy.smtp.callback import KNOWN, LATER, OURS, UNASKABLE, UNKNOWN
from qmailpy.unix import resolver
from qmailpy.unix.resolver import Resolver
from tests.dnsserver import DnsServer
from tests.home import wait_for
from tests.smtpsink import SmtpSink

ZONE = {"b.example mx": ["30 m3.b.example.", "10 m1.b.example.", "20 m2.b.example."], "m1.b.example a": ["127.0.0.11"], "m2.b.example a": ["127.0.0.12"],
        "m3.b.example a": ["127.0.0.13"], "plain.example a": ["127.0.0.11"], "null.example mx": ["0 ."], "silent.example": "SERVFAIL",
        "half.example mx": ["10 nosuch.example.", "20 m1.b.example."]}


def ask(dns, address, port, *, own="", timeout=20):
    asker = Callback(Resolver(dns.env), lambda place: place == own, b"mx.example", timeout, port)
    return asker.ask(address)


@pytest.mark.parametrize(("reply", "verdict"), [("250 ok", KNOWN), ("550 no such user", UNKNOWN), ("450 greylisted", LATER)])
def test_the_first_exchanger_that_speaks_decides(reply, verdict):
    with DnsServer(ZONE) as dns, SmtpSink({"RCPT": reply}, "127.0.0.12") as sink, SmtpSink(host="127.0.0.13", port=sink.port) as last:
        answer = ask(dns, b"joe@b.example", sink.port)
        assert (answer.verdict, answer.reason) == (verdict, b"127.0.0.12 says " + reply.encode() + b"\n")
        assert sink.commands[:3] == [b"HELO mx.example\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<joe@b.example>\r\n"]
        assert last.commands == []


@pytest.mark.parametrize("replies", [{"greeting": "421 busy"}, {"greeting": None}, {"HELO": "550 go away"}, {"HELO": None}, {"MAIL": "451 later"}, {"MAIL": None},
                                     {"RCPT": None}, {"greeting": "x" * 10000}])
def test_one_that_says_nothing_that_counts_is_passed_over(replies):
    with DnsServer(ZONE) as dns, SmtpSink(replies, "127.0.0.11") as sick, SmtpSink({"RCPT": "550 no"}, "127.0.0.12", sick.port):
        assert ask(dns, b"joe@b.example", sick.port).verdict == UNKNOWN
        assert ask(dns, b"joe@plain.example", sick.port).verdict == LATER


def test_one_that_does_not_take_the_empty_sender_cannot_be_asked():
    with DnsServer(ZONE) as dns, SmtpSink({"MAIL": "553 no empty senders"}, "127.0.0.11") as sink:
        assert ask(dns, b"joe@plain.example", sink.port).verdict == UNASKABLE


def test_a_dialogue_ends_with_quit():
    with DnsServer(ZONE) as dns, SmtpSink(host="127.0.0.11") as sink:
        assert ask(dns, b"joe@plain.example", sink.port).verdict == KNOWN
        wait_for(lambda: sink.commands[-1] == b"QUIT\r\n")


@pytest.mark.parametrize("address", [b"joe@null.example", b"joe@nosuch.example", b"joe@silent.example"])
def test_no_exchanger_at_all(address, monkeypatch):
    monkeypatch.setattr(resolver, "PATIENCE", (0.5, 0.5))
    with DnsServer(ZONE) as dns:
        answer = ask(dns, address, 9)
        assert (answer.verdict, answer.reason) == (LATER, b"no mail exchanger can be asked")


def test_an_exchanger_that_is_this_host():
    with DnsServer(ZONE) as dns, SmtpSink({"RCPT": "550 no"}, "127.0.0.11") as sink:
        assert ask(dns, b"joe@b.example", sink.port, own="127.0.0.13").verdict == OURS
        assert sink.commands == []


def test_an_exchanger_without_address_is_left_out():
    with DnsServer(ZONE) as dns, SmtpSink(host="127.0.0.11") as sink:
        assert ask(dns, b"joe@half.example", sink.port).verdict == KNOWN


class Dripping:
    """A server that never ends its greeting: it says a byte as often as `pace` seconds."""

    def __init__(self, pace):
        self.pace, self.listener = pace, socket.create_server(("127.0.0.11", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.listener.close()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection:
            try:
                while True:
                    connection.sendall(b"2")
                    time.sleep(self.pace)  # the drip itself
            except OSError:
                pass


@pytest.mark.parametrize("pace", [0.05, 60])
def test_a_reply_must_be_whole_in_time(pace):
    with DnsServer(ZONE) as dns, Dripping(pace) as server:
        began = time.monotonic()
        assert ask(dns, b"joe@plain.example", server.port, timeout=0.5).verdict == LATER
        assert time.monotonic() - began < 20


def test_all_of_it_has_an_end(monkeypatch):
    monkeypatch.setattr(callback, "PATIENCE", -1.0)
    with DnsServer(ZONE) as dns, SmtpSink(host="127.0.0.11") as sink:
        assert ask(dns, b"joe@plain.example", sink.port).verdict == LATER
        assert sink.commands == []


def test_a_domain_with_many_exchangers():
    many = {"many.example mx": [f"{number} e{number}.example." for number in range(30)], **{f"e{number}.example a": ["127.0.0.1"] for number in range(30)}}
    with DnsServer(many) as dns:
        asker = Callback(Resolver(dns.env), lambda place: False, b"mx.example", 1, 1)
        assert asker.addresses(b"many.example") == ["127.0.0.1"] * callback.EXCHANGERS
        assert "e9.example A" in dns.asked
        assert "e10.example A" not in dns.asked
