"""What the tests of the spawners share."""

import os

import pytest

from tests.spawn.spawner import owner


@pytest.fixture
def joe(tmp_path):
    """A user's home folder, which is outside of qmail's."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    folder = tmp_path / "joe"
    folder.mkdir()
    os.chown(folder, *owner())
    return folder
