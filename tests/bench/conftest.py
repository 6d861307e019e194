"""Servers that the tests of figures share."""

import pytest

from tests.bench.little import LittleServer, MaildirSink
from tests.maildirs import Place


@pytest.fixture
def place():
    """A folder that the user who gets mail can reach."""
    with Place() as folder:
        yield folder


@pytest.fixture
def mail(tmp_path):
    with MaildirSink(tmp_path / "Maildir") as sink:
        yield sink


@pytest.fixture
def server(mail):
    return LittleServer(mail)
