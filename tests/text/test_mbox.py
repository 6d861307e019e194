"""mbox entries: quoting line by line, whatever the blocks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.text.mbox import Quoter, from_line


def quote(blocks):
    quoter = Quoter()
    return b"".join([quoter.feed(block) for block in blocks]) + quoter.finish()


def slowly(body):
    lines = body.split(b"\n")
    rest = lines.pop()
    lines += [rest] if rest else []
    return b"".join((b">" if line.lstrip(b">").startswith(b"From ") else b"") + line + b"\n" for line in lines) + b"\n"


@settings(max_examples=800)
@given(st.lists(st.sampled_from([b"From ", b">", b"\n", b"F", b"rom ", b"x", b"From", b" "]), max_size=15).map(b"".join), st.integers(1, 8))
def test_it_quotes_as_the_rule_says(body, size):
    assert quote([body[at:at + size] for at in range(0, len(body), size)]) == slowly(body)


@pytest.mark.parametrize(("sender", "shown"), [(b"a@b", b"a@b"), (b"", b"MAILER-DAEMON"), (b"a b\tc\nd", b"a-b-c-d")])
def test_from_lines(sender, shown):
    assert from_line(sender, 1000000000) == b"From " + shown + b" Sun Sep 09 01:46:40 2001\n"


def test_memory_stays_small():
    quoter = Quoter()
    for _ in range(20):
        quoter.feed(b">" * 70000)
        assert len(quoter._pending) <= 65536
