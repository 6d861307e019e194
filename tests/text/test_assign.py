"""users/assign, and how an address is found in what is made of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.assign import BadLine, account, find, records

TABLE = b"""=joe:joe:507:100:/home/joe:::
+joe-:joe:507:100:/home/joe:-::
+joe-list-:lists:508:100:/home/lists:-:pre-:
+sales.:sales:509:100:/home/sales:/:x:
+:alias:7:8:/var/qmail/alias:-::
.
what follows does not count
"""


def table(data=TABLE):
    found = {}
    for key, value in records(data):
        found.setdefault(key, value)
    return found


def test_the_records():
    assert list(records(TABLE))[0] == (b"!joe\0", b"joe\x00507\x00100\0/home/joe\0\0")
    assert list(records(TABLE))[-1] == (b"", b"-.")
    assert list(records(b".\n")) == [(b"", b"")]


@pytest.mark.parametrize(("local", "user", "ext"), [
    (b"joe", b"joe", b""), (b"JOE", b"joe", b""), (b"joe-X", b"joe", b"X"), (b"joe-", b"joe", b""), (b"joe-list-A-b", b"lists", b"pre-A-b"), (b"joe-list", b"joe", b"list"),
    (b"sales.Now", b"sales", b"xNow"), (b"joey", b"alias", b"joey"), (b"", b"alias", b""),
])
def test_the_longest_prefix_wins_and_the_rest_keeps_its_case(local, user, ext):
    found = account(find(local, table().get))
    assert (found.user, found.ext) == (user, ext)


def test_not_found():
    small = table(b"=joe:joe:1:2:/x:::\n.\n")
    assert find(b"bob", small.get) is None
    assert find(b"joe-x", small.get) is None
    with pytest.raises(ValueError, match="wildcard"):
        find(b"joe", {}.get)


@pytest.mark.parametrize(("data", "line"), [
    (b"", 1), (b"=joe:joe:1:2:/x:::\n", 2), (b"=joe:joe:1:2:/x::\n.\n", 1), (b"\n.\n", 1), (b"=joe:joe:1:2:/x:::\n=\0:a:1:2:/:::\n.\n", 2), (b":a:1:2:/:::\n.\n", 1),
    (b"=a:b:1:2:/:::", 1),
])
def test_bad_lines_are_numbered(data, line):
    with pytest.raises(BadLine) as problem:
        list(records(data))
    assert problem.value.number == line


@pytest.mark.parametrize(("fields", "known"), [
    (b"u\x001\x002\0/h\0-\0e", (b"u", 1, 2, b"/h", b"-", b"e")), (b"u\x001\x002\0/h\0-\0e\0", (b"u", 1, 2, b"/h", b"-", b"e")), (b"u\0x\0-1\0/h\0\0", (b"u", 0, 0, b"/h", b"", b"")),
])
def test_accounts(fields, known):
    found = account(fields)
    assert (found.user, found.uid, found.gid, found.home, found.dash, found.ext) == known
    assert account(found.fields()).fields() == found.fields()


def test_too_few_fields():
    assert account(b"u\x001\x002\0/h\0-") is None


@given(st.binary(max_size=20).filter(lambda name: b"\0" not in name))
def test_every_local_part_finds_the_catch_all(local):
    assert find(local, table().get) is not None


def test_a_number_without_end_is_no_trouble():
    assert account(b"joe\0" + b"9" * 100_000 + b"\x00100\0/x\0\0\0").uid == int("9" * 20)
