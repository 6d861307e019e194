"""A daemon over pipes."""

import pytest

from tests.send.queue import Around


@pytest.fixture
def around(tmp_path):
    found = Around(tmp_path)
    yield found
    found.close()
