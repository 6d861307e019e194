"""hostname."""

import os
import subprocess

import pytest

from tests.checkout import LittleHome


def test_the_name_is_told(tmp_path):
    done = LittleHome(tmp_path).run("hostname")
    assert (done.returncode, done.stdout, done.stderr) == (0, os.fsencode(os.uname().nodename) + b"\n", b"")


@pytest.mark.skipif(not os.access("/bin/hostname", os.X_OK), reason="this system has no hostname")
@pytest.mark.parametrize("words", [["-s"], ["--no-such-option"]])
def test_with_arguments_it_is_the_systems(tmp_path, words):
    done = LittleHome(tmp_path).run("hostname", *words)
    other = subprocess.run(["hostname", *words], executable="/bin/hostname", capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (other.returncode, other.stdout, other.stderr)
