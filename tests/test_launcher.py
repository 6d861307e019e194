"""The native launcher, compiled and filled in: what it hides, refuses and repairs."""

import os
import py_compile
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from qmailpy.launchers import filled

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILT = TOP / ".build/launcher"
BOOT = """
import os, resource, sys
print(sys.argv[1:])
print(sorted(name for name in os.environ if name != "LC_CTYPE"))
print(sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1], resource.getrlimit(resource.RLIMIT_AS)[0])
print(sys.flags.isolated, sys.flags.no_site, os.path.basename(os.readlink("/proc/self/exe")), open("/proc/self/cmdline").read().split("\\0")[0])
"""

pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="the launcher is built by make")


@pytest.fixture
def launch(tmp_path):
    """Makes a launcher for a program whose boot script tells what it was given, and runs it."""
    boot = tmp_path / "lib/qmailpy/current/boot.pyc"
    boot.parent.mkdir(parents=True)
    (tmp_path / "boot.py").write_text(BOOT)
    py_compile.compile(str(tmp_path / "boot.py"), str(boot), doraise=True)
    (tmp_path / "pyvenv.cfg").write_text(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\n")

    def run(program="qmail-x", *words, interpreter=os.path.realpath(sys.executable), name="anything", **how):
        path = tmp_path / name
        path.write_bytes(filled(BUILT.read_bytes(), program, str(tmp_path), interpreter))
        path.chmod(0o755)
        return subprocess.run([path, *words], capture_output=True, text=True, **how)

    return run


def test_arguments_and_names(launch, tmp_path):
    told = launch("qmail-x", "a", "b c", "").stdout.split("\n")
    assert told[0] == str(["qmail-x", str(tmp_path / "anything"), "a", "b c", ""])
    assert told[3].startswith("1 1 python3")
    assert told[3].endswith(f" {tmp_path}/bin/qmail-x")


def test_variables_of_the_interpreter_and_the_linker_are_hidden(launch):
    env = {"PATH": "/evil", "LANG": "x", "LC_ALL": "x", "LD_LIBRARY_PATH": "/evil", "TZ": "x", "MALLOC_PERTURB_": "1", "GLIBC_TUNABLES": "x", "KEPT": "1", "PATHS": "2",
           "QMAILPY_HIDDEN_EVIL": "1", "PYTHONPATH": "/evil"}
    told = launch(env=env).stdout.split("\n")[1]
    assert told == str(sorted(["KEPT", "PATHS", "PYTHONPATH", *(f"QMAILPY_HIDDEN_{name}" for name in env if name not in ("KEPT", "PATHS", "PYTHONPATH", "QMAILPY_HIDDEN_EVIL"))]))


def test_qmail_queue_trusts_nothing(launch):
    env = {"PATH": "/evil", "PYTHONPATH": "/evil", "LD_PRELOAD": "", "TCPREMOTEIP": "1", "RELAYCLIENT": "", "HOME": "/x", "QMAILQUEUE": "/evil"}
    extra = os.open("/dev/null", os.O_RDONLY)
    told = launch("qmail-queue", "argument", env=env, pass_fds=(extra,)).stdout.split("\n")
    os.close(extra)
    assert told[0] == str(["qmail-queue", "qmail-queue"])
    assert told[1] == str(["RELAYCLIENT", "TCPREMOTEIP"])
    assert told[2].startswith("[0, 1, 2] ") or told[2].startswith("[0, 1, 2, 3] ")  # 3: the folder that was listed


def test_a_library_beside_a_name_of_the_callers_choice_is_not_used(launch, tmp_path):
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    evil = tmp_path / "evil"
    (evil / "bin").mkdir(parents=True)
    (evil / "lib" / version).mkdir(parents=True)
    (evil / "lib" / version / "os.py").write_text("raise SystemExit('taken over')\n")
    (evil / "bin/pyvenv.cfg").write_text(f"home = {evil}/bin\n")
    done = launch("qmail-x", name="evil/bin/qmail-x", env={"PATH": f"{evil}/bin"}, cwd=evil / "bin")
    assert "taken over" not in done.stdout + done.stderr
    assert done.returncode == 0


def test_a_soft_limit_is_raised_and_a_hard_one_that_is_too_small_is_told(launch):
    soft = launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2000000, resource.RLIM_INFINITY)))
    assert soft.returncode == 0
    assert soft.stdout.split("\n")[2].endswith(f" {resource.RLIM_INFINITY}")
    hard = launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2000000, 2000000)))
    assert hard.returncode == 111
    assert hard.stderr.startswith("qmail-x: fatal: the hard limit on memory is too small")


def test_softlimit(launch, tmp_path):
    if not shutil.which("softlimit"):
        pytest.skip("daemontools is not installed")
    launch()
    done = subprocess.run(["softlimit", "-m", "2000000", tmp_path / "anything"], capture_output=True, text=True)
    assert done.returncode == 0


@pytest.mark.parametrize(("program", "code"), [("qmail-x", 111), ("qmail-queue", 120)])
def test_rule_16_an_interpreter_that_has_gone_is_told(launch, program, code):
    done = launch(program, interpreter="/usr/bin/python3.99")
    assert done.returncode == code
    assert done.stderr == f"{program}: fatal: unable to run /usr/bin/python3.99: it is gone; make setup takes another\n"


def test_a_launcher_that_was_not_filled_in():
    done = subprocess.run([BUILT], capture_output=True, text=True)
    assert done.returncode == 111
    assert "has not filled in" in done.stderr


def test_closed_descriptors_are_not_given_to_other_files(launch):
    done = launch("qmail-queue", preexec_fn=lambda: os.close(0))
    assert done.stdout.split("\n")[2].startswith("[0, 1, 2")


@pytest.mark.parametrize("fd", [0, 1, 2])
def test_a_folder_in_the_place_of_a_file_is_as_good_as_none(launch, tmp_path, fd):
    def swap():
        os.dup2(os.open(tmp_path, os.O_RDONLY), fd)

    assert launch(preexec_fn=swap).returncode == (120 if fd == 1 else 0)  # 120: the interpreter's word for output that cannot be written


def test_too_few_descriptors_are_told(launch):
    done = launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)))
    assert (done.returncode, done.stderr) == (111, "qmail-x: fatal: the limit on open descriptors is too small for an interpreter\n")


def test_it_is_small():
    assert BUILT.stat().st_size < 1 << 20


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """The launcher, built to wait one second where the real one waits for as long as a client does for a greeting."""
    out = tmp_path_factory.mktemp("launcher") / "launcher"
    subprocess.run(["make", "-C", TOP / "launcher", f"OUT={out}", "CFLAGS=-Os -DGREETING=1"], check=True, capture_output=True)
    return out.read_bytes()


@pytest.fixture
def pool(tmp_path):
    """Starts a stand-in for a pool: a program that gives one answer to whoever asks, each time.  The connections that it has had."""
    asked = []
    folder = tmp_path / f"run/servers/{os.geteuid()}"
    folder.mkdir(parents=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.chdir(folder)
    door.bind("socket")
    door.listen()

    def serve(answer):
        while True:
            try:
                link, _ = door.accept()
            except OSError:
                return
            with link:
                asked.append(link.recv(1 << 20))
                if answer:
                    link.send(answer)

    def start(answer):
        threading.Thread(target=serve, args=(answer,), daemon=True).start()
        return asked

    yield start
    door.shutdown(socket.SHUT_RDWR)
    door.close()


def narrow():
    resource.setrlimit(resource.RLIMIT_AS, (32768 << 10, 32768 << 10))


@pytest.mark.parametrize("answer", [b"B", b""])
def test_rule_18_where_a_cold_start_cannot_fit_the_pool_is_asked_until_the_client_would_not_wait_any_longer(tmp_path, impatient, pool, answer):
    asked = pool(answer)
    program = tmp_path / "qmail-smtpd"
    program.write_bytes(filled(impatient, "qmail-smtpd", str(tmp_path), "/nonexistent/python"))
    program.chmod(0o755)
    begun = time.monotonic()
    done = subprocess.run([program], capture_output=True, text=True, preexec_fn=narrow, timeout=30)
    assert time.monotonic() - begun >= 1
    assert len(asked) > 3 and len(set(asked)) == 1  # the same request each time
    assert (done.returncode, done.stdout) == (111, "")
    assert done.stderr.startswith("qmail-smtpd: fatal: unable to run")  # at last it tries


@pytest.mark.parametrize("answer", [b"B", b"C", b""])
def test_rule_18_where_it_can_nobody_asks_twice(tmp_path, impatient, pool, answer):
    asked = pool(answer)
    program = tmp_path / "qmail-smtpd"
    program.write_bytes(filled(impatient, "qmail-smtpd", str(tmp_path), "/nonexistent/python"))
    program.chmod(0o755)
    assert subprocess.run([program], capture_output=True, timeout=30).returncode == 111
    assert len(asked) == 1


def test_rule_18_one_that_comes_free_in_time_is_taken(tmp_path, impatient, pool):
    asked = pool(b"T4711")  # and then dies
    program = tmp_path / "qmail-smtpd"
    program.write_bytes(filled(impatient, "qmail-smtpd", str(tmp_path), "/nonexistent/python"))
    program.chmod(0o755)
    done = subprocess.run([program], capture_output=True, preexec_fn=narrow, timeout=30)
    assert (done.returncode, done.stderr, len(asked)) == (111, b"", 1)


def test_rule_18_the_real_one_waits_for_300_seconds():
    """As RFC 5321 has a client wait for the greeting."""
    assert "#define GREETING 300 " in (TOP / "launcher/pool.c").read_text()


def test_rule_16_the_interpreter_is_named_with_its_version(single):
    text = (single.path / "bin/qmail-smtpd").read_bytes()
    assert b"/python%d.%d\0" % sys.version_info[:2] in text
