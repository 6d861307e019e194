"""filters: that they are on, and that each round is made of messages that were queued."""

import os

import pytest

from qmailpy.bench.figures import filters
from qmailpy.bench.measure import Failed
from qmailpy.settings.table import SETTINGS
from tests.checkout import LittleHome


class Scratch:
    def __init__(self, path):
        self.path = str(path)


class Measured:
    """A home whose queue program keeps what it gets."""

    def __init__(self, tmp_path):
        home = LittleHome(tmp_path)
        (tmp_path / "users").mkdir(exist_ok=True)
        self.scratch, self.recorder = Scratch(tmp_path), home
        self.env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder)}


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.setattr(filters, "TIMES", 1)
    return Measured(tmp_path)


def test_a_session_with_all_filters_goes_through_and_costs_more(measured):
    with filters.Answering() as answering:
        full = filters.all_filters(measured.scratch.path, answering.clamd)
        assert set(full) <= set(SETTINGS)
        assert all(full[name].count("\n") == filters.PATTERNS for name in filters.LISTS)
        plain = filters.sessions(measured, {"me": filters.LOCAL, "rcpthosts": filters.LOCAL}, answering.env)
        filtered = filters.sessions(measured, full, answering.env)
        assert plain() > 0 and filtered() > 0
    assert b"Subject: benchmark" in measured.recorder.queued()[0]


def test_a_refusal_is_no_figure(measured):
    refusing = filters.sessions(measured, {"me": filters.LOCAL, "rcpthosts": "else.example"}, {})
    with pytest.raises(Failed, match="553"):
        refusing()
