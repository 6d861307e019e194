"""What setup puts into boot/: the scripts that start the queue's daemons, the run scripts and units of the servers."""

import configparser
import os
import pathlib
import signal
import subprocess

import pytest

from qmailpy.install import hier
from tests.home import PATIENCE, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = [entry.path for entry, source in hier.boot() if source and entry.mode & 0o111]
MESSAGE = b"Subject: hello\n\nThis is the text.\n"
RECORD = """#!/bin/sh
here=$(dirname "$0")
env > "$here/env"
for word in "$@"; do printf '%s\\0' "$word"; done > "$here/words"
case $0 in */standin/*) cat > "$here/stdin" ;; esac
"""
FORWARDER = """#!/bin/sh
[ ! -e "$1" ] || exit 99
"""


class Stage:
    """A folder whose bin/ and standin/ hold programs that note how they were called."""

    def __init__(self, path):
        self.path = path
        for folder in ("bin", "control", "standin", "etc"):
            (path / folder).mkdir()
        (path / "control/me").write_text("me.example\n")

    def program(self, name, text=RECORD):
        place = self.path / name
        place.write_text(text)
        place.chmod(0o755)
        return place

    def run(self, source):
        """Run a script of the checkout's boot/ as if this folder were the home; what subprocess.run gives."""
        text = (TOP / "boot" / source).read_text().replace("@HOME@", str(self.path)).replace("@DAEMON@", "qmaild")
        script = self.program("script", text.replace("/etc/", f"{self.path}/etc/"))
        env = {"PATH": f"{self.path}/standin:/usr/bin:/bin", "STRAY": "x"}
        return subprocess.run([script], env=env, capture_output=True, timeout=PATIENCE)

    def words(self, folder):
        """The arguments that the stand-in in a folder got."""
        return (self.path / folder / "words").read_text().split("\0")[:-1]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


@pytest.mark.parametrize("name", EXECUTABLE)
def test_the_shell_understands_each_script(installed_single, name):
    done = subprocess.run(["/bin/sh", "-n", installed_single / name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def default_delivery(stage, name):
    """What a boot script has qmail-start deliver by."""
    stage.program("bin/qmail-start")
    assert stage.run(name).returncode == 0
    delivery, *logger = stage.words("bin")
    assert logger == ["splogger", "qmail"]
    return delivery


BINMAIL = '|preline -f {} "${{SENDER:-MAILER-DAEMON}}" -d "$USER"'


@pytest.mark.parametrize(("name", "delivery"), [
    ("home", "./Mailbox"), ("proc", "|preline procmail"), ("binm1", BINMAIL.format("/usr/libexec/mail.local -r")),
    ("binm2", BINMAIL.format("/bin/mail -r")), ("binm3", BINMAIL.format("/bin/mail -f")),
])
def test_the_name_says_where_mail_goes_by_default(stage, name, delivery):
    assert default_delivery(stage, name) == delivery
    assert default_delivery(stage, name + "+df") == "|dot-forward .forward\n" + delivery
    assert "STRAY" not in (stage.path / "bin/env").read_text()


@pytest.mark.parametrize(("name", "mailer", "words"), [
    ("proc", "procmail", []), ("binm1", "/usr/libexec/mail.local", ["-r", "{}", "-d", "you"]), ("binm2", "/bin/mail", ["-r", "{}", "-d", "you"]),
    ("binm3", "/bin/mail", ["-f", "{}", "-d", "you"]),
])
@pytest.mark.parametrize(("sender", "shown"), [("ann@a.example", "ann@a.example"), ("", "MAILER-DAEMON")])
@pytest.mark.parametrize("end", ["", "+df"])
def test_a_mailer_gets_the_message(single, stage, name, mailer, words, sender, shown, end):
    delivery = default_delivery(stage, name + end).replace(mailer, str(stage.program("standin/mailer")))
    stage.program("standin/dot-forward", FORWARDER)
    (stage.path / "message").write_bytes(MESSAGE)
    env = {"PATH": f"{stage.path}/standin:{single.env['PATH']}"}
    with (stage.path / "message").open() as message:
        single.run("qmail-local", "you", str(stage.path), "you", "", "", "test.example", sender, delivery, stdin=message, env=env)
    assert stage.words("standin") == [word.format(shown) for word in words]
    head = f"Return-Path: <{sender}>\nDelivered-To: you@test.example\n".encode() + MESSAGE
    said = (stage.path / "standin/stdin").read_bytes()
    assert said == head if words else said.startswith(f"From {shown} ".encode()) and said.endswith(b"\n" + head)


def test_dot_forward_comes_first(single, stage):
    delivery = default_delivery(stage, "home+df")
    stage.program("standin/dot-forward", FORWARDER)
    (stage.path / "message").write_bytes(MESSAGE)
    (stage.path / ".forward").touch()
    with (stage.path / "message").open() as message:
        single.run("qmail-local", "you", str(stage.path), "you", "", "", "test.example", "", delivery, stdin=message,
                   env={"PATH": f"{stage.path}/standin:{single.env['PATH']}"})
    assert not (stage.path / "Mailbox").exists()


@pytest.mark.parametrize("name", ["home", "home+df"])
def test_home_starts_the_daemons_and_mail_arrives_in_the_mailbox(single, stage, name):
    stage.program("standin/dot-forward", FORWARDER)
    (single.path / "alias/.qmail-you").touch()
    daemon = subprocess.Popen([single.path / "boot" / name], env={"PATH": f"{stage.path}/standin:/usr/bin:/bin"}, stdin=subprocess.DEVNULL)
    single.others.append(daemon)
    single.run("qmail-inject", "you@test.example", input=MESSAGE)
    mailbox = single.path / "alias/Mailbox"
    wait_for(lambda: mailbox.exists() and mailbox.read_bytes().endswith(b"This is the text.\n\n"))
    assert pathlib.Path(f"/proc/{daemon.pid}/comm").read_text() == "qmail-send\n"
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE) == 0


SERVERS = {
    "qmail-smtpd": ("tcp.smtp.cdb", ["-u", "4711", "-g", "4711", "0", "smtp", "{}/bin/qmail-smtpd"]),
    "qmail-qmtpd": ("tcp.smtp.cdb", ["-u", "4711", "-g", "4711", "0", "209", "{}/bin/qmail-qmtpd"]),
    "qmail-qmqpd": ("tcp.qmqp.cdb", ["-u", "4711", "-g", "4711", "0", "628", "{}/bin/qmail-qmqpd"]),
    "qmail-pop3d": ("tcp.pop3.cdb", ["0", "110", "{}/bin/qmail-popup", "me.example", "checkpassword", "{}/bin/qmail-pop3d", "Maildir"]),
}


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("has_rules", [True, False])
def test_each_server_has_its_listener(stage, name, has_rules):
    rules, words = SERVERS[name]
    rules = stage.path / "etc" / rules
    if has_rules:
        rules.touch()
    stage.program("bin/qmail-tcpserver")
    stage.program("standin/checkpassword")
    stage.program("standin/id", "#!/bin/sh\n[ $2 = qmaild ] && echo 4711\n")
    assert stage.run(f"service/{name}/run").returncode == 0
    said = stage.words("bin")
    assert said[:5] == ["-v", "-R", "-H", "-l", "me.example"]
    assert said[-len(words):] == [word.format(stage.path) for word in words]
    # Without rules QMQP would be an open relay: there the listener must ask for them, and drop everybody if there are none.
    assert (["-x", str(rules)] == said[5:7]) == (has_rules or name == "qmail-qmqpd")


def test_pop3_needs_somebody_who_checks_passwords():
    text = (TOP / "boot/service/qmail-pop3d/run").read_text().replace("checkpassword", "no-such-checkpassword")
    done = subprocess.run(["/bin/sh", "-c", text], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 111
    assert "there is no no-such-checkpassword" in done.stdout


@pytest.mark.parametrize("name", hier.SERVICES)
def test_units_start_what_is_installed_and_leave_setuid_alone(installed_single, name):
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(installed_single / f"boot/systemd/{name}.service")
    program = unit["Service"]["ExecStart"].split()[0]
    assert program.startswith(f"{installed_single}/boot/")
    assert os.access(program, os.X_OK)
    assert not {"NoNewPrivileges", "RestrictSUIDSGID"} & set(unit["Service"])
    if name.startswith("qmail-pool"):  # one that finds another running is not to be started again and again
        assert (unit["Service"]["Restart"], unit["Service"]["RestartPreventExitStatus"], unit["Service"]["KillMode"]) == ("on-failure", "100", "mixed")
