"""Rule 17: the process that holds sessions which wait."""

import os
import resource
import signal
import time

import pytest

from qmailpy.pool.lot import Yard
from qmailpy.text.parkwire import Parked, Rest
from qmailpy.unix.board import BUSY, Board
from qmailpy.unix.process import fork_working
from tests.home import PATIENCE, wait_for
from tests.pool.test_parking import SOON, ask, held, park, parked, session  # noqa: F401
from tests.pool.test_worker import limited, pool  # noqa: F401
from tests.pools import children, in_child, is_alive, served_by_pool


def test_a_lot_that_is_killed_loses_its_sessions_and_another_one_takes_its_place(pool, session):  # noqa: F811
    running = pool(size=1, parking=SOON)
    before, (first,) = held(running), running.lots()
    child = session()
    parked(running, before)
    os.kill(first, signal.SIGKILL)
    assert child.wait(PATIENCE) == 111
    running.log.wait("qmail-pool: servers: the lot [0-9]* ended with status -9")
    wait_for(lambda: running.lots() and running.lots() != [first])
    other = session()
    parked(running, before)
    assert ask(other, b"NOOP") == b"250 ok\r\n"


def test_what_is_brought_while_there_is_none_waits_for_the_next(pool, session):  # noqa: F811
    running = pool(size=2, parking=SOON)
    workers, supervisor = running.workers(), running.supervisor()
    os.kill(supervisor, signal.SIGSTOP)  # nobody starts another
    os.kill(running.lots()[0], signal.SIGKILL)
    child = session()
    wait_for(lambda: {os.readlink(f"/proc/{pid}/fd/0") for pid in workers} == {"/dev/null"})  # it has left
    os.kill(supervisor, signal.SIGCONT)
    assert ask(child, b"QUIT") == b"221 mx.test.example\r\n"
    assert child.wait(PATIENCE) == 0


def test_rule_15_term_sessions_that_wait_are_served_to_their_end(pool, session):  # noqa: F811
    running = pool(size=2, parking=SOON)
    begun = park(running, session, 4)
    supervisor = running.supervisor()
    running.send(signal.SIGTERM)
    wait_for(lambda: not running.socket.exists() and running.log.over)  # and nobody holds the log
    for child in begun:
        assert ask(child, b"HELO a.example") == b"250 mx.test.example\r\n"
    for child in begun:
        assert ask(child, b"QUIT") == b"221 mx.test.example\r\n"
        assert child.wait(PATIENCE) == 0
    assert running.child.wait(PATIENCE) == 0
    wait_for(lambda: not is_alive(supervisor))


def test_rule_15_a_second_term_ends_them(pool, session):  # noqa: F811
    running = pool(parking=SOON)
    before = held(running)
    child = session()
    parked(running, before)
    running.send(signal.SIGTERM)
    wait_for(lambda: not running.socket.exists())
    running.send(signal.SIGTERM)
    assert child.wait(PATIENCE) == 111
    assert running.child.wait(PATIENCE) == 0


def test_rule_15_hup_the_old_lot_goes_when_its_sessions_have_ended(pool, session):  # noqa: F811
    running = pool(parking=SOON)
    before, (old,) = held(running), running.lots()
    first = session()
    parked(running, before)
    running.send(signal.SIGHUP)
    wait_for(lambda: len(running.lots()) == 2)
    wait_for(lambda: len(children(running.child.pid)) == 2)
    second = session()
    for child in (first, second):
        wait_for(lambda child=child: ask(child, b"NOOP") == b"250 ok\r\n")
        assert ask(child, b"QUIT") == b"221 mx.test.example\r\n"
        assert child.wait(PATIENCE) == 0
    wait_for(lambda: not is_alive(old))
    wait_for(lambda: len(running.lots()) == 1)


def test_a_supervisor_that_is_killed_takes_the_lot_along(pool, session):  # noqa: F811
    running = pool(parking=SOON)
    before, (lot,) = held(running), running.lots()
    child = session()
    parked(running, before)
    os.kill(running.supervisor(), signal.SIGKILL)
    assert child.wait(PATIENCE) == 111
    wait_for(lambda: not is_alive(lot))


def test_sessions_that_come_back_are_served_though_all_workers_are_busy_for_long(pool, session):  # noqa: F811
    """At the door they would be refused, and do their work themselves; these cannot."""
    running = pool(size=1, parking=SOON)
    waits = park(running, session, 3)
    busy = session()
    assert ask(busy, b"MAIL FROM:<>") == b"250 ok\r\n"  # now it keeps the only worker
    for child in waits:
        assert ask(child, b"MAIL FROM:<>") == b"250 ok\r\n"
    for child in (busy, *waits):
        assert ask(child, b"QUIT").startswith(b"221 ")
        assert child.wait(PATIENCE) == 0
    assert served_by_pool(session())


def test_a_lot_that_is_full_leaves_sessions_with_their_workers(pool, session):  # noqa: F811
    running = pool(size=2, parking=SOON, preexec_fn=limited((resource.RLIMIT_NOFILE, 512, 512)))
    small = {"preexec_fn": limited((resource.RLIMIT_NOFILE, 512, 512))}
    begun = park(running, session, 90, **small)  # of 112 for which there are descriptors
    begun += [session(**small) for _ in range(40)]
    assert held(running) < 512
    for child in begun:
        assert ask(child, b"NOOP") == b"250 ok\r\n"
        assert ask(child, b"QUIT") == b"221 mx.test.example\r\n"
        assert child.wait(PATIENCE) == 0
    assert running.log.text() == ""


def test_many_wake_at_once_and_none_is_refused(pool, session):  # noqa: F811
    running = pool(size=2, parking=SOON)
    begun = park(running, session, 60)
    for child in begun:
        child.stdin.write(b"NOOP\r\n")
    for child in begun:
        assert child.stdout.readline() == b"250 ok\r\n"


def test_the_lot_is_small_and_its_name_is_its_own(pool):  # noqa: F811
    running = pool(parking=SOON)
    (lot,) = running.lots()
    assert os.getpgid(lot) == lot
    with open(f"/proc/{lot}/limits") as limits:
        (row,) = [line.split() for line in limits if line.startswith("Max open files")]
    assert row[3] == row[4]  # the soft limit is the hard one


MESSAGE = Parked(Rest(1, None, None, (), "HELO"), time.monotonic() + 1000, b"request", watched=True).wire()


@pytest.mark.parametrize(("message", "descriptors"), [(b"x", 2), (MESSAGE, 1), (MESSAGE, 0), (MESSAGE, 2)])
def test_what_cannot_be_kept_is_told_and_closed(message, descriptors):
    """The last one would be waited for at a file, which nobody can."""
    def work():
        board, yard = Board(1), Yard(1.0)
        board.put(0, BUSY)
        alive, life = os.pipe()
        log, told = os.pipe()
        pid = fork_working(lambda: yard.lot(board, alive, told).run(), {alive: alive, told: told, **yard.kept_by_lot()})
        os.close(told)
        wait_for(lambda: board.parks)
        file = os.open("/dev/null", os.O_RDONLY)
        yard.bring(message, [file] * descriptors)
        said = os.read(log, 1000) if descriptors == 2 else b""
        good = os.pipe()
        caller, _ = os.pipe()
        yard.bring(MESSAGE, [caller, good[0]])
        os.write(good[1], b"x")
        wait_for(yard.waiting)  # it goes on
        found = yard.take()
        os.close(life)
        return said, found[0] == MESSAGE, len(found[1]), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    said, *rest = in_child(work)
    assert said.startswith(b"qmail-pool: lot: a session is lost: ") == (descriptors == 2)
    assert rest == [True, 2, 0]
