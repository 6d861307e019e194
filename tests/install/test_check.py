"""make check: what is not as setup makes it is told, each thing in a line."""

import os
import pathlib
import pwd
import shutil
import subprocess

import pytest

from qmailpy.install import interpreter
from qmailpy.install.check import problems
from qmailpy.install.setup import Setup, describe

TOP = str(pathlib.Path(__file__).resolve().parents[2])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A single-user home that nothing is wrong with."""
    found = Setup(describe(str(tmp_path_factory.mktemp("whole") / "home"), TOP, single=True), TOP, interpreter.choose())
    found.run()
    assert list(problems(found)) == []
    return found


@pytest.fixture
def at(whole, tmp_path):
    """The path of something in the home; afterwards it is as it was."""
    touched = []

    def take(name):
        path = pathlib.Path(whole.home.at(name))
        touched.append((path, tmp_path / str(len(touched))))
        subprocess.run(["cp", "-a", path, touched[-1][1]], check=True)
        return path

    yield take
    for path, kept in touched:
        subprocess.run(["rm", "-rf", path], check=True)
        subprocess.run(["cp", "-a", kept, path], check=True)


def mode(bits):
    return lambda path: path.chmod(bits)


def replace_by_folder(path):
    path.unlink()
    path.mkdir(0o755)


def replace_by_file(path):
    path.rmdir() if path.is_dir() else path.unlink()
    path.touch()


def change(path):
    path.write_bytes(path.read_bytes() + b"\n# changed\n")


@pytest.mark.parametrize(("name", "damage", "words"), [
    ("bin/qmail-smtpd", os.unlink, "bin/qmail-smtpd is not there"),
    ("bin/qmail-smtpd", mode(0o775), "bin/qmail-smtpd has mode 0775, not 0755"),
    ("bin/qmail-send", change, "bin/qmail-send is not what setup installs"),
    ("bin/qmail-pop3d", replace_by_folder, "bin/qmail-pop3d is not a plain file"),
    ("boot/home", mode(0o644), "boot/home has mode 0644, not 0755"),
    ("boot/binm2+df", change, "boot/binm2+df is not what setup installs"),
    ("boot/service/qmail-qmtpd", mode(0o777), "boot/service/qmail-qmtpd has mode 0777, not 0755"),
    ("boot/service/qmail-qmqpd/log/run", os.unlink, "boot/service/qmail-qmqpd/log/run is not there"),
    ("boot/systemd/qmail-pop3d.service", change, "boot/systemd/qmail-pop3d.service is not what setup installs"),
    ("doc/INSTALL", os.unlink, "doc/INSTALL is not there"),
    ("man/man8/qmail-send.8", change, "man/man8/qmail-send.8 is not what setup installs"),
    ("man/man7", shutil.rmtree, "man/man7 is not there"),
    ("pyvenv.cfg", change, "pyvenv.cfg is not what setup installs"),
    ("queue/mess", mode(0o777), "queue/mess has mode 0777, not 0750"),
    ("queue/info/3", os.rmdir, "queue/info/3 is not there"),
    ("queue/intd", replace_by_file, "queue/intd is not a folder"),
    ("queue/lock/trigger", replace_by_file, "queue/lock/trigger is not a named pipe"),
    ("queue/lock/tcpto", mode(0o666), "queue/lock/tcpto has mode 0666, not 0644"),
    ("lib/qmailpy/current", os.unlink, "lib/qmailpy/current is not there"),
    ("lib/qmailpy/current/qmailpy/boot.py", mode(0o666), "qmailpy/boot.py can be written by others"),
    ("lib/qmailpy/current/qmailpy/boot.py", change, "qmailpy/boot.py differs from the checkout"),
    ("lib/qmailpy/installed", os.unlink, "lib/qmailpy/installed is not there"),
])
def test_what_is_wrong_is_told(whole, at, name, damage, words):
    damage(at(name))
    told = list(problems(whole))
    assert len([line for line in told if words in line]) == 1, told


def test_without_the_list_of_what_was_installed_everything_counts(whole, at):
    at("lib/qmailpy/installed").unlink()
    change(at("bin/qmail-send"))
    assert "bin/qmail-send is not what setup installs" in list(problems(whole))


def test_who_may_enter_his_home_is_a_single_users_affair(whole):
    home = pathlib.Path(whole.home.path)
    home.chmod(0o700)
    assert list(problems(whole)) == []
    home.chmod(0o755)


@pytest.fixture
def other():
    return pwd.getpwnam("daemon")


@pytest.mark.parametrize("name", ["", "bin/qmail-queue", "boot/proc", "doc/THOUGHTS", "queue/lock/sendmutex", "lib/qmailpy"])
def test_owners_in_a_home_of_many_users(installed_multi, other, name):
    found = Setup(describe(str(installed_multi), TOP, single=False), TOP, interpreter.choose())
    assert list(problems(found)) == []
    path = installed_multi / name
    before = path.stat()
    try:
        os.chown(path, other.pw_uid, other.pw_gid)
        os.chmod(path, before.st_mode & 0o7777)
        told = list(problems(found))
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)
    wrong = f"{name or found.home.path} belongs to {other.pw_uid}:{other.pw_gid}, not to {before.st_uid}:{before.st_gid}"
    assert wrong in told


def test_setup_opens_the_door_of_a_home_of_many_users(installed_multi):
    found = Setup(describe(str(installed_multi), TOP, single=False), TOP, interpreter.choose())
    installed_multi.chmod(0o700)
    assert f"{installed_multi} has mode 0700, not 0755" in list(problems(found))
    found.run()
    assert list(problems(found)) == []
