"""Name servers that lie, flood, cut or keep silent: mail goes where the DNS says so without doubt, else it waits."""

import socket
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from qmailpy.unix import resolver
from qmailpy.unix.resolver import NoSuchHost, Resolver, Unknown


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(resolver, "PATIENCE", (0.5, 0.5))


class Liar:
    """A name server that answers each question with what `answers` makes of it: datagrams, in their order; by TCP with what `by_tcp` does, if given."""

    def __init__(self, answers, by_tcp=None):
        self.answers, self.by_tcp, self.asked, self.ports = answers, by_tcp, [], []
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        return Resolver({"DNSCACHEIP": f"127.0.0.1:{self.port}"})

    def __exit__(self, *problem):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def serve(self):
        try:
            while data := self.udp.recvfrom(65535):
                if not data[0]:
                    return
                query = dns.message.from_wire(data[0])
                self.asked.append(query)
                self.ports.append(data[1][1])
                for answer in self.answers(query):
                    self.udp.sendto(answer, data[1])
        except OSError:
            pass

    def serve_tcp(self):
        try:
            while True:
                connection, _ = self.tcp.accept()
                with connection:
                    size = int.from_bytes(connection.recv(2), "big")
                    query = dns.message.from_wire(connection.recv(size))
                    if self.by_tcp:
                        self.by_tcp(connection, query)
        except OSError:
            pass


def record(query, address="192.0.2.1", name="far.example.", kind="A"):
    """A good answer."""
    response = dns.message.make_response(query)
    if query.question[0].rdtype == 1:
        response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, address))
    return response


def other_id(query):
    yield from (forged(query, number) for number in range(1, 200))


def forged(query, number):
    response = record(query, "203.0.113.66")
    response.id = (query.id + number) & 0xFFFF
    return response.to_wire()


def other_question(query):
    response = record(query, "203.0.113.66")
    response.question = [dns.rrset.RRset(dns.name.from_text("bank.example"), 1, query.question[0].rdtype)]
    yield response.to_wire()


def other_owner(query):
    yield record(query, "203.0.113.66", "bank.example.").to_wire()


def no_response(query):
    response = record(query, "203.0.113.66")
    response.flags &= ~dns.flags.QR
    yield response.to_wire()


def pointer_loop(query):
    """Names that lead to themselves, and to one another."""
    wire = query.to_wire()
    head = wire[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
    question = wire[12:12 + len(query.question[0].name.to_wire()) + 4]
    at = 12 + len(question)
    for name in (b"\xc0" + bytes([at]), b"\xc0" + bytes([at + 2]) + b"\xc0" + bytes([at]), b"\xff\xff", b"\x3f" + b"a" * 10, b"\xc0"):
        yield head + question + name + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x42"


def garbage(query):
    yield b""
    yield b"\0"
    yield b"\xff" * 512
    yield record(query).to_wire()[:-3]
    yield record(query).to_wire()[:11]
    yield query.to_wire()[:2] + bytes(range(256)) * 4


def silence(query):
    return ()


LIES = [other_id, other_question, no_response, pointer_loop, garbage, silence]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_is_no_answer_and_no_such_host_is_not_said_lightly(lie):
    begin = time.monotonic()
    with Liar(lie) as asker, pytest.raises(Unknown):
        asker.addresses(b"far.example")
    assert time.monotonic() < begin + 20


@pytest.mark.parametrize("lie", [one for one in LIES if one is not silence], ids=lambda lie: lie.__name__)
def test_the_truth_behind_a_lie_is_heard(lie):
    """Whoever is faster than the name server spoils nothing."""
    with Liar(lambda query: [*lie(query), record(query).to_wire()]) as asker:
        assert asker.addresses(b"far.example") == ["192.0.2.1"]


def test_an_answer_about_somebody_else_is_no_answer():
    with Liar(other_owner) as asker:
        assert asker.addresses(b"far.example") == []


def test_an_answer_from_another_address_is_not_heard():
    """A datagram that does not come from the server that was asked."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.1", 0))
    server = Liar(lambda query: stranger.sendto(record(query, "203.0.113.66").to_wire(), ("127.0.0.1", server.ports[-1])) and ())
    with server as asker, pytest.raises(Unknown):
        asker.addresses(b"far.example")
    stranger.close()


def test_each_question_has_an_id_and_a_port_of_its_own():
    server = Liar(lambda query: [record(query).to_wire()])
    with server as asker:
        for _ in range(20):
            asker.addresses(b"far.example")
    assert len({query.id for query in server.asked}) > 30 and len(set(server.ports)) > 20


def chain(query):
    """A name that is always another one's."""
    response = dns.message.make_response(query)
    name = query.question[0].name.to_text()
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "a" + name[-50:]))
    yield response.to_wire()


def test_a_chain_of_names_without_end():
    server = Liar(chain)
    with server as asker, pytest.raises(Unknown):
        asker.addresses(b"far.example")
    assert len(server.asked) <= 16


def cut(query):
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    yield response.to_wire()


def huge(connection, query):
    """64 KiB of addresses."""
    response = dns.message.make_response(query)
    if query.question[0].rdtype == 1:
        response.answer.append(dns.rrset.from_text_list("far.example.", 60, "IN", "A", [f"192.0.{number >> 8}.{number & 255}" for number in range(4000)]))
    wire = response.to_wire(max_size=65535)
    connection.sendall(len(wire).to_bytes(2, "big") + wire)


def test_an_answer_of_64_kb():
    with Liar(cut, huge) as asker:
        assert len(asker.addresses(b"far.example")) == resolver.ADDRESSES  # and no trouble with the other 3936


def unfinished(connection, query):
    connection.sendall(b"\xff\xff" + query.to_wire()[:2] + b"\x81\x80")


def dripping(connection, query):
    connection.sendall(b"\xff\xff" + query.to_wire()[:2])
    end = time.monotonic() + 5
    while time.monotonic() < end:
        connection.sendall(b"x")
        time.sleep(0.05)  # the drip itself


@pytest.mark.parametrize("by_tcp", [None, unfinished, dripping, lambda connection, query: connection.sendall(b"\0\0"), lambda connection, query: connection.sendall(b"\xff" * 65537)])
def test_a_cut_answer_whose_rest_does_not_come(by_tcp):
    begin = time.monotonic()
    with Liar(cut, by_tcp) as asker, pytest.raises(Unknown):
        asker.addresses(b"far.example")
    assert time.monotonic() < begin + 20


def test_only_a_whole_no_is_a_no():
    def no(query):
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NXDOMAIN)
        yield response.to_wire()

    with Liar(no) as asker, pytest.raises(NoSuchHost):
        asker.addresses(b"far.example")


@pytest.mark.parametrize("name", [b";touch EVIL", b"../../control/me", b"a b", b"$(id)", b"x" * 63, b"x\0y", b"\xff\xfe", b"..", b"-f", b"%s"])
def test_a_name_in_the_dns_is_no_file_and_no_command(tmp_path, name):
    """What TLS demands of a server stands in a file of its name, and names come from strangers."""
    from qmailpy.home import Home
    from qmailpy.remote.security import security

    for folder in ("control/tlshosts", "control/notlshosts"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "control/me.pem").write_text("")
    assert not security(Home(str(tmp_path)), name, 25, True).required()
    assert not list(tmp_path.rglob("EVIL"))
