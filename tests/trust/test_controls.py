"""Damaged control files: whatever is wrong with one, no stranger may relay, and nothing breaks that could say why."""

import os
import shutil
import subprocess

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.programs import qmail_inject, qmail_qmtpd, qmail_remote, qmail_smtpd
from qmailpy.remote.report import Failed
from qmailpy.remote.route import route
from qmailpy.serve.world import SmtpWorld, client
from qmailpy.settings.load import load
from qmailpy.settings.table import SETTINGS
from qmailpy.smtp.server import Session
from qmailpy.unix.connection import Connection
from tests.checkout import LittleHome

GOOD = {"me": b"mx.ours.example\n", "rcpthosts": b"ours.example\n", "locals": b"ours.example\n", "badmailfrom": b"@spam.example\n"}
DAMAGES = {"empty": b"", "no newline": b"ours.example", "NUL": b"\0ours.example\0\n\0", "1 MB": b"x.example\n" * 100000, "one line of 1 MB": b"1" * 1000000, "bytes": bytes(range(256)) * 8,
           "a folder": None}
FILES = sorted({*SETTINGS, "morercpthosts.cdb"})


@pytest.fixture
def home(tmp_path):
    (tmp_path / "control").mkdir()
    (tmp_path / "queue/lock").mkdir(parents=True)
    for name, content in GOOD.items():
        (tmp_path / "control" / name).write_bytes(content)
    return Home(str(tmp_path))


def damage(home, name, content):
    path = home.at("control", name)
    if content is None:
        if os.path.exists(path):
            os.unlink(path)
        os.mkdir(path)
        return
    with open(path, "wb") as file:
        file.write(content)


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FILES)
def test_no_damage_makes_an_open_relay(home, name, content):
    damage(home, name, content)
    env = {"TCPREMOTEIP": "192.0.2.7"}
    try:
        values = qmail_smtpd.settings(home, env)
    except Temporary:
        return  # 421
    session = Session(values, client(env), Quiet(home, env, Connection(-1, -1, 1), values))
    said = b"".join(session.feed(b"HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<victim@far.example>\r\nRCPT TO:<joe@ours.example>\r\n")).splitlines()
    assert said[2][:3] in (b"553", b"421", b"451", b"503"), said  # 503: MAIL was refused
    if len(said) > 3:
        assert session.facts.recipients in ([], [b"joe@ours.example"])


class Quiet(SmtpWorld):
    """Waits for nobody and asks nobody."""

    def pause(self, seconds):
        pass

    def log(self, line):
        pass

    def exists(self, name):
        return True

    def takes_mail(self, domain):
        return True


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", FILES)
def test_a_damage_is_a_default_or_a_temporary_failure_of_each_program(home, name, content):
    damage(home, name, content)
    for module, more in ((qmail_smtpd, ()), (qmail_qmtpd, ()), (qmail_remote, ()), (qmail_inject, ("idhost",))):
        names = (*getattr(module, "SETTINGS", getattr(module, "HOSTS", ())), *more)
        try:
            values = load(home, names, {})
        except Temporary:
            continue
        if module is qmail_remote:
            try:
                way = route(b"far.example", values.map("smtproutes") or {}, values.map("qmtproutes") or {})
                assert way.targets
            except Failed as failed:
                assert failed.record.startswith(b"Z")


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
def test_qmail_showctl_shows_what_is_damaged(tmp_path, content):
    home = LittleHome(tmp_path)
    for name in FILES:
        path = home.path / "control" / name
        path.unlink(missing_ok=True)
        path.mkdir() if content is None else path.write_bytes(content[:10000])  # of each: it shows them all
    done = home.run("qmail-showctl")
    assert done.returncode in (0, 111) and b"Traceback" not in done.stdout + done.stderr and b"internal error" not in done.stdout + done.stderr
    assert b"\nrcpthosts: " in done.stdout or done.stdout.endswith(b"\nOops! Trouble reading control/me.\n")


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", ["locals", "virtualdomains", "queuelifetime"])
def test_no_damage_makes_mail_bounce_or_go_astray(single, name, content):
    """qmail-send takes the file up at its start, or does not start and says why; mail waits."""
    box = single.path / "alias"
    single.run("maildirmake", str(box / "Maildir"))
    (box / ".qmail-default").write_text("./Maildir/\n")
    place = single.path / "control" / name
    place.unlink(missing_ok=True)
    place.mkdir() if content is None else place.write_bytes(content)
    try:
        child = subprocess.Popen([single.program("qmail-start"), "./Maildir/"], env=single.env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            said = child.stdout.readline()
            assert said.startswith((b"status: local 0/", b"alert: cannot start: ")), said
        finally:
            child.terminate()
            rest = child.stdout.read()
            child.wait(30)
        assert b"Traceback" not in rest and b"internal error" not in rest
    finally:
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
