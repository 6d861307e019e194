"""Rule 7: two requests, one behind the other through one worker, the first of which has left nothing undone; for each program that pools run."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.dnsserver import DnsServer
from tests.home import PATIENCE, wait_for
from tests.netstrings import qmqp, qmtp
from tests.pool.test_worker import CALLERS, DIALOGUE, TOP, caller, pool, queue, run, served_by, spoilt, witness  # noqa: F401

MESSAGES = {
    "qmail-smtpd": DIALOGUE,
    "qmail-qmtpd": qmtp(recipients=(b"b@test.example",)),
    "qmail-qmqpd": qmqp(recipients=(b"b@test.example",)),
}


@pytest.mark.parametrize("hostile", CALLERS)
@pytest.mark.parametrize("server", ["qmail-qmtpd", "qmail-qmqpd"])  # for qmail-smtpd: test_worker.py
def test_rule_7_nothing_of_one_request_is_seen_by_the_next(single, pool, witness, server, hostile):  # noqa: F811
    running = pool()
    said = [caller(single, witness, server=server, data=MESSAGES[server], **how) for how in ({}, CALLERS[hostile], {})]
    assert said[0][0] == said[2][0]
    assert served_by(witness)[2] in running.workers()


@pytest.mark.parametrize(("first", "second"), [(one, other) for one in MESSAGES for other in MESSAGES if one != other])
def test_rule_7_nor_by_another_program(single, pool, witness, first, second):  # noqa: F811
    running = pool()
    hostile = {**CALLERS["limits"], "env": {"RELAYCLIENT": "", "DATABYTES": "1", "TCPREMOTEHOST": "evil.example"}, "cwd": "/usr", "umask": 0o777}
    alone = caller(single, witness, server=second, data=MESSAGES[second])[0]
    run(single, first, data=MESSAGES[first], **hostile)
    assert caller(single, witness, server=second, data=MESSAGES[second])[0] == alone
    assert served_by(witness)[2] in running.workers()


def empty(home):
    """Remove all messages."""
    for name in home.queue_files():
        (home.path / "queue" / name).unlink()


def entry(text, pid):
    """What is said of a message, without what is each one's own: its caller's process and the time."""
    head, _, rest = text.partition("; ")
    return head.replace(f"qmail {pid} ", "qmail PID "), rest.partition("\n")[2]


@pytest.mark.parametrize("hostile", [name for name in CALLERS if name not in ("descriptors", "closed")])
def test_rule_7_nor_by_the_next_message_in_the_queue(single, pool, hostile):  # noqa: F811
    how = dict(CALLERS[hostile])
    if hostile == "umask":
        how["umask"] = 0o777
    how["env"] = {**how.get("env", {}), "RELAYCLIENT": "", "TCPREMOTEIP": "192.0.2.7", "TCPREMOTEINFO": "evil", "ORIGINIPFIELD": "1", "QMAILQUEUE": "/evil"}
    running, found = pool("queue"), []
    for given in ({}, how, {}):
        found.append(entry(*queue(single, **given)))
        modes = {(single.path / "queue" / name).stat().st_mode for name in single.queue_files() if name.startswith("mess/")}
        empty(single)
        assert modes == {0o100644}
    assert found[0] == found[2]
    assert len(running.workers()) == 1


HARMFUL = '''
import ctypes, fcntl, os, resource, signal, sys
def main(argv, env):
    for number in range(3, 100):
        os.dup2(0, number, inheritable=True)
    os.chdir("/usr")
    os.umask(0)
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGIO, signal.SIGCHLD):
            signal.signal(number, [signal.SIG_IGN, lambda number, frame: os._exit(99)][number % 2])
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
    os.environ["LEFT"] = "1"
    if os.fork() == 0:
        os._exit(7)
    return 0
'''


def test_rule_7_whatever_a_program_does_to_its_process_is_undone(single, pool, witness, spoilt):  # noqa: F811
    """Descriptors, folder, umask, signals, timers, children."""
    (single.path / "lib/qmailpy/spoilt/qmailpy/programs/qmail_qmqpd.py").write_text(HARMFUL)
    running = pool()
    before = caller(single, witness)[0]
    (worker,) = running.workers()
    assert run(single, "qmail-qmqpd").returncode == 0
    kept = sorted(int(name) for name in os.listdir(f"/proc/{worker}/fd") if int(name) < 200)
    assert caller(single, witness)[0] == before
    assert kept == [0, 1, 2] and served_by(witness)[2] == worker
    status = pathlib.Path(f"/proc/{worker}/status").read_text()
    assert "SigBlk:\t0000000000000000\n" in status
    assert running.log.text() == ""


def test_rule_7_what_the_dns_has_said_to_one_is_nothing_to_the_next(single, pool):  # noqa: F811
    running = pool()
    single.control(mfcheck="1\n")
    said = b"MAIL FROM:<a@there.example>\r\nQUIT\r\n"
    with DnsServer({"there.example MX": ["1 mx.there.example."]}) as knows, DnsServer({}) as knows_nothing:
        for server, expected in ((knows, b"\r\n250 ok\r\n"), (knows_nothing, b"\r\n553 "), (knows, b"\r\n250 ok\r\n")):
            before = len(server.asked)
            done = run(single, "qmail-smtpd", data=said, env={**server.env, "TCPREMOTEIP": "192.0.2.1"})
            assert expected in done.stdout
            assert len(server.asked) > before
    assert len(running.workers()) == 1


CHANGED = {
    "databytes": ("1\n", b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@test.example>\r\nDATA\r\nlong\r\n.\r\nQUIT\r\n", b"\r\n552 "),
    "rcpthosts": ("other.example\n", b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@test.example>\r\nQUIT\r\n", b"\r\n553 "),
    "badmailfrom": ("a@a.example\n", b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@test.example>\r\nQUIT\r\n", b"\r\n553 "),
    "smtpgreeting": ("hello.example\n", b"QUIT\r\n", b"220 hello.example "),
}


@pytest.mark.parametrize("name", CHANGED)
def test_rule_7_settings_that_change_in_between_hold(single, pool, name):  # noqa: F811
    running = pool()
    content, said, expected = CHANGED[name]
    before = run(single, "qmail-smtpd", data=said).stdout
    assert expected not in before
    found = run(single, "qmail-smtpd", data=said, control={name: content}).stdout
    assert expected in found
    again = run(single, "qmail-smtpd", data=said, control={name: None if name != "rcpthosts" else "test.example\n"}).stdout
    assert [line[:3] for line in again.split(b"\r\n")] == [line[:3] for line in before.split(b"\r\n")]
    assert len(running.workers()) == 1


def test_rule_7_settings_of_the_other_programs_as_well(single, pool):  # noqa: F811
    running = pool()
    assert run(single, "qmail-qmtpd", data=MESSAGES["qmail-qmtpd"]).stdout.partition(b":")[2].startswith(b"Kok")
    assert run(single, "qmail-qmtpd", data=MESSAGES["qmail-qmtpd"], control={"rcpthosts": "other.example\n"}).stdout.partition(b":")[2].startswith(b"D")
    single.control(rcpthosts="test.example\n")
    pool("queue")
    empty(single)
    first = queue(single)[0]
    empty(single)
    single.control(extraqueue="Tlog@test.example\n")
    queue(single)
    todo = b"".join((single.path / "queue" / name).read_bytes() for name in single.queue_files() if name.startswith("todo/"))
    assert b"Tlog@test.example\0" in todo and "log" not in first
    assert len(running.workers()) == 1


LOOK = '''
import os, sys
sys.path[:0] = [{top!r}, {top!r} + "/.build/site"]
from qmailpy.home import here
from qmailpy.pool.kind import KINDS
from qmailpy.pool.warm import load, warm
from qmailpy.exits import TENURE, outcome
import qmailpy.home
class Fixed:
    pass
home = here()
home.path = {home!r}
for kind in KINDS.values():
    warm(home, kind)
names = [name for name in sys.modules if name.startswith("qmailpy.")]
for name in names:
    if getattr(sys.modules[name], "here", None):
        sys.modules[name].here = lambda: home
def state():
    found = {{}}
    for name in names:
        for key, value in vars(sys.modules[name]).items():
            if not key.startswith("__") and not callable(value) and type(value).__name__ != "module":
                found[name, key] = repr(getattr(value, "__dict__", None) or value) if key != "TENURE" else (value.warm, value.reason)
    return found
before = state()
sources = {sources!r}
out = os.dup(1)
for program, data in sources.items():
    source, target = os.pipe()
    os.write(target, data.encode("latin-1"))
    os.close(target)
    nowhere = os.open("/dev/null", os.O_WRONLY)
    os.dup2(source, 0)
    os.dup2(nowhere, 1)
    outcome(load("qmailpy.programs." + program.replace("-", "_")).main, [program], {{"TCPREMOTEIP": "192.0.2.9", "RELAYCLIENT": "x", "QMAILQUEUE": "/bin/true", "DNSCACHEIP": {dns!r}}})
changed = sorted(key for key, value in state().items() if before.get(key) != value)
os.write(out, (str(len(before)) + " " + repr(changed)).encode())
'''


def test_rule_7_no_module_keeps_anything_of_a_session(single):
    single.control(badmailfrom="x@x.example\n", mfcheck="1\n")
    sources = {name: data.decode("latin-1") for name, data in MESSAGES.items()}
    with DnsServer({"a.example MX": ["1 mx.a.example."]}) as dns:
        script = LOOK.format(top=str(TOP), home=str(single.path), sources=sources, dns=dns.address)
        done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
        assert dns.asked
    count, _, changed = done.stdout.partition(" ")
    assert done.stderr == "" and int(count) > 300
    assert changed == "[]"


def test_rule_7_a_caller_that_is_killed_leaves_nothing(single, pool, witness):  # noqa: F811
    """In the middle of a message; its worker goes with it."""
    running = pool()
    before = caller(single, witness)[0]
    child = subprocess.Popen([single.program("qmail-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**single.env, "RELAYCLIENT": "", "QMAILQUEUE": "/evil"})
    child.stdin.write(DIALOGUE[:DIALOGUE.index(b"text")])
    child.stdin.flush()
    while not child.stdout.readline().startswith(b"354 ") and child.poll() is None:
        pass
    child.send_signal(signal.SIGKILL)
    child.communicate()
    wait_for(lambda: running.workers())
    wait_for(lambda: caller(single, witness)[0] == before and served_by(witness)[1] == "qmail-pool")
