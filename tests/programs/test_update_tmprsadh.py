"""update-tmprsadh: files with the names of old, every day again."""

import os
import shutil

import pytest

from qmailpy.text.pem import dh_bits
from tests.checkout import LittleHome

OPENSSL = """#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = -out ] && file=$2; what="$what $1"; shift; done
echo "made by$what $1" > "$file"
case "$what" in *"$FAILS"*) exit 1;; esac
"""


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.program("openssl", OPENSSL)
    found.control(**{"rsa512.pem": "old\n", "dh1024.pem": "old\n"})
    return found


def update(home, fails="nothing"):
    return home.run("update-tmprsadh", PATH=f"{home.path}/bin:/usr/bin:/bin", FAILS=fails)


def content(home, name):
    return (home.path / "control" / name).read_text()


def test_all_are_made_anew_and_again(home):
    for _ in range(2):
        done = update(home)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert content(home, "rsa512.pem") == f"made by genrsa -out {home.path}/control/rsa512.pem.new 512\n"
        assert content(home, "dh512.pem") == f"made by dhparam -2 -out {home.path}/control/dh512.pem.new 512\n"
        assert content(home, "dh1024.pem") == f"made by dhparam -2 -out {home.path}/control/dh1024.pem.new 1024\n"
        assert dh_bits(content(home, "dh2048.pem").encode()) == 2048
        for name in ("rsa512.pem", "dh512.pem", "dh1024.pem", "dh2048.pem"):
            assert (home.path / "control" / name).stat().st_mode & 0o7777 == 0o600
        assert not list((home.path / "control").glob("*.new"))


def test_what_cannot_be_made_stays_as_it_was(home):
    done = update(home, "genrsa")
    assert (done.returncode, done.stdout) == (0, f"{home.path}/control/rsa512.pem: left as it is, since openssl cannot make that.\n".encode())
    assert content(home, "rsa512.pem") == "old\n"
    assert not (home.path / "control/rsa512.pem.new").exists()
    assert content(home, "dh1024.pem").startswith("made by")


def test_without_openssl_the_file_that_matters_is_made(home):
    (home.path / "bin/openssl").unlink()
    done = home.run("update-tmprsadh", PATH="/nowhere")
    assert done.returncode == 0
    assert done.stdout.count(b"left as it is") == 3
    assert content(home, "dh1024.pem") == "old\n"
    assert dh_bits(content(home, "dh2048.pem").encode()) == 2048


def test_a_folder_that_cannot_be_written_to(home):
    shutil.rmtree(home.path / "control")
    done = update(home, "e")
    assert done.returncode == 111
    assert done.stderr.startswith(b"update-tmprsadh: fatal: unable to ")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_the_real_openssl(home):
    done = home.run("update-tmprsadh", PATH=os.environ["PATH"])
    assert done.returncode == 0
    for name, bits in (("dh512.pem", 512), ("dh1024.pem", 1024)):
        path = home.path / "control" / name
        assert f"{name}: left" in done.stdout.decode() or dh_bits(path.read_bytes()) == bits
