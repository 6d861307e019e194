"""Workers of the queue's pool that store messages for servers."""

import os
import pwd

import pytest

from qmailpy.queue.exitcodes import BUG
from qmailpy.queue.workers import Taken
from qmailpy.text.poolwire import EXIT
from qmailpy.unix.handover import pair
from tests.home import wait_for
from tests.pool.test_worker import DIALOGUE, pool, run, single_message  # noqa: F401


@pytest.mark.parametrize(("word", "expected"), [(EXIT + b"\x35", 53), (EXIT + b"\0", 0), (b"", BUG), (EXIT, BUG), (b"junk", BUG)])
def test_a_worker_and_rule_1_one_that_dies_is_81(word, expected):
    one, other = pair()
    work = Taken(7, one)
    assert work.ended() is None
    if word:
        other.send(word)
    else:
        other.close()
    assert (work.wait(), work.ended(), work.pid) == (expected, expected, 7)
    work.close()


def test_rule_12_a_warm_server_hands_its_message_to_the_queue_pool(single, pool):  # noqa: F811
    pool("servers")
    workers = pool("queue").workers()
    done = run(single, "qmail-smtpd", data=DIALOGUE)
    text = single_message(single)
    (pid,) = [pid for pid in workers if b" qp %d\r\n" % pid in done.stdout]
    assert text.startswith(f"Received: (qmail {pid} invoked by uid {os.getuid()}); ")


@pytest.mark.parametrize("how", ["a variable", "another file", "no pool", "another version"])
def test_rule_12_else_the_program_is_executed(single, pool, how, tmp_path):  # noqa: F811
    pool("servers")
    workers = pool("queue").workers() if how != "no pool" else []
    env = {"QMAILQUEUE": single.program("qmail-queue")} if how == "a variable" else {}
    program = single.path / "bin/qmail-queue"
    data = program.read_bytes()
    before = program.stat()
    if how == "another file":
        os.rename(program, tmp_path / "kept")
        program.write_bytes(data)
        program.chmod(0o711)
    current = single.path / "lib/qmailpy/current"
    link = os.readlink(current)
    if how == "another version":
        current.unlink()
        current.symlink_to(f"../qmailpy/{link}")
    try:
        done = run(single, "qmail-smtpd", data=DIALOGUE, env=env)
    finally:
        if how == "another file":
            os.rename(tmp_path / "kept", program)
        current.unlink()
        current.symlink_to(link)
    assert b" qp " in done.stdout
    assert not [pid for pid in workers if b" qp %d\r\n" % pid in done.stdout]
    assert single_message(single) and program.stat().st_ino == before.st_ino


def test_rule_7_and_12_several_messages_in_one_session(single, pool):  # noqa: F811
    pool("servers")
    pool("queue")
    one = DIALOGUE[:DIALOGUE.index(b"QUIT")]
    refused = one.replace(b"Subject: x\r\n\r\ntext", b"stray\nnewline")
    done = run(single, "qmail-smtpd", data=one + one + b"QUIT\r\n")
    assert done.stdout.count(b" qp ") == 2
    done = run(single, "qmail-smtpd", data=one + refused)
    assert done.stdout.count(b" qp ") == 1 and b"\r\n451 " in done.stdout
    wait_for(lambda: len([name for name in single.queue_files() if name.startswith("mess/")]) == 3)
    assert len([name for name in single.queue_files() if name.startswith("todo/")]) == 3


def test_rule_12_a_setuid_program_is_ours_as_well(multi):
    from qmailpy.home import parse
    from qmailpy.unix.ours import Program, may_run

    home = parse((multi.path / "lib/qmailpy/current/home.conf").read_text())
    owner = pwd.getpwnam("qmailq").pw_uid
    found = os.stat(multi.program("qmail-queue"))
    assert may_run(found, owner)
    assert not may_run(found, owner + 1) and not may_run(found, None)
    assert not Program(home, "qmail-queue", owner).known  # this process has loaded another library
