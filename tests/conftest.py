"""Fixtures that several tests share: installed homes, made once and emptied for each test."""

import os
import pathlib
import shutil
import tempfile

import pytest

from qmailpy.exits import TENURE
from tests import home as homes


@pytest.fixture(scope="session")
def installed_single():
    """A single-user home, installed once for the whole run, below a folder that every user can reach."""
    place = tempfile.mkdtemp(prefix="qmailpy-test-")
    os.chmod(place, 0o755)
    homes.install(pathlib.Path(place, "home"), "--single")
    yield pathlib.Path(place, "home")
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def installed_second():
    """Another one, for what two hosts do with each other."""
    place = tempfile.mkdtemp(prefix="qmailpy-test-")
    homes.install(pathlib.Path(place, "home"), "--single")
    yield pathlib.Path(place, "home")
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def installed_multi():
    """A multi-user home; needs root and the qmail users."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    import pwd
    try:
        pwd.getpwnam("qmailq")
    except KeyError:
        pytest.skip("needs the qmail users: make users")
    place = tempfile.mkdtemp(prefix="qmailpy-test-")
    os.chmod(place, 0o755)
    homes.install(pathlib.Path(place, "home"))
    yield pathlib.Path(place, "home")
    shutil.rmtree(place)


@pytest.fixture
def single(installed_single):
    """The single-user home, as after installation."""
    home = homes.RealHome(installed_single)
    home.fresh()
    yield home
    home.end()


@pytest.fixture
def second(installed_second):
    """The other single-user home, as after installation."""
    home = homes.RealHome(installed_second)
    home.fresh()
    home.control(me="second.test.example\n", locals="second.test.example\n", rcpthosts="second.test.example\n")
    yield home
    home.end()


@pytest.fixture
def multi(installed_multi):
    """The multi-user home, as after installation."""
    home = homes.RealHome(installed_multi)
    home.fresh()
    yield home
    home.end()


@pytest.fixture(autouse=True)
def same_process():
    """A program's main that a test calls in its own process may set the umask, or say that the process is to end; the next test has it as it was."""
    os.umask(0o022)
    TENURE.warm, TENURE.reason, TENURE.trace = False, "", ""
    yield
    os.umask(0o022)
