"""make setup, check and rollback: over nothing, over ours, over another qmail."""

import os
import pathlib
import re
import stat

import pytest

from qmailpy.home import here, parse
from qmailpy.install import interpreter
from qmailpy.install.check import problems
from qmailpy.install.hier import FOLDER, Entry
from qmailpy.install.setup import Setup, describe, installed, programs, rollback
from qmailpy.unix import ours

TOP = str(pathlib.Path(__file__).resolve().parents[2])


def setup(path, *chosen):
    found = Setup(describe(str(path), TOP, single=True), TOP, interpreter.choose(), chosen)
    found.run()
    return found


def test_a_new_home_is_as_it_should_be_and_stays_so(tmp_path):
    found = setup(tmp_path / "home")
    assert list(problems(found)) == []
    setup(tmp_path / "home")
    assert list(problems(found)) == []
    assert {"qmail-queue", "qmail-send", "sendmail"} <= set(os.listdir(tmp_path / "home/bin"))
    conf = parse((tmp_path / "home/lib/qmailpy/current/home.conf").read_text())
    assert (conf.path, conf.single, conf.split) == (str(tmp_path / "home"), True, here().split)
    rc = (tmp_path / "home/boot/rc").read_text()
    assert f"{tmp_path}/home/bin/qmail-start" in rc
    assert not [path for path in (tmp_path / "home/boot").rglob("*") if path.is_file() and re.search("@[A-Z]+@", path.read_text())]
    assert {path.name for path in (tmp_path / "home/doc").iterdir()} >= {"README.md", "INSTALL", "FAQ", "INTERNALS", "THOUGHTS", "CHANGES"}
    assert {path.name for path in (tmp_path / "home/man").glob("man*/*")} == set(os.listdir(TOP + "/man"))


def test_another_qmail_keeps_its_mail_and_can_come_back(tmp_path):
    home = tmp_path / "home"
    for number in range(7):
        for part in ("mess", "info", "local", "remote"):
            (home / "queue" / part / str(number)).mkdir(parents=True)
    (home / "queue/mess/0/70").write_text("old mail")
    for folder in ("bin", "control", "users", "alias", "queue/lock"):
        (home / folder).mkdir()
    (home / "control/me").write_text("old.example\n")
    for name, mode in (("qmail-queue", 0o4711), ("qmail-autoresponder", 0o755), ("qmail-send", 0o711)):
        (home / "bin" / name).write_text(f"old {name}")
        os.chmod(home / "bin" / name, mode)
    setup(home)
    setup(home)  # an upgrade keeps the first originals
    assert (home / "queue/mess/0/70").read_text() == "old mail"
    assert os.listdir(home / "queue/lock") == ["boot"]  # what C's qmail-send does not need
    assert (home / "control/me").read_text() == "old.example\n"
    assert (home / "bin/qmail-autoresponder").read_text() == "old qmail-autoresponder"  # we have none
    assert b"QMAILPY" in (home / "bin/qmail-queue").read_bytes()
    assert parse((home / "lib/qmailpy/current/home.conf").read_text()).split == 7
    back = rollback(describe(str(home), TOP, single=True))
    assert {"bin/qmail-queue", "bin/qmail-send"} <= set(back)
    assert (home / "bin/qmail-queue").read_text() == "old qmail-queue"
    assert stat.S_IMODE(os.stat(home / "bin/qmail-queue").st_mode) == 0o4711
    assert (home / "queue/mess/0/70").read_text() == "old mail"
    assert rollback(describe(str(home), TOP, single=True)) == []


def test_single_programs(tmp_path):
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/qmail-send").write_text("old")
    setup(home, "qmail-smtpd")
    assert sorted(os.listdir(home / "bin")) == ["qmail-send", "qmail-smtpd"]
    assert (home / "bin/qmail-send").read_text() == "old"
    assert installed(describe(str(home), TOP, single=True)) == ["bin/qmail-smtpd", "pyvenv.cfg"]
    everything = Setup(describe(str(home), TOP, single=True), TOP, interpreter.choose())
    assert list(problems(everything)) == []  # what is not ours may be as it likes


def test_only_what_was_put_there_is_recorded_as_ours(tmp_path):
    home = tmp_path / "home"
    setup(home, "qmail-send", "qmail-local")
    recorded = ours.parse((home / ours.RECORD).read_bytes())
    assert recorded == {name: ours.fingerprint(os.stat(home / "bin" / name.decode())) for name in (b"qmail-send", b"qmail-local")}
    (home / "bin/qmail-local").unlink()
    (home / "bin/qmail-local").write_text("somebody else's")
    setup(home, "qmail-send")
    again = ours.parse((home / ours.RECORD).read_bytes())
    assert again[b"qmail-local"] == recorded[b"qmail-local"] != ours.fingerprint(os.stat(home / "bin/qmail-local"))
    assert again[b"qmail-send"] == ours.fingerprint(os.stat(home / "bin/qmail-send"))


def test_programs_have_names():
    assert {"qmail-queue", "config-fast", "sendmail"} <= set(programs(TOP))
    with pytest.raises(Exception, match="no such program: nonsense"):
        programs(TOP, ("nonsense",))


def test_an_upgrade_does_not_disturb_a_running_program(tmp_path):
    import subprocess

    setup(tmp_path / "home")
    child = subprocess.Popen([tmp_path / "home/bin/qmail-clean"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"foop/1\0")
    child.stdin.flush()
    assert child.stdout.read(1) == b"+"
    setup(tmp_path / "home")
    out, _ = child.communicate(b"foop/2\0")
    assert (out, child.returncode) == (b"+", 0)


def test_a_link_in_the_place_of_a_queue_file_is_not_followed(tmp_path):
    """Whoever the queue belongs to could have put it there while root installs."""
    (tmp_path / "mine").write_text("")
    (tmp_path / "mine").chmod(0o600)
    (tmp_path / "link").symlink_to("mine")
    found = Setup(describe(str(tmp_path / "home"), TOP, single=True), TOP, interpreter.choose())
    with pytest.raises(OSError, match="symbolic"):
        found.own(str(tmp_path / "link"), Entry("queue/pid", FOLDER, "qmailq", 0o777))
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o600
    found.own(str(tmp_path / "link"), Entry("boot", FOLDER, "root", 0o755), linked=True)
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o755
