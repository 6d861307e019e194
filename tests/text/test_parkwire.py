"""A session as a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.parkwire import HEAD, LIMIT, Malformed, Parked, Rest, due, parse


def fields(parked):
    rest = parked.rest
    return parked.deadline, parked.request, parked.watched, parked.end, rest.pid, rest.helo, rest.helo_known, rest.told, rest.doing, rest.counts


RESTS = st.builds(Rest, st.integers(1, 1 << 22), st.none() | st.binary(max_size=300), st.sampled_from([None, True, False]),
                  st.lists(st.binary(max_size=100), max_size=5).map(tuple), st.sampled_from(["HELO", "waiting for a command"]),
                  st.lists(st.integers(0, 1 << 40), max_size=3).map(tuple))
PARKED = st.builds(Parked, RESTS, st.floats(0, 1e9), st.binary(max_size=2000), watched=st.booleans(), end=st.none() | st.floats(0, 1e9))


@given(PARKED)
def test_what_is_sent_is_what_comes(parked):
    assert fields(parse(parked.wire())) == fields(parked)


@given(PARKED, st.integers(0, 3000))
def test_what_is_cut_off_is_no_session(parked, cut):
    data = parked.wire()
    if cut < len(data):
        with pytest.raises(Malformed):
            parse(data[:cut])


@given(PARKED)
def test_a_session_is_due_when_it_has_waited_or_must_be_over(parked):
    assert due(parked.wire()) == (parked.deadline if parked.end is None else min(parked.deadline, parked.end), parked.watched)


@given(st.binary(max_size=200))
def test_nonsense_is_no_session_or_one_that_can_be_sent(data):
    for read in (due, parse):
        try:
            read(data)
        except Malformed:
            pass


def test_an_ordinary_session_is_small():
    rest = Rest(4711, b"client.example", None, (), "HELO", (3, 0, 1))
    assert len(Parked(rest, 1.0, b"x" * 1000, watched=True).wire()) < 1100


@pytest.mark.parametrize("parked", [
    Parked(Rest(1, b"", None, (), ""), 0.0, bytes(LIMIT), watched=True), Parked(Rest(1, bytes(LIMIT), None, (), ""), 0.0, b"", watched=True),
    Parked(Rest(1, b"", None, (b"",) * 256, ""), 0.0, b"", watched=False),
], ids=["request", "helo", "told"])
def test_what_is_too_large_is_not_sent(parked):
    with pytest.raises(Malformed):
        parked.wire()


def test_the_head_has_one_size():
    assert len(Parked(Rest(1, None, None, (), ""), 0.0, b"", watched=False).wire()) == HEAD.size + len(b"0:,") * 4
