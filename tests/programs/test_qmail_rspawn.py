"""qmail-rspawn: its own part; the loop is tested with spawn/daemon."""

import os

import pytest

from tests.checkout import LittleHome

ORDER = b"\0" + b"0/46\0s@x.example\0r@far.example\0"
REMOTE = '#!/bin/sh\nread line; printf "r\\0K%s|%s|%s|%s\\0" "$1" "$2" "$3" "$line"\n'


def test_dead_hosts_are_forgotten_and_a_swapped_program_is_found_in_path(tmp_path):
    home = LittleHome(tmp_path)
    (tmp_path / "queue/mess/0").mkdir(parents=True)
    (tmp_path / "queue/mess/0/46").write_text("m\n")
    (tmp_path / "queue/lock").mkdir()
    (tmp_path / "queue/lock/tcpto").write_bytes(b"\1" * 1024)
    home.program("qmail-remote", '#!/bin/sh\nprintf "r\\0K%s|%s|%s\\0" "$1" "$2" "$3"\n')
    order = b"\0" + b"0/46\0s@x\0a@b@far\0"
    assert home.run("qmail-rspawn", stdin=order, PATH=f"{tmp_path}/bin:{os.environ['PATH']}").stdout == b"\x78\0Kfar|s@x|a@b@far\0"
    assert (tmp_path / "queue/lock/tcpto").read_bytes() == bytes(1024)
    other = home.program("other", '#!/bin/sh\nprintf "hno\\0Dno\\0"\n')
    assert home.run("qmail-rspawn", stdin=order, QMAILREMOTE=str(other)).stdout == b"\x78\0Dnono\0"


@pytest.fixture
def wrapping(tmp_path):
    """A home with a message in its queue, a qmail-remote, and control/extraremote."""
    home = LittleHome(tmp_path)
    (tmp_path / "queue/mess/0").mkdir(parents=True)
    (tmp_path / "queue/mess/0/46").write_text("a message\n")
    home.program("qmail-remote", REMOTE)
    home.control(extraremote="1\n")
    return home


def report(home, order=ORDER, folder="bin", **env):
    done = home.run("qmail-rspawn", stdin=order, PATH=f"{home.path / folder}:/usr/bin:/bin", **env)
    assert (done.returncode, done.stderr, done.stdout[:2]) == (0, b"", b"\x78\0")
    return done.stdout[2:-1]


# aio: extraremote
@pytest.mark.parametrize(("wrapper", "said"), [
    ('exec {bin}/qmail-remote "$@"', b"Kfar.example|s@x.example|r@far.example|a message"),
    ('sed s/a/b/ | {bin}/qmail-remote "$@"', b"Kfar.example|s@x.example|r@far.example|b message"),
    ("exit 0", b"Zqmail-remote produced no output.\n"),
    ("exit 111", b"ZUnable to run qmail-remote.\n"),
    ("exit 3", b"DUnable to run qmail-remote.\n"),
    ("kill -KILL $$", b"Zqmail-remote crashed.\n"),
    ("printf 'Ztry later\\n\\0'", b"Ztry later\n"),
    ("printf 'Ztry later\\n\\0' >&2", b"Ztry later\n"),  # descriptor 2 is the same pipe
])
def test_the_wrapper(wrapping, wrapper, said):
    wrapping.program("qmail-remote.extra", f"#!/bin/sh\n{wrapper.format(bin=wrapping.path / 'bin')}\n")
    assert report(wrapping) == said


@pytest.mark.parametrize("mode", [None, 0o644, 0o600])
def test_a_wrapper_that_cannot_be_run_defers_and_nothing_runs_in_its_place(wrapping, mode):
    if mode is not None:
        wrapping.program("qmail-remote.extra", REMOTE).chmod(mode)
    assert report(wrapping) == b"ZUnable to run qmail-remote.\n"


def test_the_home_comes_before_path_and_decides(wrapping):
    (wrapping.path / "other").mkdir()
    elsewhere = wrapping.program("../other/qmail-remote.extra", '#!/bin/sh\nprintf "r\\0Kelsewhere\\0"\n')
    assert report(wrapping, folder="other") == b"Kelsewhere"
    wrapping.program("qmail-remote.extra", '#!/bin/sh\nprintf "r\\0Kat home\\0"\n')
    assert report(wrapping, folder="other") == b"Kat home"
    (wrapping.path / "bin/qmail-remote.extra").chmod(0o644)
    assert elsewhere.exists()
    assert report(wrapping, folder="other") == b"ZUnable to run qmail-remote.\n"


@pytest.mark.parametrize(("extraremote", "env"), [("0\n", {}), ("", {}), ("1\n", {"QMAILREMOTE": "qmail-remote"})])
def test_a_wrapper_that_is_there_is_not_used_unless_it_is_asked_for(wrapping, extraremote, env):
    wrapping.control(extraremote=extraremote)
    wrapping.program("qmail-remote.extra", "#!/bin/sh\nexit 3\n")
    assert report(wrapping, **env).startswith(b"Kfar.example|")


def test_each_delivery_runs_it_with_its_own_arguments(wrapping):
    wrapping.program("qmail-remote.extra", REMOTE)
    said = wrapping.run("qmail-rspawn", stdin=ORDER + b"\1" + b"0/46\0\0q@a.example\0", PATH=f"{wrapping.path}/bin:/usr/bin:/bin").stdout
    reports = (b"\0Kfar.example|s@x.example|r@far.example|a message\0", b"\1Ka.example||q@a.example|a message\0")
    assert said in (b"\x78" + b"".join(reports), b"\x78" + b"".join(reversed(reports)))


def test_an_extraremote_that_cannot_be_read_keeps_it_from_starting(wrapping):
    (wrapping.path / "control/extraremote").unlink()
    (wrapping.path / "control/extraremote").mkdir()
    done = wrapping.run("qmail-rspawn", stdin=ORDER)
    assert (done.returncode, done.stdout) == (111, b"")
    assert b"unable to read control/extraremote: is a directory" in done.stderr
