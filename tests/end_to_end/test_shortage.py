"""What is short in a multi-user home, one user's or the daemons': mail is put off or refused for now, nothing bounces, and all goes on when there is enough."""

import contextlib
import os
import pathlib
import pwd
import re
import resource
import signal
import subprocess

import pytest

from tests.end_to_end.test_multi_user import JOE, joe  # noqa: F401
from tests.end_to_end.test_pools import with_pools
from tests.home import PATIENCE, messages, wait_for
from tests.pools import children, in_child
from tests.smtpsink import SmtpSink

LARGE = b"Subject: large\n\n" + b"x" * 79 + b"\n"
LARGE += (b"y" * 79 + b"\n") * 3000
SMALL = b"Subject: small\n\ntext\n"
NO_LIMIT = resource.RLIM_INFINITY
SESSION = b"HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@test.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"


def daemon_of(home, name):
    """The process id of one of qmail-send's children."""
    return wait_for(lambda: [pid for pid in children(home.daemon.pid) if pathlib.Path(f"/proc/{pid}/comm").read_text() == f"{name}\n"])[0]


def limit(pid, which, soft):
    """Change a soft limit of a process, as its user, who may; the soft limit it had."""
    uids, gids = (re.findall(r"\d+", line) for line in re.findall("^[UG]id:.*", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))

    def change():
        os.setgroups([])
        os.setgid(int(gids[0]))
        os.setuid(int(uids[0]))
        old, hard = resource.prlimit(pid, which)
        resource.prlimit(pid, which, (hard if soft == NO_LIMIT else soft, hard))
        return old

    return in_child(change)


def limit_all(spawner, which, soft):
    """The same for a spawner and the children that it has: they stay for the next delivery."""
    for pid in (spawner, *children(spawner)):
        with contextlib.suppress(OSError, AssertionError):  # it may have ended
            limit(pid, which, soft)


def again(home):
    """Have qmail-send try all that waits."""
    home.daemon.send_signal(signal.SIGALRM)


def pages(pid):
    """The address space of a process, in bytes."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


SHORT = {
    "processes": (resource.RLIMIT_NPROC, lambda pid: 0),
    "descriptors": (resource.RLIMIT_NOFILE, lambda pid: 5),
    "descriptors, all": (resource.RLIMIT_NOFILE, lambda pid: 3),
    "memory": (resource.RLIMIT_AS, lambda pid: pages(pid) + (1 << 20)),
    "stack": (resource.RLIMIT_STACK, lambda pid: 4096),
    "files": (resource.RLIMIT_FSIZE, lambda pid: 0),
}


@pytest.mark.parametrize("what", SHORT)
def test_a_spawner_for_local_mail(multi, joe, what):  # noqa: F811
    multi.start()
    spawner = daemon_of(multi, "qmail-lspawn")
    which, enough = SHORT[what]
    before = limit(spawner, which, enough(spawner))
    (joe / ".qmail").write_text("|cat > /dev/null\n./Maildir/\n")
    multi.run("qmail-inject", "joe@test.example", input=LARGE)
    (told,) = multi.log.wait("delivery 1: (success|deferral|failure)").groups()
    assert told == "deferral" or (told == "success" and what in ("stack", "memory"))
    limit_all(spawner, which, before)
    again(multi)
    multi.wait_empty()
    assert [len(message) > len(LARGE) for message in messages(joe / "Maildir")] == [True]
    assert not list((joe / "Maildir/tmp").iterdir())


@pytest.mark.parametrize("what", SHORT)
def test_a_spawner_for_remote_mail(multi, what):
    with SmtpSink() as sink:
        multi.control(smtproutes=f"far.example:[127.0.0.1]:{sink.port}\n")
        multi.start()
        spawner = daemon_of(multi, "qmail-rspawn")
        which, enough = SHORT[what]
        before = limit(spawner, which, enough(spawner))
        multi.run("qmail-inject", "you@far.example", input=LARGE)
        (told,) = multi.log.wait("delivery 1: (success|deferral|failure)").groups()
        assert told == "deferral" or (told == "success" and what in ("stack", "files", "memory"))
        limit_all(spawner, which, before)
        again(multi)
        multi.wait_empty()
        assert [len(data) > len(LARGE) for _, _, data in sink.wait(1)] == [True]


def test_a_user_who_may_have_no_more_processes(multi, joe):  # noqa: F811
    """His programs cannot be started; his Maildir needs none; others get their mail."""
    multi.start()
    spawner = daemon_of(multi, "qmail-lspawn")
    before = limit(spawner, resource.RLIMIT_NPROC, 1)
    (joe / ".qmail-program").write_text("|true\n")
    for name in ("joe-program", "joe"):
        multi.run("qmail-inject", f"{name}@test.example", input=SMALL)
    multi.log.wait("deferral: Unable_to_fork:")
    multi.log.wait("success: did_1\\+0\\+0/")
    limit_all(spawner, resource.RLIMIT_NPROC, before)
    again(multi)
    multi.log.wait("end msg", count=2)
    assert len(messages(joe / "Maildir")) == 1


def test_files_may_not_grow(multi, joe):  # noqa: F811
    """As where a quota ends: what fits is delivered, what does not waits, and neither a Maildir nor an mbox keeps a part of it."""
    (joe / ".qmail-box").write_text("./box\n")
    (joe / "box").write_text("From a Thu Jan  1 00:00:00 1970\nold\n\n")
    os.chown(joe / "box", JOE, JOE)
    multi.start()
    spawner = daemon_of(multi, "qmail-lspawn")
    before = limit(spawner, resource.RLIMIT_FSIZE, 20000)
    for name in ("joe", "joe-box"):
        for text in (LARGE, SMALL):
            multi.run("qmail-inject", f"{name}@test.example", input=text)
    multi.log.wait("success: did_", count=2)
    multi.log.wait("deferral: ", count=2)
    assert [len(message) < 1000 for message in messages(joe / "Maildir")] == [True]
    assert (joe / "box").stat().st_size < 1000
    assert not list((joe / "Maildir/tmp").iterdir())
    limit_all(spawner, resource.RLIMIT_FSIZE, before)
    again(multi)
    multi.log.wait("end msg", count=4)
    assert len(messages(joe / "Maildir")) == 2
    assert (joe / "box").read_text().count("\nSubject: ") == 2


@contextlib.contextmanager
def read_only(folder):
    """While the block runs nothing in a folder can be changed by whoever comes by its name."""
    if subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode:
        pytest.skip("needs to mount a file system")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def queue_once(home):
    """The exit status of qmail-queue."""
    read, write = os.pipe()
    os.write(write, b"Fa@b.example\0Tjoe@test.example\0\0")
    os.close(write)
    done = subprocess.run([home.program("qmail-queue")], input=SMALL, stdout=read, env={}, timeout=PATIENCE)
    os.close(read)
    return done.returncode


@pytest.mark.parametrize("pools", [True, False])
def test_a_queue_that_is_read_only(multi, joe, pools):  # noqa: F811
    with_pools(multi) if pools else multi.start()
    daemon = pwd.getpwnam("qmaild")
    with read_only(multi.path / "queue"):
        assert queue_once(multi) == 63
        said = subprocess.run([multi.program("qmail-smtpd")], input=SESSION, env=multi.env, capture_output=True, timeout=PATIENCE, user=daemon.pw_uid, group=daemon.pw_gid,
                              extra_groups=[daemon.pw_gid]).stdout
        assert b"\r\n451 qq trouble creating files in queue (#4.3.0)\r\n" in said
        assert multi.daemon.poll() is None
    assert queue_once(multi) == 0
    multi.wait_empty()
    assert len(messages(joe / "Maildir")) == 1


def test_a_queue_that_becomes_read_only_in_the_middle(multi, joe):  # noqa: F811
    """What is done and cannot be noted is done once more, not again and again, and is not forgotten."""
    (joe / ".qmail").write_text("|echo >> times; test -e ready || exit 111\n")
    multi.start()
    assert queue_once(multi) == 0
    multi.log.wait("deferral")
    wait_for(lambda: not any(name.startswith("todo/") for name in multi.queue_files()))
    with read_only(multi.path / "queue"):
        (joe / "ready").touch()
        again(multi)
        multi.log.wait("success")
        multi.log.wait("trouble|unable")
        assert multi.daemon.poll() is None
    again(multi)
    multi.wait_empty()
    assert 2 <= (joe / "times").read_text().count("\n") <= 4


def test_a_mailbox_that_is_read_only(multi, joe):  # noqa: F811
    multi.start()
    with read_only(joe / "Maildir"):
        multi.run("qmail-inject", "joe@test.example", input=SMALL)
        multi.log.wait("deferral: Temporary_error_on_maildir_delivery")
    again(multi)
    multi.wait_empty()
    assert len(messages(joe / "Maildir")) == 1


@pytest.mark.parametrize("kind", ["servers", "queue"])
def test_a_pool_that_may_have_no_more_processes(multi, joe, kind):  # noqa: F811
    """Its work is done cold, and its workers come back when they can."""
    with_pools(multi)
    keeper = wait_for(lambda: [pid for pid in children(multi.daemon.pid) if f"\0{kind}\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()])[0]
    (supervisor,) = children(keeper)
    before = limit(supervisor, resource.RLIMIT_NPROC, 0)
    for worker in children(supervisor):
        os.kill(worker, signal.SIGKILL)
    multi.log.wait(f"qmail-pool: {kind}: unable to fork")
    daemon = pwd.getpwnam("qmaild")
    said = subprocess.run([multi.program("qmail-smtpd")], input=SESSION, env=multi.env, capture_output=True, timeout=PATIENCE, user=daemon.pw_uid, group=daemon.pw_gid,
                          extra_groups=[daemon.pw_gid]).stdout
    assert b"\r\n250 ok 1" in said
    multi.wait_empty()
    assert len(messages(joe / "Maildir")) == 1
    assert multi.log.text().count("unable to fork") < PATIENCE  # once a second, and no more
    limit(supervisor, resource.RLIMIT_NPROC, before)
    wait_for(lambda: children(supervisor), lambda: multi.log.text())
