"""An announced size."""

import pytest

from qmailpy.smtp.checks.size import announced_size
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import values


@pytest.mark.parametrize(("limit", "size", "refused"), [(0, 10**12, False), (10, 10, False), (10, 11, True), (10, 0, False)])
def test_against_databytes(limit, size, refused):
    facts = Facts(values(databytes=limit), Client())
    facts.size = size
    assert (announced_size(facts, None) is not None) == refused
