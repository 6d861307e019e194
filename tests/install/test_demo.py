"""make demo: a whole run."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from qmailpy.install.setup import DOCUMENTS

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout of its own, so that nobody's demo-home is touched."""
    for name in ("qmailpy", "man", "boot", *DOCUMENTS):
        (tmp_path / name).symlink_to(TOP / name)
    for path in TOP.glob("conf-*"):
        shutil.copy(path, tmp_path)
    (tmp_path / ".build").symlink_to(TOP / ".build")
    return tmp_path


def demo(checkout, port):
    code = f"import sys; sys.path[:0] = [{str(TOP)!r}]; from qmailpy.install.demo import demo; sys.exit(demo({str(checkout)!r}, {port}, once=True))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env={"PATH": os.environ["PATH"]})


def test_a_message_is_delivered_and_shown(checkout):
    done = demo(checkout, 0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "delivery 1: success" in done.stdout
    assert "This message came in by SMTP" in done.stdout
    assert demo(checkout, 0).returncode == 0


def test_a_port_that_is_taken(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = demo(checkout, taken.getsockname()[1])
    assert done.returncode == 1
    assert "unable to bind: address already used" in done.stdout
    assert "PORT=n" in done.stdout
