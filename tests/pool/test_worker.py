"""Workers of an installed home: what callers hand over, what programs see, what is left."""

import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from qmailpy.pool.kind import QUEUE, SERVERS
from qmailpy.pool.worker import MOST_GROWTH, Worker
from qmailpy.text.poolwire import LENT, MEMORY, Limits, Request, lent, parse
from qmailpy.unix import limits
from qmailpy.unix.board import IDLE, Board
from qmailpy.unix.handover import place
from tests.home import PATIENCE, wait_for
from tests.pki import Authority
from tests.pools import DIALOGUE, WITNESS, RunningPool, children, is_alive

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def pool(single):
    """Starts pools, and ends them."""
    started = []

    def start(kind="servers", *options, **how):
        started.append(RunningPool(single, kind, *options, **how))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def witness(single, tmp_path):
    program = tmp_path / "witness"
    program.write_text(WITNESS)
    program.chmod(0o755)
    return program


def caller(single, witness, *, server="qmail-smtpd", data=DIALOGUE, prefix=(), **how):
    """A session of one message, whose queue program looks around; what it saw."""
    env = {**single.env, "QMAILQUEUE": str(witness), "TCPREMOTEIP": "192.0.2.1", **how.pop("env", {})}
    said = witness.with_name("said")
    with said.open("wb") as out:  # no pipe, whose end would come late if a pool that is stopped has a copy in what it has not read
        done = subprocess.run([*prefix, single.program(server)], input=data, stdout=out, timeout=PATIENCE, env=env, **how)
    assert done.returncode == 0, said.read_bytes()
    saw = witness.with_name("witness.saw")
    text = saw.read_text()
    saw.unlink()
    return text, said.read_bytes()


def served_by(witness):
    """(process group, name, pid) of what ran the queue program."""
    words = witness.with_name("witness.parent").read_text().split()
    return int(words[1]), words[3], int(words[4])


def limited(*pairs):
    def prepare():
        for which, soft, hard in pairs:
            resource.setrlimit(which, (soft, hard))

    return prepare


def ignoring(*numbers):
    def prepare():
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])

    return prepare


def with_descriptors(*numbers):
    def prepare():
        for number in numbers:
            os.dup2(os.open("/dev/zero", os.O_RDONLY), number, inheritable=True)

    return prepare


INFINITY = resource.RLIM_INFINITY
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
CALLERS = {
    "plain": {},
    "environment": {"env": {"A": "1", "PATH": "/bin", "LD_LIBRARY_PATH": "/nowhere", "LC_ALL": "C", "PYTHONPATH": "/evil", "QMAILPY_HIDDEN_PATH": "/evil", "TZ": "X"}},
    "umask": {"umask": 0o123},
    "limits": {"preexec_fn": limited((resource.RLIMIT_CORE, 0, 4096), (resource.RLIMIT_FSIZE, 1 << 20, 1 << 21), (resource.RLIMIT_NOFILE, 40, 50))},
    "memory": {"preexec_fn": limited((resource.RLIMIT_AS, 2000000, 600 << 20), (resource.RLIMIT_DATA, 300 << 20, 400 << 20))},
    "signals": {"preexec_fn": ignoring(signal.SIGUSR2, signal.SIGTTOU, signal.SIGINT)},
    "descriptors": {"preexec_fn": with_descriptors(3, 5, 7, 9), "close_fds": False},
    "closed": {"preexec_fn": lambda: os.close(2)},
    "folder": {"cwd": "/usr"},
}


@pytest.mark.parametrize("name", CALLERS)
def test_rule_5_and_8_a_program_sees_the_same_as_when_it_is_executed_cold(single, pool, witness, name):
    cold = caller(single, witness, **CALLERS[name])[0]
    assert served_by(witness)[1] == "qmail-smtpd"
    pool()
    assert caller(single, witness, **CALLERS[name])[0] == cold
    assert served_by(witness)[1] == "qmail-pool"


@pytest.mark.parametrize("hostile", CALLERS)
def test_rule_7_nothing_of_one_request_is_seen_by_the_next(single, pool, witness, hostile):
    running = pool()
    before = caller(single, witness)[0]
    caller(single, witness, **CALLERS[hostile])
    assert caller(single, witness)[0] == before
    assert served_by(witness)[2] in running.workers()


def test_rule_7_settings_are_those_of_now(single, pool, witness):
    pool()
    assert b"220 mx.test.example " in caller(single, witness)[1]
    single.control(me="other.example\n")
    assert b"220 other.example " in caller(single, witness)[1]
    assert b"220 third.example " in run(single, "qmail-smtpd", data=b"QUIT\r\n", control={"me": "third.example\n"}).stdout


def run(single, server, data=b"", control=None, **how):
    single.control(**control or {})
    return subprocess.run([single.program(server)], input=data, capture_output=True, timeout=PATIENCE, env={**single.env, **how.pop("env", {})}, **how)


def test_rule_7_a_session_that_was_cut_leaves_nothing(single, pool, witness):
    running = pool()
    cut = run(single, "qmail-smtpd", data=DIALOGUE[:DIALOGUE.index(b"DATA")], env={"RELAYCLIENT": "", "QMAILQUEUE": str(witness)})
    assert cut.returncode == 1
    refused = run(single, "qmail-smtpd", data=b"RCPT TO:<b@elsewhere.example>\r\nMAIL FROM:<>\r\nRCPT TO:<b@elsewhere.example>\r\nQUIT\r\n")
    assert b"\r\n503 " in refused.stdout and b"\r\n553 " in refused.stdout
    assert len(running.workers()) == 1


def test_rule_8_a_worker_has_its_own_group(single, pool, witness):
    running = pool()
    caller(single, witness)
    group, _, pid = served_by(witness)
    assert group == pid
    assert os.getpgid(running.supervisor()) != pid


def test_rule_9_descriptors_stay_blocking_and_may_be_pipes(single, pool):
    pool()
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([single.program("qmail-smtpd")], stdin=theirs, stdout=theirs, env=single.env)
    assert ours.recv(100).startswith(b"220 ")
    assert os.get_blocking(theirs.fileno())
    ours.sendall(b"QUIT\r\n")
    assert child.wait(PATIENCE) == 0
    assert run(single, "qmail-smtpd", data=b"QUIT\r\n").stdout.endswith(b"221 mx.test.example\r\n")  # through pipes


@pytest.fixture
def session(single):
    """A session that has been greeted."""
    begun = []

    def begin(**how):
        how.setdefault("env", single.env)
        child = subprocess.Popen([single.program("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **how)
        begun.append(child)
        child.stdout.readline()
        return child

    yield begin
    for child in begun:
        child.kill()
        child.communicate()


def test_rule_5_the_launcher_keeps_no_copy(pool, session):
    pool()
    child = session(preexec_fn=with_descriptors(9), close_fds=False)
    wait_for(lambda: not {"0", "1", "2"} & set(os.listdir(f"/proc/{child.pid}/fd")))  # the greeting may have been there before
    assert "9" in os.listdir(f"/proc/{child.pid}/fd")  # such as the lock of setlock


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGTERM, True), (signal.SIGKILL, True), (signal.SIGUSR1, True), (signal.SIGINT, False), (signal.SIGHUP, False)])
def test_rule_11_what_would_end_the_launcher_ends_the_work(single, pool, session, number, ends):
    running = pool()
    child, (worker,) = session(), running.workers()
    child.send_signal(number)
    if ends:
        assert child.wait(PATIENCE) == -number
        assert child.stdout.read() == b""  # nobody holds the connection any more
        wait_for(lambda: not is_alive(worker))
        wait_for(lambda: is_replaced(running, worker))
    child.stdin.write(b"QUIT\r\n") if not ends else None
    assert ends or child.wait(PATIENCE) == 0


def test_rule_1_a_worker_that_dies_is_111(pool, session):
    running = pool()
    child = session()
    os.kill(running.workers()[0], signal.SIGKILL)
    assert child.wait(PATIENCE) == 111
    running.log.wait("worker .* ended with status -9")


def test_rule_1_a_queue_worker_that_dies_is_81(single, pool):
    running = pool("queue")
    child = subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=single.env)
    wait_for(lambda: single.queue_files())
    os.kill(running.workers()[0], signal.SIGKILL)
    assert child.wait(PATIENCE) == 81
    child.stdin.close()


def test_rule_1_without_an_answer_the_start_is_cold(single, pool, witness):
    running = pool()
    pids = [running.child.pid, running.supervisor(), *running.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    caller(single, witness)
    assert served_by(witness)[1] == "qmail-smtpd"
    assert time.monotonic() - begun >= 5
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: caller(single, witness) and served_by(witness)[1] == "qmail-pool")


def test_rule_1_busy_means_cold_and_at_once(single, pool, session, witness):
    pool()
    first = session()
    caller(single, witness)
    assert served_by(witness)[1] == "qmail-smtpd"
    first.stdin.write(b"QUIT\r\n")
    first.wait(PATIENCE)
    wait_for(lambda: caller(single, witness) and served_by(witness)[1] == "qmail-pool")


def test_rule_1_a_stale_socket_means_cold(single, pool, witness):
    running = pool()
    pids = [running.child.pid, running.supervisor(), *running.workers()]
    for number in (signal.SIGSTOP, signal.SIGKILL):  # all at once, as in a power cut
        for pid in pids:
            os.kill(pid, number)
    assert running.socket.exists()
    caller(single, witness)
    assert served_by(witness)[1] == "qmail-smtpd"
    pool()
    caller(single, witness)
    assert served_by(witness)[1] == "qmail-pool"


SAME, OTHER = "qmail-pool", "qmail-smtpd"
PLACES = {
    "no privileges": (["setpriv", "--no-new-privs"], OTHER), "mount": (["unshare", "--mount"], OTHER), "net": (["unshare", "--net"], OTHER),
    "pid": (["unshare", "--pid", "--fork", "--mount-proc"], OTHER), "user": (["unshare", "--user", "--map-root-user"], OTHER),
    "uts": (["unshare", "--uts"], SAME), "nice": (["nice", "-n", "5"], SAME),
}


@pytest.mark.parametrize("place", PLACES)
def test_rule_3_who_lives_elsewhere_is_served_cold(single, pool, witness, place):
    prefix, expected = PLACES[place]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip(f"{prefix[0]} cannot do that here")
    pool()
    caller(single, witness, prefix=prefix)
    assert served_by(witness)[1] == expected


@pytest.mark.parametrize(("which", "expected"), [(resource.RLIMIT_NPROC, OTHER), (resource.RLIMIT_SIGPENDING if hasattr(resource, "RLIMIT_SIGPENDING") else 11, OTHER),
                                                 (resource.RLIMIT_CORE, SAME)])
def test_rule_3_limits_that_cannot_be_lent_mean_cold(single, pool, witness, which, expected):
    pool()
    caller(single, witness, preexec_fn=limited((which, 1000, 1000)))
    assert served_by(witness)[1] == expected


def test_rule_3_a_limit_above_the_pools_means_cold(single, pool, witness):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    pool(preexec_fn=limited((resource.RLIMIT_FSIZE, 1 << 30, 1 << 30)))
    caller(single, witness, preexec_fn=limited((resource.RLIMIT_FSIZE, 1 << 20, INFINITY)))
    assert served_by(witness)[1] == OTHER


def test_rule_18_where_a_cold_start_does_not_fit_the_pool_is_waited_for(single, pool, session):
    pool()
    first = session()
    small = limited((resource.RLIMIT_AS, 32768 << 10, 32768 << 10))
    second = subprocess.Popen([single.program("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=single.env, preexec_fn=small)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.5)
    first.stdin.write(b"QUIT\r\n")
    assert second.communicate(b"QUIT\r\n", PATIENCE)[0].startswith(b"220 ")


def test_rule_18_without_a_pool_it_says_what_is_missing(single):
    done = run(single, "qmail-smtpd", preexec_fn=limited((resource.RLIMIT_AS, 16 << 20, 16 << 20)))
    assert done.returncode == 111
    assert b"the hard limit on memory is too small" in done.stderr


def test_rule_10_every_worker_retires_in_the_end(single, pool, witness):
    running = pool(size=1)
    first = running.workers()[0]
    for _ in range(1000):
        if subprocess.run([single.program("qmail-qmqpd")], stdin=subprocess.DEVNULL, env=single.env).returncode:
            break
    wait_for(lambda: is_replaced(running, first))
    assert running.log.text() == ""


SPOIL = """
import os
from qmailpy.programs import qmail_smtpd
def main(argv, env):
    if "LEAVE" in env:
        os._exit(int(env["LEAVE"]))
    raise ValueError(env["SECRET"])
"""


@pytest.fixture
def spoilt(single, tmp_path):
    """The library of the home with another qmail-qmqpd; everything else is as it was."""
    current = single.path / "lib/qmailpy/current"
    before = os.readlink(current)
    copy = single.path / "lib/qmailpy/spoilt"
    shutil.copytree(current.resolve(), copy)
    (copy / "modules").unlink()
    (copy / "qmailpy/programs/qmail_qmqpd.py").write_text(SPOIL)
    current.unlink()
    current.symlink_to("spoilt")
    yield
    current.unlink()
    current.symlink_to(before)
    shutil.rmtree(copy)


def test_rule_10_an_unforeseen_exception_is_111_and_the_worker_is_replaced(single, pool, spoilt):
    running = pool()
    first = running.workers()[0]
    done = run(single, "qmail-qmqpd", env={"SECRET": "x"})
    assert done.returncode == 111
    running.log.wait("qmail-pool: servers: internal error: ValueError: x at .*qmail_qmqpd.py:7")
    wait_for(lambda: is_replaced(running, first))


@pytest.mark.parametrize("status", [0, 52, 111])
def test_rule_1_an_exit_in_the_middle_of_the_work_is_told(single, pool, spoilt, status):
    pool()
    assert run(single, "qmail-qmqpd", env={"LEAVE": str(status)}).returncode == status


def ask(running, request, fds):
    """What a pool answers to a request that comes from here."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(running.socket))
        try:
            socket.send_fds(connection, [request], fds)
            return connection.recv(10)[:1]
        except ConnectionError:
            return b""  # it was closed before it was read


def request(program="qmail-queue", descriptors=(0, 1), **facts):
    given = {"arguments": [], "variables": {}, "where": place(), "limits": Limits(limits.limits()), **facts}
    return Request(program, given.pop("arguments"), given.pop("variables"), descriptors, given.pop("where"), given.pop("limits"), **given).wire()


@pytest.mark.parametrize(("data", "passed", "answer"), [
    (request(), 2, b"T"), (request(), 1, b""), (request(), 3, b""), (request(directory=True), 3, b""), (request(arguments=["x"]), 2, b""), (request(descriptors=(0, 2)), 2, b""),
    (request("qmail-smtpd"), 2, b"C"), (request("../x"), 2, b"C"), (request(where=b"1 "), 2, b"C"), (b"nonsense", 2, b""), (b"", 0, b""),
])
def test_rule_2_and_6_what_a_queue_pool_takes(pool, data, passed, answer):
    running = pool("queue")
    fds = [os.open("/dev/null", os.O_RDWR) for _ in range(passed)]
    assert ask(running, data, fds) == answer
    for fd in fds:
        os.close(fd)
    wait_for(lambda: ask(running, request(), [0, 0]) == b"T")  # and it goes on


def test_rule_6_who_sends_nothing_is_closed_after_a_while(pool):
    running = pool("queue")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(str(running.socket))
        silent.settimeout(PATIENCE)
        begun = time.monotonic()
        assert silent.recv(10) == b""
        assert 4 < time.monotonic() - begun < 20


def test_rule_6_those_who_say_nothing_have_their_share_too(single, pool):
    """Else anybody could keep all workers from all others."""
    running = pool("queue", size=4)
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(4)]
    begun = time.monotonic()
    for one in silent:
        one.settimeout(PATIENCE)
        one.connect(str(running.socket))
    said = []
    wait_for(lambda: [said.append(one) for one in silent if one not in said and select.select([one], [], [], 0)[0]] or said)
    assert len(said) == 1 and time.monotonic() - begun < 4
    assert said[0].recv(10) == b"B"
    for one in silent:
        one.close()


QUEUED = b"Fa@a.example\0Tb@test.example\0\0"


def queue(single, env=None, **how):
    """Queue a message, as qmail-queue's caller; what stands in its file, and the launcher's process id."""
    read, write = os.pipe()
    os.write(write, QUEUED)
    os.close(write)
    child = subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=read, env={**single.env, **(env or {})}, **how)
    os.close(read)
    child.communicate(b"Subject: x\n\n", PATIENCE)
    assert child.returncode == 0
    return single_message(single), child.pid


def single_message(home):
    """The one message in a queue."""
    (name,) = [name for name in home.queue_files() if name.startswith("mess/")]
    return (home.path / "queue" / name).read_text()


def test_rule_6_the_caller_stands_in_the_received_line(single, pool):
    pool("queue")
    text, pid = queue(single)
    assert text.startswith(f"Received: (qmail {pid} invoked by uid {os.getuid()}); ")


def test_rule_6_neither_folder_nor_umask_nor_other_variables_count(single, pool, tmp_path):
    pool("queue")
    queue(single, env={"QMAILQUEUE": "/nowhere", "HOME": "x"}, cwd=tmp_path, umask=0o777)
    assert all((single.path / "queue" / name).stat().st_mode & 0o777 == 0o644 for name in single.queue_files() if not name.startswith("lock"))


def test_rule_6_a_user_gets_a_share_of_the_workers_and_then_starts_cold(single, pool):
    pool("queue", size=4)
    begun = [subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=single.env) for _ in range(4)]
    wait_for(lambda: len([name for name in single.queue_files() if name.startswith("mess/")]) == 4)
    names = [pathlib.Path(f"/proc/{child.pid}/exe").resolve().name for child in begun]
    assert sum(name.startswith("python") for name in names) == 1
    for child in begun:
        child.communicate()
        assert child.returncode == 54


def test_rule_11_qmail_queue_keeps_its_signals(single, pool):
    pool("queue")
    for number, code in ((signal.SIGALRM, 52), (signal.SIGABRT, 81), (signal.SIGTERM, -signal.SIGTERM)):
        child = subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=single.env)
        wait_for(lambda: single.queue_files())
        for harmless in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, number):
            child.send_signal(harmless)
        assert child.wait(PATIENCE) == code
        child.stdin.close()
        for name in single.queue_files():
            (single.path / "queue" / name).unlink()


def test_rule_13_an_idle_worker_costs_little(pool):
    running = pool(size=2)
    for worker in running.workers():
        rows = pathlib.Path(f"/proc/{worker}/smaps_rollup").read_text().split("\n")
        private = sum(int(row.split()[1]) for row in rows if row.startswith("Private_"))
        assert private < 3 << 10


def test_modules_that_sessions_need_are_there_before_them(single, pool, witness):
    """What is imported later is paid for by each worker, and may be of another version."""
    running = pool()
    caller(single, witness)
    maps = pathlib.Path(f"/proc/{running.workers()[0]}/maps").read_text()
    assert "_ssl" in maps or "libssl" in maps or "_rust" in maps
    assert sys.version_info >= (3, 11)
    assert children(running.workers()[0]) == []


def test_rule_1_a_full_socket_means_cold_and_at_once(single, pool, witness):
    running = pool()
    pids = [running.child.pid, running.supervisor(), *running.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    waiting = []
    try:
        while True:
            waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK))
            waiting[-1].connect(str(running.socket))
    except BlockingIOError:
        pass
    begun = time.monotonic()
    caller(single, witness)
    assert served_by(witness)[1] == "qmail-smtpd" and len(waiting) > 100
    assert time.monotonic() - begun < 10
    for one in waiting:
        one.close()
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_rule_1_nothing_is_handed_to_a_stranger_who_listens(single, witness):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = single.path / "run/servers/0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "socket").unlink(missing_ok=True)
    os.chown(folder, 65534, 65534)
    ready, told = os.pipe()
    if (pid := os.fork()) == 0:
        os.chdir(folder)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.bind("socket")
            door.listen()
            os.write(told, b"x")
            link, _ = door.accept()
            os._exit(len(link.recv(1 << 20)) > 0)  # nothing comes
    os.read(ready, 1)
    try:
        caller(single, witness)
        assert served_by(witness)[1] == "qmail-smtpd"
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        shutil.rmtree(folder)
        os.close(ready)
        os.close(told)


class Outsider:
    """Somebody of whom a worker knows no more than the system tells."""

    def __init__(self, **facts):
        self.__dict__ = {"pid": 7, "uid": os.geteuid(), "gid": os.getegid(), "groups": frozenset((os.getegid(), *os.getgroups())), "label": b"", **facts}


@pytest.mark.parametrize(("facts", "servers", "everybody"), [
    ({}, b"T", b"T"), ({"pid": 0}, b"", b""), ({"uid": 1 << 30}, b"", b"T"), ({"gid": 1 << 30}, b"", b"T"), ({"groups": frozenset()}, b"", b"T"),
    ({"groups": frozenset((1, 2, 3))}, b"", b"T"),
])
def test_rule_2_who_may_ask_for_anything(facts, servers, everybody):
    def answer(kind):
        worker = Worker.__new__(Worker)
        worker.kind, worker.board, worker.gate, worker.uid, worker.gid = kind, Board(4), None, os.geteuid(), os.getegid()
        worker.groups = frozenset((os.getegid(), *os.getgroups()))
        for slot in (1, 2):
            worker.board.put(slot, IDLE)  # so that nobody is to be told
        return worker.admit(Outsider(**facts))

    assert (answer(SERVERS), answer(QUEUE)) == (servers, everybody)


@pytest.mark.parametrize(("facts", "peer", "expected"), [({}, {}, b"T"), ({"where": b"9 9 "}, {}, b"C"), ({}, {"label": b"other"}, b"C")])
def test_rule_3_another_root_folder_namespace_or_label_means_cold(facts, peer, expected):
    worker = Worker.__new__(Worker)
    worker.kind, worker.place, worker.label, worker.stage = SERVERS, place(), b"", type("Stage", (), {"limits": limits.limits()})
    worker.known = worker.lent = None
    asked = parse(request("qmail-smtpd", **facts))
    assert worker.judge(asked, 2, Outsider(**peer)) == expected


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("which", range(16))
def test_rule_3_whatever_limit_differs_in_either_direction(which, change):
    """What is served has the caller's own soft limit, or is one of memory, which the pool's process has for itself."""
    ours = [(50, 100)] * 16
    for theirs in ((50 + change, 100), (50, 100 + change)):
        found = lent([theirs if number == which else pair for number, pair in enumerate(ours)], ours)
        if which in LENT:
            assert found == (None if theirs[1] > 100 else {which: theirs[0]} if theirs[0] != 50 else {})
        elif which in MEMORY:
            assert found == (None if theirs[1] > 100 else {})
        else:
            assert found is None


OWN_LIMIT = re.compile(r"^Max data size +(\d+) ", re.MULTILINE)


def own_limits(worker):
    """A worker's limits, when it has its own."""
    path = pathlib.Path(f"/proc/{worker}/limits")
    return wait_for(lambda: OWN_LIMIT.search(text := path.read_text()) and text)


def test_rule_3_a_soft_limit_that_is_lent_is_taken_back(single, pool, witness):
    running = pool()
    (worker,) = running.workers()
    before = own_limits(worker)
    soft = [(which, 1 << 20, resource.getrlimit(which)[1]) for which in (resource.RLIMIT_MEMLOCK, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]
    caller(single, witness, preexec_fn=limited(*soft))
    assert served_by(witness) == (worker, "qmail-pool", worker)
    wait_for(lambda: own_limits(worker) == before)


def test_rule_5_descriptors_that_variables_name_travel_and_no_others(pool, session):
    running = pool()
    env = {**running.home.env, "SSLCTLFD": "120", "SSLREADFD": "121", "SSLWRITEFD": "122", "ERROR_FD": "123"}
    child = session(preexec_fn=with_descriptors(119, 120, 121, 122, 123, 124), close_fds=False, env=env)
    (worker,) = running.workers()
    assert {int(name) for name in os.listdir(f"/proc/{worker}/fd")} & set(range(100, 200)) == {120, 121, 122, 123}
    wait_for(lambda: not {"120", "121", "122", "123"} & set(os.listdir(f"/proc/{child.pid}/fd")))
    assert {"119", "124"} <= set(os.listdir(f"/proc/{child.pid}/fd"))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_rule_5_what_was_closed_is_closed(single, pool, number):
    running = pool()
    child = subprocess.Popen([single.program("qmail-qmtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=single.env, preexec_fn=lambda: os.close(number))
    if number:
        wait_for(lambda: os.path.exists(f"/proc/{running.workers()[0]}/fd/0") and "pipe" in os.readlink(f"/proc/{running.workers()[0]}/fd/0"))
        # The launcher fills what was closed with what cannot be used, so that no file takes its place.
        assert os.readlink(f"/proc/{running.workers()[0]}/fd/{number}") == "/dev/null"
    child.stdin.close()
    assert child.wait(PATIENCE) in (0, 111)
    child.stdout.close()


def test_rule_6_a_queue_pool_writes_to_no_descriptor_of_its_caller(single, pool):
    """Not even when there is much to complain about."""
    running = pool("queue")
    (single.path / "control/extraqueue").mkdir()
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([single.program("qmail-queue")], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=single.env)
    theirs.close()
    ours.shutdown(socket.SHUT_WR)
    assert (child.wait(PATIENCE) > 0, child.stderr.read(), ours.recv(100)) == (True, b"", b"")
    child.stderr.close()
    ours.close()
    assert running.workers()


def test_rule_8_a_worker_has_a_limit_of_memory_of_its_own(pool):
    running = pool()
    assert (256 << 20) < int(OWN_LIMIT.search(own_limits(running.workers()[0])).group(1)) < (512 << 20)


def test_rule_10_a_worker_that_has_grown_retires():
    worker = Worker.__new__(Worker)
    worker.ending, worker.served, worker.begun_with = False, 0, limits.private_bytes()
    assert not worker.spent()
    worker.begun_with -= MOST_GROWTH + (1 << 20)
    assert worker.spent()


def is_replaced(running, worker):
    """Whether another worker has taken a worker's place."""
    now = running.workers()
    return now and worker not in now


PASSWORD = b"EHLO a.example\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\nQUIT\r\n"


def test_rule_10_a_worker_that_has_seen_a_password_serves_nobody_else(single, pool, tmp_path):
    running = pool()
    (first,) = running.workers()
    check = tmp_path / "check"
    check.write_text("#!/bin/sh\ncat <&3 > /dev/null\nexit 1\n")
    check.chmod(0o755)
    single.control(secauthext="0\n", authfaildelay="0\n")
    done = subprocess.run([single.program("qmail-smtpd"), str(check), "true"], input=PASSWORD, capture_output=True, env={**single.env, "TCPREMOTEIP": "192.0.2.1"})
    assert b"\r\n535 " in done.stdout
    wait_for(lambda: is_replaced(running, first))
    assert running.log.text() == ""


def test_rule_10_nor_does_one_that_has_seen_a_private_key(single, pool):
    running = pool()
    (first,) = running.workers()
    single.control(**{"servercert.pem": Authority().issue("mx.test.example", dns=["mx.test.example"]).pem, "tlssmtpext": "1\n"})
    done = run(single, "qmail-smtpd", data=b"EHLO a.example\r\nSTARTTLS\r\n", env={"TCPREMOTEIP": "192.0.2.1"})
    assert b"\r\n220 ready" in done.stdout
    wait_for(lambda: is_replaced(running, first))
    assert running.log.text() == ""


@pytest.mark.parametrize("number", [signal.SIGXCPU, signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF, signal.SIGPIPE])
def test_rule_11_the_launcher_ignores_what_qmail_queue_ignores(single, pool, number):
    pool("queue")
    child = subprocess.Popen([single.program("qmail-queue")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=single.env)
    wait_for(lambda: single.queue_files())
    child.send_signal(number)
    child.stdin.close()
    assert child.wait(PATIENCE) == 54


def test_a_session_costs_a_small_launcher(pool, session):
    """The launcher itself: what stays for as long as a session lasts."""
    pool()
    child = session()
    row = re.compile(r"^Private_Dirty: +(\d+) kB", re.MULTILINE)
    wait_for(lambda: int(row.search(pathlib.Path(f"/proc/{child.pid}/smaps_rollup").read_text()).group(1)) <= 64)
