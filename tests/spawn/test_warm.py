"""A program that is called in a child does what it does when it is executed: both ways, in real homes."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from qmailpy.home import Home
from qmailpy.spawn.warm import Warm
from tests.signalmasks import NONE, masks
from tests.spawn.spawner import UID, Spawner, owner
from tests.smtpsink import SmtpSink

LOOK = ("umask; pwd; id; ulimit -a; ls /proc/self/fd | tr '\\n' ' '; grep -E '^(Sig[PBIC]|Groups|NoNewPrivs|Cap)' /proc/self/status; cat /proc/$PPID/comm; "
        "env | grep -v -e ^_= -e ^UFLINE= | sort")
HOW = "tr '\\0' ' ' < /proc/$PPID/cmdline"


def executed(home, name):
    """Put a copy in a program's place: it is the same, but not the file that setup recorded."""
    path = pathlib.Path(home.program(name))
    kept = path.with_name(name + ".kept")
    os.rename(path, kept)
    shutil.copy(kept, path)
    return lambda: os.replace(kept, path)


def look(home, joe, delivery="./Mailbox"):
    """(the report, what the program in .qmail saw, the command line that it was run by)."""
    (joe / ".qmail").write_text(f"|({LOOK}) > seen; {HOW} > how; echo out; echo err >&2\n")
    with Spawner(home, "qmail-lspawn", delivery) as spawner:
        said = spawner.report(b"Joe@h.example")
    assert (joe / "seen").exists(), said
    return said, (joe / "seen").read_text("latin-1"), (joe / "how").read_text()


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_users_program_sees_the_same(request, kind, joe):
    home = request.getfixturevalue(kind)
    home.assign(joe=(joe, *owner()))
    called = look(home, joe)
    put_back = executed(home, "qmail-local")
    try:
        other = look(home, joe)
    finally:
        put_back()
    assert called[:2] == other[:2]
    assert called[0] == b"Kout\nerr\ndid 0+0+1\n"
    assert "\nqmail-local\n" in called[1]
    assert masks(called[1].encode("latin-1")) == NONE
    assert "bin/qmail-lspawn " in called[2] and "bin/qmail-local " in other[2]
    if os.geteuid() == 0:
        assert f"uid={UID} gid={UID + 1} groups={UID + 1}\n" in called[1]


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_crash_is_a_crash_and_other_ends_are_told(request, kind, joe):
    home = request.getfixturevalue(kind)
    home.assign(joe=(joe, *owner()))
    with Spawner(home, "qmail-lspawn", "./Mailbox") as spawner:
        for line, report in (("|kill -9 $PPID", b"Zqmail-local crashed.\n"), ("|exit 100", b"D"), ("|exit 111", b"Z"), ("|echo no; exit 99", b"Kno\ndid 0+0+1\n"),
                             ("./Maildir/", b"ZUnable to chdir to maildir. (#4.2.1)\n"), ("|ls /proc/self/fd", b"K0\n1\n2\n3\ndid 0+0+1\n")):
            (joe / ".qmail").write_text(line + "\n")
            assert spawner.report(b"joe@h") == report
        assert spawner.report(b"joe-none@h") == b"DSorry, no mailbox here by that name. (#5.1.1)\n"


def test_a_maildir_gets_the_message(single, joe):
    single.assign(joe=(joe, *owner()))
    for part in ("", "/tmp", "/new", "/cur"):
        (joe / f"Maildir{part}").mkdir()
        os.chown(joe / f"Maildir{part}", *owner())
    with Spawner(single, "qmail-lspawn", "./Maildir/") as spawner:
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    delivered, = (joe / "Maildir/new").iterdir()
    assert delivered.stat().st_uid == owner()[0] and delivered.stat().st_mode & 0o777 == 0o600
    assert delivered.read_bytes() == b"Return-Path: <s@x>\nDelivered-To: joe@h\nSubject: x\n\nbody\n"


@pytest.mark.parametrize("name", ["qmail-local", "qmail-getpw"])
def test_a_program_that_is_replaced_meanwhile_is_executed(single, name):
    path = pathlib.Path(single.program(name))
    kept = path.with_name(name + ".kept")
    (single.path / "alias/.qmail-default").write_text("|echo delivered\n")
    with Spawner(single, "qmail-lspawn", "./Mailbox") as spawner:
        assert spawner.report(b"x-y@h") == b"Kdelivered\ndid 0+0+1\n"
        os.rename(path, kept)
        try:
            path.write_text("#!/bin/sh\necho replaced; exit 100\n")
            path.chmod(0o755)
            assert spawner.report(b"x-y@h") == (b"Dreplaced\n" if name == "qmail-local" else b"D")
            path.unlink()
            assert spawner.report(b"x-y@h") == f"ZUnable to run {name}.\n".encode()
        finally:
            os.rename(kept, path)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_qmail_getpw_says_the_same(request, kind):
    home = request.getfixturevalue(kind)
    (home.path / "alias/.qmail-default").write_text("|echo $LOCAL of $USER\n")
    (home.path / "alias/.qmail-default").chmod(0o644)
    with Spawner(home, "qmail-lspawn", "./Mailbox") as spawner:
        called = spawner.report(b"nosuchuser-x@h")
        put_back = executed(home, "qmail-getpw")
        try:
            assert spawner.report(b"nosuchuser-x@h") == called
        finally:
            put_back()
    # In the multi-user home it is the system's alias user, whose own home may be anywhere.
    assert called == b"Knosuchuser-x of alias\ndid 0+0+1\n" if kind == "single" else b"qmail-getpw" not in called


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_mail_goes_out_the_same_way(request, kind):
    home = request.getfixturevalue(kind)
    with SmtpSink() as sink:
        home.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        with Spawner(home, "qmail-rspawn") as spawner:
            called = spawner.report(b"r@far.example")
        put_back = executed(home, "qmail-remote")
        try:
            with Spawner(home, "qmail-rspawn") as spawner:
                assert spawner.report(b"r@far.example") == called
        finally:
            put_back()
    assert called == b"K127.0.0.1 accepted message.\nRemote host said: 250 ok queued\n"
    assert sink.messages[0] == sink.messages[1] == (b"s@x", [b"r@far.example"], b"Subject: x\r\n\r\nbody\r\n")
    first, second = ([line for line in visit.commands if line != b"QUIT\r\n"] for visit in sink.settled())  # which nobody waits for
    assert first == second


def test_another_qmail_remote_is_executed(single, tmp_path):
    other = tmp_path / "qmail-remote"
    other.write_text('#!/bin/sh\nprintf "r\\0Kother %s\\0" "$1"\n')
    other.chmod(0o755)
    with Spawner(single, "qmail-rspawn", PATH=f"{tmp_path}:{single.env['PATH']}") as spawner:
        assert spawner.report(b"r@far.example") == b"Kother far.example"
    with Spawner(single, "qmail-rspawn", QMAILREMOTE=str(other)) as spawner:
        assert spawner.report(b"r@far.example") == b"Kother far.example"


LOADED = """
import os, sys
home, name, *control = sys.argv[1:]
library = os.path.realpath(home + "/lib/qmailpy/current")
sys.path[:0] = [library, library + "/site"]
before = set(os.listdir("/proc/self/fd"))
from qmailpy.home import here
from qmailpy.programs import qmail_lspawn, qmail_rspawn
warm = qmail_lspawn.Programs(here()).local if name == "qmail-local" else qmail_rspawn.Warm(here(), name, qmail_rspawn.later(here()))
assert warm.program.known
assert set(os.listdir("/proc/self/fd")) == before, "something stays open"
loaded = set(sys.modules)
os.dup2(os.open(home + "/message", os.O_RDONLY), 0)
main = __import__("qmailpy.programs." + name.replace("-", "_"), fromlist=["main"]).main
status = main([name, *sys.argv[3:]], {"PATH": home + "/bin"})
os.write(2, " ".join(sorted(set(sys.modules) - loaded)).encode())
sys.exit(status)
"""


@pytest.mark.parametrize(("name", "words"), [
    ("qmail-local", ["joe", "{home}/alias", "joe", "", "", "h", "s@x", "&a@b"]), ("qmail-local", ["joe", "{home}/alias", "joe", "", "", "h", "s@x", "./Mailbox"]),
    ("qmail-remote", ["far.example", "s@x", "r@far.example"]),
])
def test_everything_is_loaded_beforehand_and_nothing_stays_open(single, name, words):
    (single.path / "message").write_text("Subject: x\n\n")
    with SmtpSink() as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        done = subprocess.run([sys.executable, "-I", "-S", "-c", LOADED, str(single.path), name, *(word.format(home=single.path) for word in words)],
                              capture_output=True, cwd=single.path, timeout=60)
    (single.path / "message").unlink()
    assert (done.returncode, done.stderr) == (0, b""), done


BROKEN = """
import os, sys
sys.path[:0] = [os.path.realpath(sys.argv[1] + "/lib/qmailpy/current")]
from qmailpy.home import here
from qmailpy.spawn.warm import Warm
print(Warm(here(), "qmail-local", ["no.such.module"]).stands)
"""


def test_what_cannot_be_loaded_is_left_to_the_child(single):
    assert not Warm(Home(str(single.path)), "qmail-local").program.known  # this checkout is not that home's library
    done = subprocess.run([sys.executable, "-I", "-S", "-c", BROKEN, str(single.path)], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"True\n"
