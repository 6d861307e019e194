"""Children: what they are given, what they are not, and how they end."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from qmailpy.unix.fds import read_all
from qmailpy.unix.process import (Identity, allow_descriptors, die_of_interrupts, end, ended, execute, fork_working, has_ended, kill, name_process, pipe,
                                   spawn, wait, wait_within)
from qmailpy.unix.signals import TERM, Wakeup, deadline, shielded
from tests.pools import in_child
from tests.signalmasks import masks

TOP = pathlib.Path(__file__).resolve().parents[2]
ENV = {"PATH": os.environ["PATH"], "X": "y\udcff"}


def said(argv, fds=None, **options):
    """(standard output, exit status) of a child."""
    source, target = pipe()
    child = spawn(argv, ENV, {1: target, **(fds or {})}, **options)
    os.close(target)
    text = read_all(source)
    os.close(source)
    return text, wait(child)


def shell(script, fds=None, **options):
    return said(["sh", "-c", script], fds, **options)


def test_arguments_variables_and_status():
    assert shell('printf "%s|" "$0" "$X"; exit 7') == (b"sh|y\xff|", 7)
    assert said([b"printf", b"%s", b"\xff"]) == (b"\xff", 0)


def test_only_the_variables_given():
    text, _ = shell("env")
    assert {line.partition(b"=")[0] for line in text.splitlines()} <= {b"PATH", b"X", b"PWD", b"SHLVL", b"_", b"OLDPWD"}


def test_argv0_and_program_may_differ():
    assert said(["name", "-c", 'echo "$0"'], program="/bin/sh") == (b"name\n", 0)


def test_only_the_descriptors_given_are_open():
    stray = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(stray, True)
    try:
        text, _ = shell("ls /proc/self/fd", {5: stray})
        assert {int(number) for number in text.split()} <= {1, 5, 3, 0}  # ls itself opens the folder, on the lowest free one
        text, _ = shell("[ -e /proc/$$/fd/0 ] && echo 0; [ -e /proc/$$/fd/2 ] && echo 2; [ -e /proc/$$/fd/5 ] && echo 5", {5: stray})
        assert text == b"5\n"
    finally:
        os.close(stray)


def test_descriptors_can_change_places(tmp_path):
    (tmp_path / "a").write_text("A")
    (tmp_path / "b").write_text("B")
    first, second = (os.open(tmp_path / name, os.O_RDONLY) for name in "ab")
    try:
        assert shell(f"cat /dev/fd/{first} /dev/fd/{second}", {first: second, second: first})[0] == b"BA"
        assert shell("cat /dev/fd/3 /dev/fd/4 /dev/fd/9", {3: first, 4: first, 9: second})[0] == b"AAB"
    finally:
        os.close(first)
        os.close(second)


def test_the_folder(tmp_path):
    assert shell("pwd", cwd=str(tmp_path))[0] == os.fsencode(tmp_path) + b"\n"


def test_what_cannot_be_run_has_its_status(tmp_path):
    assert said(["/nonexistent/program"]) == (b"", 111)
    assert said(["/nonexistent/program"], unrunnable=120) == (b"", 120)
    assert shell("true", cwd=str(tmp_path / "none")) == (b"", 111)


def test_a_signal_that_ended_it():
    assert shell("kill -9 $$") == (b"", -9)


def test_signals_are_as_at_the_start():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    try:
        text, _ = shell("grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    masks = {name: int(mask, 16) for name, mask in (line.split(b":") for line in text.splitlines())}
    assert masks[b"SigBlk"] == 0
    assert not masks[b"SigIgn"] & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)


def test_what_we_ignore_a_child_does_not():
    with shielded():
        text, _ = shell("grep SigIgn /proc/self/status")
    assert masks(text) == {"SigIgn": 0}


def test_a_child_that_goes_on_in_python_tells_nobody_of_its_signals(tmp_path):
    """The descriptor that the parent is woken by has a number that may be another file's in the child."""
    wakeup = Wakeup([signal.SIGALRM])
    try:
        def work():
            files = [os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT) for _ in range(50)]
            with deadline(60, lambda: None):
                os.kill(os.getpid(), signal.SIGALRM)
            return len(files) + (os.stat(tmp_path / "out").st_size > 0)

        assert wait(fork_working(work, {2: 2})) == 50
    finally:
        wakeup.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_identity():
    assert shell("id -u; id -g; id -G", identity=Identity(65534, 65533))[0].split() == [b"65534", b"65533", b"65533"]


def test_ones_own_identity_is_always_possible():
    assert shell("id -u", identity=Identity(os.geteuid(), os.getegid()))[0] == b"%d\n" % os.geteuid()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_another_identity_is_refused():
    assert shell("id -u", identity=Identity(0, 0)) == (b"", 111)


def test_working_in_a_child():
    source, target = pipe()

    def work():
        os.write(1, b"here")
        return 5

    child = fork_working(work, {1: target})
    os.close(target)
    assert read_all(source) == b"here"
    assert wait(child) == 5
    os.close(source)


def test_a_signal_to_a_child_that_is_not_itself_yet_wakes_nobody_else():
    def work():
        wakeup = Wakeup([TERM])
        for _ in range(50):
            pid = fork_working(lambda: time.sleep(60) or 0, {})
            os.kill(pid, TERM)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -TERM
        return wakeup.take()

    assert in_child(work) == set()


def test_work_that_raises_never_returns_into_the_parents_code():
    def work():
        raise KeyboardInterrupt

    assert wait(fork_working(work, {}, unforeseen=99)) == 99


def test_whether_it_has_ended():
    source, target = pipe()
    nowhere = os.open("/dev/null", os.O_WRONLY)
    child = spawn(["cat"], ENV, {0: source, 1: nowhere})
    os.close(source)
    os.close(nowhere)
    assert ended(child) is None
    os.close(target)
    assert wait(child) == 0


def test_the_name_of_a_process():
    source, target = pipe()

    def work():
        name_process("qmail-nonsense")
        with open("/proc/self/comm") as comm:
            os.write(1, comm.read().encode())
        return 0

    child = fork_working(work, {1: target})
    os.close(target)
    assert read_all(source) == b"qmail-nonsense\n"
    assert wait(child) == 0
    os.close(source)


def test_pipes_are_not_inherited():
    ends = pipe()
    assert not any(os.get_inheritable(fd) for fd in ends)
    for fd in ends:
        os.close(fd)


def test_more_descriptors_are_allowed_as_far_as_the_hard_limit_goes():
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        allow_descriptors(50)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 100
        allow_descriptors(200)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 200
        allow_descriptors(10**9)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 10**9
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_whether_a_child_has_ended_can_be_asked_before_it_is_waited_for():
    gate, opened = pipe()
    child = spawn(["sh", "-c", "read line; exit 5"], ENV, {0: gate})
    os.close(gate)
    assert not has_ended(child)
    os.close(opened)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert has_ended(child)
    assert wait(child) == 5


@pytest.mark.parametrize("script", ["echo ready; exec sleep 100", "trap '' TERM; echo ready; while :; do sleep 1; done", "echo ready"], ids=["asked", "made to", "over"])
def test_a_child_is_ended(script):
    source, target = pipe()
    child = spawn(["sh", "-c", script], ENV, {1: target})
    os.close(target)
    assert os.read(source, 6) == b"ready\n"
    end(child, 0.3)
    with pytest.raises(ChildProcessError):
        wait(child)
    os.close(source)


BECOME = "import sys; from qmailpy.unix.process import execute; execute(sys.argv[1:], {'PATH': '/nowhere:' + sys.argv[1].rpartition('/')[0] + ':/bin:/usr/bin'})"


def become(*argv):
    """What a process says that becomes a program."""
    return subprocess.run([sys.executable, "-c", BECOME, *argv], cwd=TOP, capture_output=True)


def test_a_program_finds_the_signals_that_the_interpreter_ignores_as_they_usually_are():
    ignored = int(become("grep", "^SigIgn", "/proc/self/status").stdout.split()[1], 16)
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)


def test_a_script_without_an_interpreters_name_is_the_shells(tmp_path):
    script = tmp_path / "script"
    script.write_text('echo "$0" "$#" "$1"; exit 5\n')
    script.chmod(0o755)
    done = become(str(script), "a  b", "")
    assert (done.stdout, done.returncode) == (f"{script} 2 a  b\n".encode(), 5)
    assert said([str(script)], program=str(script)) == (b"", 111)  # if it is not looked up, it is not


@pytest.mark.parametrize(("name", "problem"), [
    ("", errno.ENOENT), ("no-such-program", errno.ENOENT), ("/etc/passwd/x", errno.ENOTDIR), ("/etc/passwd", errno.EACCES), ("/", errno.EACCES),
])
def test_why_a_program_cannot_be_executed(name, problem):
    def attempt():
        try:
            execute([name], ENV)
        except OSError as found:
            return found.errno

    assert wait(fork_working(attempt, {})) == problem


@pytest.mark.parametrize(("before", "status"), [(signal.default_int_handler, -signal.SIGINT), (signal.SIG_IGN, 7)])
def test_an_interrupt_ends_a_process_unless_it_is_ignored(before, status):
    def interrupted():
        signal.signal(signal.SIGINT, before)
        die_of_interrupts()
        os.kill(os.getpid(), signal.SIGINT)
        return 7

    assert wait(fork_working(interrupted, {})) == status


def test_waiting_for_a_limited_time():
    assert wait_within(spawn(["sh", "-c", "exit 7"], {"PATH": os.environ["PATH"]}, {}), 30) == 7
    pid = spawn(["sleep", "1000"], {"PATH": os.environ["PATH"]}, {})
    assert wait_within(pid, 0.05) is None
    kill(pid)
    assert wait_within(pid, 30) == -signal.SIGKILL
    kill(pid)  # which is not there any more


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_reaches_a_child_before_it_has_its_own_dispositions_is_not_lost(monkeypatch, number):
    """Nor does the parent, whose pipe the child still has, believe that it was meant."""
    fork = os.fork

    def hit():
        pid = fork()
        if pid == 0:
            os.kill(os.getpid(), number)
        return pid

    monkeypatch.setattr(os, "fork", hit)
    wakeup = Wakeup([signal.SIGTERM, signal.SIGHUP])
    try:
        assert wait(spawn(["sleep", "100"], ENV, {})) == -number
        assert wait(fork_working(lambda: 7, {})) == -number
        assert wakeup.take() == set()
        assert wait(fork_working(lambda: 7, {}, ignored=(number,))) == 7
        assert wait(spawn(["true"], ENV, {}, ignored=(number,))) == 0
    finally:
        wakeup.close()


def test_the_parent_gets_what_came_while_it_forked(monkeypatch):
    fork = os.fork

    def hit():
        os.kill(os.getpid(), signal.SIGTERM)
        return fork()

    monkeypatch.setattr(os, "fork", hit)
    wakeup = Wakeup([signal.SIGTERM])
    try:
        assert wait(fork_working(lambda: 7, {})) == 7
        assert wakeup.take() == {signal.SIGTERM}
    finally:
        wakeup.close()


def test_a_fork_that_fails_leaves_no_signal_blocked(monkeypatch):
    def full():
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", full)
    with pytest.raises(BlockingIOError):
        spawn(["true"], ENV, {})
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()

@pytest.mark.parametrize("number", [signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP, signal.SIGRTMIN])
def test_what_whoever_has_started_us_ignores_a_child_does_not(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        text, code = shell("grep SigIgn /proc/self/status; exit 7")
    finally:
        signal.signal(number, before)
    assert (masks(text), code) == ({"SigIgn": 0}, 7)


def test_a_child_that_goes_on_in_python_is_waited_for_though_its_end_is_ignored():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert wait(fork_working(lambda: 5, {0: 0, 1: 1, 2: 2})) == 5
    finally:
        signal.signal(signal.SIGCHLD, before)
