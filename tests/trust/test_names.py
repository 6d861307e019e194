"""Names that look alike: only the letters of ASCII have two cases, and a name is its bytes."""

import pathlib
import re

import pytest

from qmailpy.settings.kinds import Map, Names
from qmailpy.smtp.server import Session
from qmailpy.text.address import domain
from qmailpy.text.received import Client
from qmailpy.text.route import LOCAL, REMOTE, Routes
from tests.smtp.world import FakeWorld, values

TOP = pathlib.Path(__file__).resolve().parents[2]
# str.lower or str.casefold would make the first of each pair the second.
LOOKALIKES = [("\u212aelvin.example", "kelvin.example"), ("\u0130stanbul.example", "istanbul.example"), ("\u0130stanbul.example", "i\u0307stanbul.example"), ("stra\u00dfe.example", "strasse.example"),
              ("\uff4bk.example", "kk.example"), ("\u017fub.example", "sub.example"), ("\u00c4.example", "\u00e4.example"), ("ex\u00adample.example", "example.example"), ("kelvin\u3002example", "kelvin.example")]


@pytest.mark.parametrize("one", LOOKALIKES, ids=ascii)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_name_that_looks_like_one_of_ours_is_not(one, swapped):
    theirs, ours = (name.encode() for name in (reversed(one) if swapped else one))
    listed = Names.parse(ours + b"\n")
    session = Session(values(smtpgreeting=b"mx", rcpthosts=listed), Client(), FakeWorld())
    said = b"".join(session.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@%s>\r\nRCPT TO:<a@%s>\r\n" % (theirs, ours)))
    assert [line[:3] for line in said.splitlines()] == [b"250", b"553", b"250"]
    routes = Routes(b"x.example", listed, frozenset(), Map.parse(b"v" + ours + b":joe\n"))
    assert [routes.route(b"a@" + name)[0] for name in (theirs, ours)] == [REMOTE, LOCAL]
    assert [routes.route(b"a@v" + name)[0] for name in (theirs, ours)] == [REMOTE, LOCAL]
    assert domain(b"a@" + theirs) != domain(b"a@" + ours)


def test_ascii_letters_have_two_cases():
    session = Session(values(smtpgreeting=b"mx", rcpthosts=Names.parse(b"KeLVin.example\n")), Client(), FakeWorld())
    assert b"553" not in b"".join(session.feed(b"MAIL FROM:<>\r\nRCPT TO:<a@kElviN.EXAMPLE>\r\n"))


@pytest.mark.parametrize("path", sorted((TOP / "qmailpy").rglob("*.py")), ids=lambda path: str(path.relative_to(TOP)))
def test_nothing_folds_case_as_unicode_does(path):
    assert not re.search(r"\bcasefold\b|\bunicodedata\b|\.encode\(.idna|encodings", path.read_text())
