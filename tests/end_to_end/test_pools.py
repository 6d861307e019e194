"""A whole qmail with its pools: qmail-start starts them, mail goes through them, they end with qmail-send."""

import os
import pwd
import shutil
import signal
import smtplib
import subprocess

import pytest

from tests.home import PATIENCE, messages, wait_for
from tests.pool.test_worker import caller, served_by, witness  # noqa: F401
from tests.pools import children, is_alive


def with_pools(home):
    home.control(poolservers="2\n", poolqueue="2\n")
    home.start()
    keepers = [pid for pid in children(home.daemon.pid) if b"qmail-pool" in open(f"/proc/{pid}/cmdline", "rb").read()]
    assert len(keepers) == 2
    wait_for(lambda: all(children(one) for keeper in keepers for one in children(keeper)) and all(map(children, keepers)))
    return keepers


def test_a_message_from_smtp_to_the_maildir(single):
    with_pools(single)
    (single.path / "alias/.qmail-you").write_text("./Maildir/\n")
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    port = single.listen()
    for number in range(5):
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("a@a.example", ["you@test.example"], f"Subject: {number}\n\ntext\n")
    single.log.wait("end msg", count=5)
    texts = messages(single.path / "alias/Maildir")
    assert len(texts) == 5


def test_rule_14_pools_end_with_qmail_send(single):
    keepers = with_pools(single)
    single.daemon.send_signal(signal.SIGKILL)
    single.daemon.wait(PATIENCE)
    wait_for(lambda: single.log.over)  # nobody holds the log
    wait_for(lambda: not any(map(is_alive, keepers)))
    assert not [*(single.path / "run").rglob("socket")]


def test_qmail_start_starts_none_that_is_switched_off(single):
    single.start()
    assert not [pid for pid in children(single.daemon.pid) if b"qmail-pool" in open(f"/proc/{pid}/cmdline", "rb").read()]


def as_user(name, *groups):
    """What a child does to be somebody else."""
    entry = pwd.getpwnam(name)

    def become():
        os.setgroups(groups)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)

    return become


@pytest.mark.parametrize(("user", "groups", "expected"), [("qmaild", (), "qmail-pool"), ("nobody", (), "qmail-smtpd"), ("qmaild", (65534,), "qmail-smtpd"), ("qmaild", (0,), "qmail-smtpd")])
def test_rule_2_a_servers_pool_serves_its_own_user_with_its_own_groups(multi, witness, user, groups, expected):  # noqa: F811
    with_pools(multi)
    place = multi.path.parent / "witness"  # where every user gets in
    place.mkdir(exist_ok=True)
    place.chmod(0o777)
    witness = shutil.copy(witness, place / "witness")
    for left in place.glob("witness.*"):
        left.unlink()
    caller(multi, witness, preexec_fn=as_user(user, *groups))
    assert served_by(witness)[1] == expected


@pytest.mark.parametrize(("user", "how"), [("qmaild", "from network"), ("alias", "by alias"), ("nobody", "by uid {}"), ("root", "by uid 0")])
def test_rule_2_and_6_the_queue_pool_serves_everybody_and_knows_who_it_is(multi, user, how):
    with_pools(multi)
    os.kill(multi.daemon.pid, signal.SIGSTOP)  # so that the message stays in the queue
    read, write = os.pipe()
    os.write(write, b"Fa@a.example\0Tb@test.example\0\0")
    os.close(write)
    child = subprocess.Popen([multi.program("qmail-queue")], stdin=subprocess.PIPE, stdout=read, preexec_fn=as_user(user), env={})
    wait_for(lambda: [name for name in multi.queue_files() if name.startswith("mess/")])
    image = os.readlink(f"/proc/{child.pid}/exe")
    child.communicate(b"Subject: x\n\n", PATIENCE)
    os.kill(multi.daemon.pid, signal.SIGCONT)
    assert child.returncode == 0
    assert image == multi.program("qmail-queue")  # and no interpreter
    (name,) = [name for name in multi.queue_files() if name.startswith("mess/")]
    text = (multi.path / "queue" / name).read_text()
    assert text.startswith(f"Received: (qmail {child.pid} invoked {how.format(pwd.getpwnam(user).pw_uid)}); ")
    multi.stop()


def test_rule_4_folders_and_sockets_belong_to_whom_the_pools_run_as(multi):
    with_pools(multi)
    uid = pwd.getpwnam("qmaild").pw_uid
    assert (multi.path / f"run/servers/{uid}/socket").stat().st_uid == uid
    assert (multi.path / "run/queue/socket").stat().st_uid == pwd.getpwnam("qmailq").pw_uid
    assert (multi.path / "run/servers").stat().st_uid == 0
