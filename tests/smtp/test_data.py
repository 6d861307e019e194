"""The end of a message, its dots, hops and size: against the rules read byte by byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp.data import DataReader, HopCounter, Message, StrayNewline
from tests.smtp.world import FakeWorld


def slowly(data):
    """(content, what follows) as a state machine over bytes; None: a stray newline; content None: no end yet."""
    out, state = bytearray(), "start"
    for at, byte in enumerate(data):
        char = bytes([byte])
        if char == b"\n" and state not in ("cr", "dot-cr"):
            return None
        if state == "dot-cr":
            if char == b"\n":
                return bytes(out), data[at + 1:]
            out += b".\r"
            state = "text"
        if state == "cr":
            if char == b"\n":
                out += b"\n"
                state = "start"
                continue
            out += b"\r"
            state = "text"
        if state == "start" and char == b".":
            state = "dot"
        elif char == b"\r":
            state = "dot-cr" if state == "dot" else "cr"
        else:
            out += char
            state = "text"
    return bytes(out), None


def read(data, step):
    reader, content = DataReader(), b""
    for at in range(0, len(data), step):
        content += reader.feed(data[at:at + step])
        if reader.over:
            return content, reader.rest + data[at + step:], reader
    return content, None, reader


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.\r\n", b"\r\n."]), max_size=14).map(b"".join), st.integers(1, 9))
def test_it_reads_as_the_rules_say(data, step):
    wanted = slowly(data + b"\r\n.\r\n")
    if wanted is None:
        with pytest.raises(StrayNewline):
            read(data + b"\r\n.\r\n", step)
        return
    content, rest, reader = read(data + b"\r\n.\r\n", step)
    assert (content, rest) == wanted
    assert reader.size == len(content)


@pytest.mark.parametrize(("header", "hops"), [
    (b"Received: a\r\nreceived: b\r\nDELIVERED-TO: c\r\n\r\nReceived: body\r\n", 3), (b"X: y\r\n Received: folded\r\n", 0), (b"receivedx\r\ndelivered\r\n", 2),
    (b"\r\nReceived: a\r\n", 0), (b"Receive: d\r\n", 0), (b"Received: a\ndelivered-to: b\n\nReceived: body\n", 2),
])
@pytest.mark.parametrize("step", [1000, 1])
def test_hops(header, hops, step):
    counter = HopCounter()
    for at in range(0, len(header), step):
        counter.feed(header[at:at + step])
    assert counter.hops == hops


def test_nothing_but_what_is_undecided_is_kept():
    reader = DataReader()
    for _ in range(50):
        reader.feed(b"x" * 70000 + b"\r\n.")
        assert len(reader._pending) <= 5
        assert len(reader.counter._line) <= 16


def test_a_message_goes_into_the_queue_and_past_clamd():
    world = FakeWorld(scan=None)
    message = Message(world.open_queue(), 5, world.open_scan(b"", 1))
    message.put(b"Received: x\n")
    message.feed(b"a\r\n..b\r\n.\r\nrest")
    assert (message.reader.over, message.reader.rest, message.too_big) == (True, b"rest", False)
    assert world.scans[0].data == b"Received: x\na\n.b\n"
    assert message.submit(b"s", [b"r"], 9).wire() == b"250 ok 9 qp 77\r\n"
    assert world.queued == [(b"s", [b"r"], world.scans[0].data)]


def test_a_message_that_is_too_big_goes_nowhere():
    world = FakeWorld()
    message = Message(world.open_queue(), 3, world.open_scan(b"", 1))
    message.feed(b"abcd\r\n")
    assert message.too_big and message.queue.failed and world.scans[0].closed
    assert world.scans[0].data == message.queue.message == b""


def test_a_message_that_is_discarded():
    world = FakeWorld()
    message = Message(world.open_queue(), 0, world.open_scan(b"", 1))
    message.feed(b"abc\r\n.\r\n")
    message.discard()
    assert world.queued == [] and world.scans[0].closed
    Message(world.open_queue(), 0).discard()


def test_the_queues_verdict():
    world = FakeWorld(verdict="Dno (#5.7.1)")
    assert Message(world.open_queue(), 0).submit(b"s", [b"r"], 9).wire() == b"554 no (#5.7.1)\r\n"
