"""Where workers wait."""

import os

from qmailpy.unix.gate import Gate
from qmailpy.unix.handover import Door, reach
from qmailpy.unix.process import fork_working
from tests.pools import in_child


def test_connections_come_in_and_the_supervisor_is_told(tmp_path):
    def work():
        gate = Gate(Door(str(tmp_path / "socket"), 0o600))

        def worker():
            gate.enter()
            assert gate.wait() == [gate.door.fileno()]
            link = gate.door.accept()
            gate.alert()
            link.send(b"hello")
            return 4 if gate.wait() else 3  # the supervisor ends meanwhile

        pid = fork_working(worker, gate.kept())
        link = reach(str(tmp_path / "socket"), [os.geteuid()])
        word = link.receive(10)
        gate.calm()
        gate.calm()
        os.close(gate._life)
        return word, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert in_child(work) == (b"hello", 3)


def test_of_many_that_wait_each_gets_one(tmp_path):
    def work():
        gate = Gate(Door(str(tmp_path / "socket"), 0o600))

        def worker():
            gate.enter()
            link = None
            while link is None and gate.wait():
                link = gate.door.accept()
            link.send(b"%d" % os.getpid())
            return 0

        pids = {fork_working(worker, gate.kept()) for _ in range(3)}
        links = [reach(str(tmp_path / "socket"), [os.geteuid()]) for _ in range(3)]
        said = {int(link.receive(10)) for link in links}
        for pid in pids:
            os.waitpid(pid, 0)
        gate.close()
        return said == pids

    assert in_child(work)


def test_work_may_come_in_elsewhere_as_well(tmp_path):
    def work():
        gate = Gate(Door(str(tmp_path / "socket"), 0o600))
        read, write = os.pipe()

        def worker():
            gate.enter(read)
            return 3 if gate.wait() == [read] and gate.door.accept() is None and os.read(read, 1) == b"x" else 4

        pid = fork_working(worker, {**gate.kept(), read: read})
        os.write(write, b"x")
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert in_child(work) == 3


def test_a_worker_that_is_started_when_the_door_is_closed_waits_all_the_same(tmp_path):
    def work():
        gate = Gate(Door(str(tmp_path / "socket"), 0o600))
        gate.close()

        def worker():
            gate.enter()
            return 4 if gate.wait() else 3

        pid = fork_working(worker, gate.kept())
        os.close(gate._life)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert in_child(work) == 3
