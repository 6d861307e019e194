""".qmail files: their lines, and which one is for an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.exits import Temporary
from qmailpy.text.dotqmail import FORWARD, MAILDIR, MBOX, PROGRAM, candidates, parse, safe


def lines(data, **how):
    return [(instruction.kind, instruction.text) for instruction in parse(data, **how)]


def test_each_kind_of_line():
    assert lines(b"# comment\n./Mailbox\n./Maildir/ \t\n/abs\n|cmd a | b \n&a@b\nc@d\n& e\n\n d\n+odd\n&\n") == [
        (MBOX, b"./Mailbox"), (MAILDIR, b"./Maildir/"), (MBOX, b"/abs"), (PROGRAM, b"cmd a | b"), (FORWARD, b"a@b"), (FORWARD, b"c@d"), (FORWARD, b" e"),
        (FORWARD, b" d"), (FORWARD, b"")]


def test_a_last_line_without_newline_and_nul():
    assert lines(b"./a") == [(MBOX, b"./a")]
    assert lines(b"a@b\0junk\n") == [(FORWARD, b"a@b")]


@pytest.mark.parametrize("data", [b"\n./a\n", b" \t\n", b"\0\n"])
def test_a_blank_first_line(data):
    with pytest.raises(Temporary, match="first line of .qmail file is blank"):
        lines(data)


@pytest.mark.parametrize(("data", "words"), [(b"a@b\n./x\n", "file delivery"), (b"a@b\n|x\n", "prog delivery")])
def test_files_that_may_only_forward(data, words):
    found = []
    with pytest.raises(Temporary, match=words):
        found.extend(instruction.text for instruction in parse(data, forward_only=True))
    assert lines(data)
    assert lines(b"./x\n+list\na@b\n") == [(MBOX, b"./x"), (FORWARD, b"a@b")]
    with pytest.raises(Temporary):
        lines(b"+list\n./x\n")


@pytest.mark.parametrize(("dash", "extension", "names"), [
    (b"", b"", [(b".qmail", None), (b".qmaildefault", b"")]),
    (b"-", b"", [(b".qmail-", None), (b".qmail-default", b"")]),
    (b"-", b"a", [(b".qmail-a", None), (b".qmail-default", b"a")]),
    (b"-", b"A-b", [(b".qmail-a-b", None), (b".qmail-a-default", b"b"), (b".qmail-default", b"A-b")]),
    (b"-", b"a-", [(b".qmail-a-", None), (b".qmail-a-default", b""), (b".qmail-default", b"a-")]),
    (b"-", b"x.y", [(b".qmail-x:y", None), (b".qmail-default", b"x.y")]),
    (b"-", b"a-Default", [(b".qmail-a-default", b"Default"), (b".qmail-a-default", b"Default"), (b".qmail-default", b"a-Default")]),
])
def test_candidates(dash, extension, names):
    assert list(candidates(dash, extension)) == names


@given(st.binary(max_size=20))
def test_no_extension_leads_above_the_home(extension):
    assert b"." not in safe(extension)
    for name, _ in candidates(b"-", extension):
        assert b"/../" not in name + b"/"
        assert name.startswith(b".qmail-")


@given(st.binary(max_size=60))
def test_any_file_is_instructions_or_trouble(data):
    try:
        for instruction in parse(data):
            assert b"\0" not in instruction.text and b"\n" not in instruction.text
    except Temporary:
        pass
