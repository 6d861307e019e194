"""What one delivery could leave for the next that the same child does, and what users could do to children that stay."""

import os
import pathlib
import select
import signal
import subprocess
import sys

import pytest

from tests.pki import Authority
from tests.pool.test_worker import pool  # noqa: F401
from tests.smtpsink import SmtpSink, tls_context
from tests.spawn.spawner import UID, Spawner, owner

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
SHOW = '|echo "$EXT|$EXT2|$EXT3|$DEFAULT|$HOST2|$SENDER|$(umask)|$(pwd)" >> seen; ls /proc/self/fd | tr "\\n" " " >> seen'


def maildir(folder, name="Maildir", who=None):
    """Make a Maildir."""
    for part in ("", "/tmp", "/new", "/cur"):
        (folder / f"{name}{part}").mkdir()
        os.chown(folder / f"{name}{part}", *(who or owner()))
    return folder / name / "new"


def delivering_pids(new):
    """Who has delivered what is in a Maildir, oldest first: process ids."""
    return [int(name.name.split("P")[1].split(".")[0]) for name in sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns)]


def has_ended(watch, seconds=20):
    """Wait for the end of a process, given by a descriptor."""
    ready = select.select([watch], [], [], seconds)[0]
    os.close(watch)
    return bool(ready)


@pytest.fixture(params=["single", "multi"])
def home(request, joe):
    found = request.getfixturevalue(request.param)
    found.assign(joe=(joe, *owner()))
    return found


@pytest.fixture
def spawner(home):
    with Spawner(home, "qmail-lspawn", "./Maildir/") as one:
        yield one


@pytest.fixture
def new(joe):
    return maildir(joe)


def test_one_child_takes_one_message_after_another(spawner, new):
    assert [spawner.report(b"joe@h") for _ in range(3)] == [b"Kdid 1+0+0\n"] * 3
    child, = spawner.children("qmail-local")
    assert delivering_pids(new) == [child] * 3


def test_changes_are_seen_at_once(home, spawner, joe, new):
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    (joe / ".qmail").write_text("./Other/\n")
    assert spawner.report(b"joe@h") == b"ZUnable to chdir to maildir. (#4.2.1)\n"
    other = maildir(joe, "Other")
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    (joe / ".qmail").unlink()
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    assert delivering_pids(new) + delivering_pids(other) == [*spawner.children("qmail-local")] * 3
    joe.chmod(0o777)
    assert spawner.report(b"joe@h") == b"ZUh-oh: home directory is writable. (#4.7.0)\n"
    joe.chmod(0o755)
    moved = joe.with_name("moved")
    joe.rename(moved)
    assert spawner.report(b"joe@h").startswith(f"ZUnable to switch to {joe}: ".encode())
    home.assign(joe=(moved, *owner()))
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    moved.rename(joe)


def test_an_address_can_be_given_to_somebody_else(home, spawner, joe, new, tmp_path):
    ann = tmp_path / "ann"
    ann.mkdir()
    theirs = (owner()[0] + 7, owner()[1] + 7) if os.geteuid() == 0 else owner()
    os.chown(ann, *theirs)
    his = maildir(ann, who=theirs)
    for folder, count in ((joe, (1, 0)), (ann, (1, 1)), (joe, (2, 1))):
        home.assign(joe=(folder, *(theirs if folder == ann else owner())))
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
        assert (len(list(new.iterdir())), len(list(his.iterdir()))) == count
    if os.geteuid() == 0:
        assert {path.stat().st_uid for path in his.iterdir()} == {theirs[0]}
        assert len(spawner.children("qmail-local")) == 2
        assert not set(delivering_pids(new)) & set(delivering_pids(his))


@as_root
def test_a_group_is_as_much_a_part_of_who_a_child_is(multi, joe, new):
    with Spawner(multi, "qmail-lspawn", "./Maildir/") as spawner:
        for gid in (UID + 1, UID + 2):
            multi.assign(joe=(joe, UID, gid))
            (joe / ".qmail").write_text("./Maildir/\n")
            assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
            (joe / ".qmail").write_text("|id -G\n")
            assert spawner.report(b"joe@h") == f"K{gid}\ndid 0+0+1\n".encode()


def test_variables_do_not_stay(home, spawner, joe, new):
    (joe / ".qmail-default").write_text("./Maildir/\n")
    (joe / ".qmail-other").write_text(f"./Maildir/\n{SHOW}\n")
    assert spawner.report(b"joe-a-b-c@a.b.c", b"evil@x") == b"Kdid 1+0+0\n"
    assert spawner.report(b"joe-other@h", b"s@y") == b"Kdid 1+0+1\n"
    assert (joe / "seen").read_text() == f"other||||h|s@y|0077|{joe}\n0 1 2 3 "
    assert len(set(delivering_pids(new))) == 1


def test_after_a_program_comes_another_child(spawner, joe, new):
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    (joe / ".qmail").write_text("|echo $PPID\n")
    pids = [int(spawner.report(b"joe@h")[1:].split(b"\n")[0]) for _ in range(3)]
    assert delivering_pids(new) == pids[:1]
    assert len(set(pids)) == 3


def test_a_signal_to_a_programs_own_group_reaches_its_own_delivery_alone(spawner, joe, new):
    fifo = joe / "fifo"
    os.mkfifo(fifo)
    os.chown(fifo, *owner())
    (joe / ".qmail-wait").write_text("|cat fifo\n")
    spawner.order(b"joe-wait@h", number=1)
    with fifo.open("w") as writing:  # the program has begun
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
        (joe / ".qmail").write_text("|kill -TERM 0\n")
        assert spawner.report(b"joe@h") == b"Zqmail-local crashed.\n"
        writing.write("done\n")
    assert spawner.next_report() == b"Kdone\ndid 0+0+1\n"


def test_a_child_that_is_killed_at_rest_costs_nothing(spawner, joe, new):
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
    child, = spawner.children("qmail-local")
    watch = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    assert has_ended(watch)
    assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"


def test_children_end_with_the_spawner(home, joe, new):
    with Spawner(home, "qmail-lspawn", "./Maildir/") as spawner:
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
        watches = [os.pidfd_open(pid) for pid in spawner.children("qmail-local")]
        assert len(watches) == 1
        spawner.process.kill()
        assert all(map(has_ended, watches))


PEEK = """
import os, sys
pid, uid = map(int, sys.argv[1:])
os.setgroups([])
os.setgid(uid + 1)
os.setuid(uid)
for name in ("mem", "environ", "fd/0", "cwd"):
    try:
        (os.readlink if name in ("cwd", "fd/0") else open)(f"/proc/{pid}/{name}")
    except (PermissionError, FileNotFoundError):
        continue
    sys.exit(f"{name} can be had")
import ctypes
library = ctypes.CDLL(None, use_errno=True)
if library.ptrace(16, pid, None, None) != -1 or ctypes.get_errno() != 1:  # PTRACE_ATTACH, EPERM
    sys.exit("it can be traced")
"""


@as_root
def test_a_user_cannot_look_into_a_child_that_works_for_him(multi, joe, new):
    multi.assign(joe=(joe, *owner()))
    with Spawner(multi, "qmail-lspawn", "./Maildir/") as spawner:
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
        child, = spawner.children("qmail-local")
        status = pathlib.Path(f"/proc/{child}/status").read_text()
        assert f"\nUid:\t{UID}\t{UID}\t{UID}\t{UID}\n" in status
        assert f"\nGid:\t{UID + 1}\t{UID + 1}\t{UID + 1}\t{UID + 1}\n" in status
        assert f"\nGroups:\t{UID + 1} \n" in status
        assert "\nCapEff:\t0000000000000000\n" in status
        subprocess.run([sys.executable, "-I", "-S", "-c", PEEK, str(child), str(UID)], check=True)


@as_root
def test_who_looks_up_users_is_nobody_else_and_stays_too(multi):
    with Spawner(multi, "qmail-lspawn", "./Maildir/") as spawner:
        said = [spawner.report(b"nosuchuser-%d@h" % number) for number in range(3)]
        child, = spawner.children("qmail-getpw")
        import pwd
        assert f"\nUid:\t{pwd.getpwnam('qmailp').pw_uid}\t" in pathlib.Path(f"/proc/{child}/status").read_text()
        assert sorted(os.listdir(f"/proc/{child}/fd")) == ["0", "1", "2", "3"]
        assert len(set(said)) == 1


def test_a_replaced_program_is_used_at_once(single, joe, new):
    single.assign(joe=(joe, *owner()))
    path = pathlib.Path(single.program("qmail-local"))
    kept = path.with_name("qmail-local.kept")
    with Spawner(single, "qmail-lspawn", "./Maildir/") as spawner:
        assert spawner.report(b"joe@h") == b"Kdid 1+0+0\n"
        os.rename(path, kept)
        try:
            path.write_text("#!/bin/sh\necho other; exit 100\n")
            path.chmod(0o755)
            assert spawner.report(b"joe@h") == b"Dother\n"
        finally:
            os.rename(kept, path)


def test_few_descriptors_are_enough(single, joe, new):
    single.assign(joe=(joe, *owner()))
    with Spawner(single, "qmail-lspawn", "./Maildir/", files=200) as spawner:
        assert [spawner.report(b"joe@h") for _ in range(2)] == [b"Kdid 1+0+0\n"] * 2
    assert len(set(delivering_pids(new))) == 2


def remote_pids(spawner):
    return spawner.children("qmail-remote")


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_mail_goes_out_through_one_child_by_what_control_says_now(request, kind):
    home = request.getfixturevalue(kind)
    with SmtpSink() as first, SmtpSink(replies={"RCPT": "550 no"}) as second:
        home.control(smtproutes=f":[127.0.0.1]:{first.port}\n", helohost="one.example\n")
        with Spawner(home, "qmail-rspawn") as spawner:
            assert spawner.report(b"r@far.example").startswith(b"K127.0.0.1 accepted message.\n")
            child = remote_pids(spawner)
            home.control(smtproutes=f":[127.0.0.1]:{second.port}\n", helohost="two.example\n")
            assert spawner.report(b"r@far.example").startswith(b"D127.0.0.1 does not like recipient.\n")
            home.control(smtproutes=f":[127.0.0.1]:{first.port}\n")
            assert spawner.report(b"q@far.example", b"t@x").startswith(b"K127.0.0.1 accepted message.\n")
            assert remote_pids(spawner) == child
            assert len(child) == 1
        assert [(sender, recipients) for sender, recipients, _ in first.messages] == [(b"s@x", [b"r@far.example"]), (b"t@x", [b"q@far.example"])]
        assert [visit.commands[0] for visit in first.settled()] == [b"EHLO one.example\r\n", b"EHLO two.example\r\n"]


def test_who_has_given_a_password_sends_no_other_message(single):
    with SmtpSink(mechanisms="PLAIN") as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port} user secret\n")
        with Spawner(single, "qmail-rspawn") as spawner:
            assert spawner.report(b"r@far.example").startswith(b"K")
            assert all(has_ended(os.pidfd_open(pid), 5) for pid in remote_pids(spawner)), "it has not ended by itself"


def test_tls_leaves_nothing_in_the_child(single, tmp_path):
    authority = Authority()
    with SmtpSink(tls=tls_context(tmp_path, authority.issue("sink.example").pem)) as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port}\n", tlsremote="1\n")
        with Spawner(single, "qmail-rspawn") as spawner:
            served = []
            for _ in range(2):
                assert spawner.report(b"r@far.example").startswith(b"K127.0.0.1 accepted message.\n")
                served.append(remote_pids(spawner))
                child, = served[-1]
                assert sorted(os.listdir(f"/proc/{child}/fd")) == ["3"]
            assert served[0] == served[1]
        assert [b"STARTTLS\r\n" in visit.commands for visit in sink.settled()] == [True, True]


def test_a_forward_goes_to_the_queues_pool(single, joe, pool):  # noqa: F811
    """A child that stays is a warm process: it has the pool store what it forwards, and can stay, since it has forked nothing."""
    single.assign(joe=(joe, *owner()))
    running = pool("queue")
    (joe / ".qmail").write_text("&ann@test.example\n")
    with Spawner(single, "qmail-lspawn", "./Maildir/") as spawner:
        said = [spawner.report(b"joe@h") for _ in range(2)]
        assert len(spawner.children("qmail-local")) == 1
    assert set(said) <= {b"Kdid 0+1+0\nqp %d\n" % pid for pid in running.workers()}
    assert len([name for name in single.queue_files() if name.startswith("todo/")]) == 2
