"""Messages as POP3 sends them."""

import poplib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.pop3.message import top, wire

PIECES = st.lists(st.sampled_from([b"", b".", b"\n", b"\n.", b"..", b"a", b"\r", b"\n\n", b"x: y"]), max_size=12)


@pytest.mark.parametrize(("message", "sent"), [
    (b"", b"\r\n.\r\n"), (b"a\n", b"a\r\n\r\n.\r\n"), (b"a", b"a\r\n\r\n.\r\n"), (b".a\n..\n", b"..a\r\n...\r\n\r\n.\r\n"), (b"a\r\n", b"a\r\r\n\r\n.\r\n"),
])
def test_wire(message, sent):
    assert b"".join(wire([message])) == sent


@given(PIECES)
def test_pieces_make_no_difference(pieces):
    assert b"".join(wire(pieces)) == b"".join(wire([b"".join(pieces)]))


@given(PIECES)
def test_no_line_but_the_last_is_a_dot(pieces):
    lines = b"".join(wire(pieces)).split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]


def test_a_client_reads_it_back():
    class Client(poplib.POP3):
        def __init__(self, lines):
            self.lines, self._debugging = iter(lines), 0

        def _getline(self):
            line = next(self.lines)
            return line, len(line) + 2

    sent = b"+OK\r\n" + b"".join(wire([b"Subject: x\n\n.dot\n..\nend\n"]))
    assert Client(sent.split(b"\r\n"))._getlongresp()[1] == [b"Subject: x", b"", b".dot", b"..", b"end", b""]


@pytest.mark.parametrize(("message", "lines", "shown"), [
    (b"a: b\nc: d\n\n1\n2\n3\n", 0, b"a: b\nc: d\n\n"), (b"a: b\n\n1\n2\n3\n", 2, b"a: b\n\n1\n2\n"), (b"a: b\n\n1\n2", 2, b"a: b\n\n1\n2"),
    (b"a: b\n\n1\n", 9, b"a: b\n\n1\n"), (b"a: b", 0, b"a: b"), (b"\nbody\n", 0, b"\n"), (b"\n\n\n\n", 2, b"\n\n\n"), (b"", 3, b""),
])
@pytest.mark.parametrize("step", [1, 2, 100])
def test_top(message, lines, shown, step):
    assert b"".join(top([message[at:at + step] for at in range(0, len(message), step)], lines)) == shown
