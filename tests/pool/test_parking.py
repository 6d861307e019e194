"""Rule 17: a silent session leaves its worker, and nobody can tell from outside."""

import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from tests.home import PATIENCE, wait_for
from tests.pool.test_worker import limited, pool, witness  # noqa: F401
from tests.pools import is_alive, served_by_pool

SOON = 50  # milliseconds


@pytest.fixture
def session(single):
    """A session that has been greeted."""
    begun = []

    def begin(*arguments, env=(), **how):
        child = subprocess.Popen([single.program("qmail-smtpd"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                 env={**single.env, **dict(env)}, **how)
        begun.append(child)
        child.stdout.readline()
        return child

    yield begin
    for child in begun:
        child.kill()
    for child in begun:
        child.wait()
        child.stdin.close()
        child.stdout.close()


def held(running):
    """How many descriptors the lot has."""
    return len(os.listdir(f"/proc/{running.lots()[0]}/fd"))


def parked(running, before, sessions=1):
    """Wait until so many more sessions are in the lot."""
    wait_for(lambda: held(running) >= before + 4 * sessions, lambda: running.log.text())


def park(running, session, count, **how):
    """So many sessions that have left their worker."""
    before, begun = held(running), []
    for number in range(count):
        begun.append(session(**how))
        parked(running, before, number + 1)
    return begun


def ask(child, line):
    child.stdin.write(line + b"\r\n")
    return child.stdout.readline()


def test_a_silent_session_leaves_its_worker_and_gets_one_again(pool, session):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    first = session()
    parked(running, before)
    second = session()  # of the only worker
    assert served_by_pool(second)
    assert ask(first, b"HELO a.example") == ask(second, b"HELO b.example") == b"250 mx.test.example\r\n"
    parked(running, before, 2)
    for child in (first, second):
        assert ask(child, b"NOOP") == b"250 ok\r\n"
        assert ask(child, b"QUIT") == b"221 mx.test.example\r\n"
        assert child.wait(PATIENCE) == 0
    wait_for(lambda: held(running) == before)
    assert running.log.text() == ""


def test_what_was_said_before_counts_afterwards(pool, session, witness):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session(env={"QMAILQUEUE": str(witness), "TCPREMOTEIP": "192.0.2.1", "RELAYCLIENT": "@x.example"}, cwd="/usr")
    ask(child, b"HELO here.example")
    parked(running, before)
    for line in (b"MAIL FROM:<a@a.example>", b"RCPT TO:<b@elsewhere.example>"):
        assert ask(child, line) == b"250 ok\r\n"
    assert os.readlink(f"/proc/{running.workers()[0]}/cwd") == "/usr"
    assert ask(child, b"DATA").startswith(b"354 ")
    assert ask(child, b"Subject: x\r\n\r\ntext\r\n.").startswith(b"250 ok ")
    saw = witness.with_name("witness.saw").read_text()
    assert "RELAYCLIENT=@x.example\n" in saw
    ask(child, b"QUIT")
    assert child.wait(PATIENCE) == 0


def test_a_transaction_stays_and_so_does_half_a_line(single, pool, session):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session()
    assert ask(child, b"MAIL FROM:<a@a.example>") == b"250 ok\r\n"
    child.stdin.write(b"NO")
    other = session()
    assert not served_by_pool(other)  # the only worker is still with the first
    assert held(running) == before
    child.stdin.write(b"OP\r\n")
    assert child.stdout.readline() == b"250 ok\r\n"
    assert ask(child, b"RSET") == b"250 flushed\r\n"
    parked(running, before)


@pytest.mark.parametrize("setting", ["0", "250"])
def test_it_can_be_switched_off(pool, session, setting):  # noqa: F811
    running = pool(size=1, parking=int(setting))
    assert len(running.lots()) == (setting != "0")


def test_a_byte_that_comes_while_a_session_leaves_is_not_lost(pool, session):  # noqa: F811
    """Just then, again and again: a worker that is left waits for no time at all."""
    pool(size=1, parking=1)
    child = session()
    for number in range(300):
        time.sleep(0.0001 * (number % 30))  # that is the point: no event tells when it is on its way
        assert ask(child, b"NOOP") == b"250 ok\r\n"


def test_pipelined_commands_are_not_lost(pool, session):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session()
    parked(running, before)
    child.stdin.write(b"NOOP\r\nHELP\r\nQUIT\r\n")
    assert child.stdout.read().split(b"\r\n")[::2] == [b"250 ok", b"221 mx.test.example"]
    assert child.wait(PATIENCE) == 0


def test_a_client_that_hangs_up_ends_its_session(pool, session):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session()
    parked(running, before)
    child.stdin.close()
    assert child.wait(PATIENCE) == 1
    assert child.stdout.read() == b""
    wait_for(lambda: held(running) == before)


def test_time_is_up_as_it_would_be_in_a_worker(single, pool, session):  # noqa: F811
    single.control(timeoutsmtpd="2\n")
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session()
    begun = time.monotonic()
    parked(running, before)
    assert child.stdout.readline() == b"451 timeout (#4.4.2)\r\n"
    assert 1.5 < time.monotonic() - begun < 5
    assert child.wait(PATIENCE) == 1


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGTERM, True), (signal.SIGKILL, True), (signal.SIGINT, False)])
def test_what_would_end_the_launcher_ends_the_session_that_waits(pool, session, number, ends):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session()
    parked(running, before)
    child.send_signal(number)
    if ends:
        assert child.wait(PATIENCE) == -number
        assert child.stdout.read() == b""
        wait_for(lambda: held(running) == before)
    else:
        assert ask(child, b"NOOP") == b"250 ok\r\n"


def test_a_session_in_a_file_stays(single, pool):  # noqa: F811
    pool(size=1, parking=1)
    done = subprocess.run([single.program("qmail-smtpd")], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, env=single.env)
    assert done.stdout == b"220 mx.test.example ESMTP\r\n"
    assert done.returncode == 1


def test_auth_keeps_its_worker(pool, session):  # noqa: F811
    running = pool(size=1, parking=1)
    before = held(running)
    child = session("mx.example", "/bin/false", "/bin/true")
    assert ask(child, b"AUTH PLAIN AGEAYg==").startswith(b"535 ")
    worker, = running.workers()
    assert ask(child, b"NOOP") == b"250 ok\r\n"
    assert held(running) == before
    assert ask(child, b"QUIT").startswith(b"221 ")
    assert child.wait(PATIENCE) == 0
    wait_for(lambda: not is_alive(worker))


def test_a_small_limit_on_files_holds_when_it_comes_back(pool, session, witness):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    child = session(env={"QMAILQUEUE": str(witness)}, preexec_fn=limited((resource.RLIMIT_NOFILE, 40, 50)))
    parked(running, before)
    child.stdin.write(b"MAIL FROM:<>\r\nRCPT TO:<b@test.example>\r\nDATA\r\n\r\n.\r\nQUIT\r\n")
    assert child.wait(PATIENCE) == 0
    rows = [line.split() for line in witness.with_name("witness.saw").read_text().split("\n") if line.startswith("nofiles")]
    assert [row[-1] for row in rows] == ["40", "50"], rows  # soft, hard


def test_the_clients_descriptor_stays_blocking(single, pool):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before = held(running)
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([single.program("qmail-smtpd")], stdin=theirs, stdout=theirs, env=single.env)
    assert ours.recv(100).startswith(b"220 ")
    parked(running, before)
    assert os.get_blocking(theirs.fileno())
    ours.sendall(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
