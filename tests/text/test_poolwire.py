"""Requests to pools: what is written is what is read, and nothing else is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text import poolwire
from qmailpy.text.poolwire import AS, CORE, CPU, DATA, FSIZE, MEMLOCK, NO_LIMIT, NOFILE, NPROC, Limits, Malformed, Request, lent, parse

LIMITS = Limits([(NO_LIMIT, NO_LIMIT)] * 14 + [(100, 200), (0, 0)])
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)))


def request(**facts):
    found = {"program": "qmail-smtpd", "arguments": ["qmail-smtpd", "", "a b"], "variables": {"A": "1", "B": "x=y", "C": "\udce4"}, "descriptors": [0, 1, 2, 7],
             "place": b"1 2 3 ", "limits": LIMITS, "umask": 0o22, "ignored": 6, "watched": True, "directory": True, **facts}
    return Request(found.pop("program"), found.pop("arguments"), found.pop("variables"), found.pop("descriptors"), found.pop("place"), found.pop("limits"), **found)


def facts(one):
    return [getattr(one, name) for name in Request.__slots__ if name != "limits"] + [one.limits.pairs, one.limits.field]


@pytest.mark.parametrize("change", [{}, {"arguments": [], "variables": {}}, {"descriptors": [], "watched": False, "directory": False}, {"umask": 0o777}])
def test_what_is_written_is_read(change):
    assert facts(parse(request(**change).wire())) == facts(request(**change))


def test_limits_that_are_known_are_not_read_again():
    found = parse(GOOD, LIMITS)
    assert found.limits is LIMITS
    other = parse(GOOD.replace(b"100 200 ", b"100 201 "), LIMITS)
    assert other.limits.pairs == [*LIMITS.pairs[:14], (100, 201), (0, 0)]
    assert parse(GOOD, other.limits).limits.pairs == LIMITS.pairs


@given(st.lists(TEXT), st.dictionaries(TEXT.filter(lambda name: name and "=" not in name and not name.startswith(poolwire.HIDDEN)), TEXT))
def test_any_words_and_variables(arguments, variables):
    found = parse(request(arguments=arguments, variables=variables).wire())
    assert (found.arguments, found.variables) == (arguments, variables)


@given(st.binary())
def test_anything_else_is_malformed(data):
    with pytest.raises(Malformed):
        parse(data)


GOOD = request().wire()


@pytest.mark.parametrize("data", [
    GOOD[:-1], GOOD + b"x", GOOD.replace(b"qmailpy 1", b"qmailpy 2"), GOOD.replace(b"0 1 2 7 ", b"0 1 2 2 "), GOOD.replace(b"0 1 2 7 ", b"0 1 2 200 "),
    GOOD.replace(b"0 1 2 7 ", b"0 1 2 -7 "), GOOD.replace(b"0 1 2 7 ", b"0 1 2 - "), GOOD.replace(b"\0003 \0", b"\000300 \0"), GOOD.replace(b"\0003 \0", b"\0- \0"),
    GOOD.replace(b"100 200 ", b"100 "), GOOD.replace(b"100 200 ", b"100 9223372036854775808 "), GOOD.replace(b"100 200 ", b"100 99999999999999999999 "),
    GOOD.replace(b"100 200 ", b"100 x "), GOOD.replace(b"18 \0", b"512 \0"), GOOD + b"A=" + b"x" * poolwire.LIMIT + b"\0",
    GOOD.replace(b"0 1 2 7 ", b"".join(b"%d " % number for number in range(14))),
])
def test_damage(data):
    assert data != GOOD
    with pytest.raises(Malformed):
        parse(data)


def test_variables_are_those_that_a_program_would_see():
    assert poolwire.variables(["A=1", "A=2", "no", "=x", "QMAILPY_HIDDEN_PATH=/evil", "B="]) == {"A": "1", "B": ""}


def changed(resource, pair):
    return [pair if number == resource else limit for number, limit in enumerate([(50, 100)] * 16)]


@pytest.mark.parametrize(("resource", "his", "expected"), [
    (FSIZE, (50, 100), {}), (FSIZE, (10, 100), {FSIZE: 10}), (FSIZE, (70, 70), {FSIZE: 70}), (NOFILE, (20, 20), {NOFILE: 20}), (CORE, (0, 0), {CORE: 0}),
    (FSIZE, (10, 101), None), (FSIZE, (10, NO_LIMIT), None), (FSIZE, (90, 80), None),
    (AS, (10, 20), {}), (DATA, (100, 100), {}), (AS, (10, 101), None),
    (MEMLOCK, (10, 100), {MEMLOCK: 10}), (MEMLOCK, (100, 100), {MEMLOCK: 100}), (MEMLOCK, (10, 101), None),  # softlimit -m sets it, too
    (NPROC, (10, 100), None), (NPROC, (60, 100), None), (CPU, (50, 99), None), (CPU, (40, 100), None),
])
def test_rule_3_limits_are_lent_or_the_start_is_cold(resource, his, expected):
    assert lent(changed(resource, his), [(50, 100)] * 16) == expected
