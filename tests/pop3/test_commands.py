"""POP3's command lines."""

import pytest

from qmailpy.pop3.commands import LINE_LIMIT, CommandReader, error, okay


@pytest.mark.parametrize(("line", "found"), [
    (b"QUIT\r\n", (b"quit", b"")), (b"quit\n", (b"quit", b"")), (b"Retr  12 \r\n", (b"retr", b"12 ")), (b"user a b\r\n", (b"user", b"a b")),
    (b"\r\n", (b"", b"")), (b" x\r\n", (b"", b"x")), (b"user a\0b\r\n", (b"user", b"a")), (b"pass a\rb\r\n", (b"pass", b"a\rb")),
])
@pytest.mark.parametrize("step", [1, 100])
def test_verb_and_argument(line, found, step):
    reader = CommandReader(1000)
    assert [command for at in range(0, len(line), step) for command in reader.feed(line[at:at + step])] == [found]


def test_a_line_that_never_ends_is_not_kept():
    reader, found = CommandReader(1000), []
    for _ in range(100):
        found += reader.feed(b"x" * LINE_LIMIT)
    found += reader.feed(b"\r\nNOOP\r\n")
    assert found == [None, (b"noop", b"")]


def test_answers():
    assert okay(b"1 2") == b"+OK 1 2\r\n"
    assert error("no") == b"-ERR no\r\n"
