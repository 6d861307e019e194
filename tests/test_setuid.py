"""qmail-queue, setuid, called by somebody who means harm: whatever he sets up before, it takes a message whole or refuses it, and touches nothing else."""

import contextlib
import ctypes
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest

from qmailpy.queue.exitcodes import text_of
from tests.home import PATIENCE, PARTS, TOP, RealHome, wait_for
from tests.pools import RunningPool

CALLER = 54322  # nobody's uid on a usual machine
MESSAGE = b"Subject: hello\n\ntext\n"
ENVELOPE = b"Fa@a.example\0Tb@test.example\0Tc@test.example\0\0"
SECRET = b"a-value-that-must-not-get-out"
LIBC = ctypes.CDLL(None, use_errno=True)
CODES = {int(code) for line in re.findall(r"^\.TP\n([\d, ]+)$", (TOP / "man/qmail-queue.8").read_text(), re.MULTILINE) for code in line.split(",")}
TRACEME, CONT, ATTACH, DETACH = 0, 7, 16, 17


def become_caller():
    if os.geteuid():
        return
    os.setgroups([])
    os.setgid(CALLER)
    os.setuid(CALLER)


def words(given):
    """What execve takes: a list of strings that need not be what they should be; None: no list at all."""
    if given is None:
        return None
    return (ctypes.c_char_p * (len(given) + 1))(*given, None)


class Call:
    """One call of qmail-queue: `say` writes a part of the message, `end` the rest, and waits; the exit status, or minus the signal."""

    def __init__(self, home, prepare=lambda: None, argv=(b"qmail-queue",), env=(), envelope=ENVELOPE, message=None, message_fd=None, envelope_fd=None):
        source, self.writer = os.pipe()
        told, teller = os.pipe()
        os.write(teller, envelope)
        os.close(teller)
        self.message = MESSAGE if message is None else message
        path, arguments, variables = os.fsencode(home.program("qmail-queue")), words(argv), words(env)
        nothing = os.open(os.devnull, os.O_WRONLY)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for number, fd in enumerate((source if message_fd is None else message_fd, told if envelope_fd is None else envelope_fd, nothing)):
                    os.dup2(fd, number + 100)
                for number in range(3):
                    os.dup2(number + 100, number)
                os.closerange(3, 1024)
                become_caller()
                prepare()
                LIBC.execve(path, arguments, variables)
            finally:
                os._exit(99)
        for fd in (source, told, nothing):
            os.close(fd)

    def say(self, data):
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self.writer, data):]

    def wait(self):
        """How it ended, its message's writer closed."""
        os.close(self.writer)
        watch = os.pidfd_open(self.pid)
        if not select.select([watch], [], [], PATIENCE)[0]:
            os.kill(self.pid, signal.SIGKILL)
        os.close(watch)
        self.status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(self.status)

    def end(self):
        self.say(self.message)
        return self.wait()


@pytest.fixture(scope="module", params=["cold", "warm"])
def home(request, installed_multi):
    """A multi-user home; warm: with a queue pool."""
    found = RealHome(installed_multi)
    found.fresh()
    if request.param == "warm":
        pool = RunningPool(found, "queue", size=4)
        request.addfinalizer(pool.end)
    found.warm = request.param == "warm"
    return found


@pytest.fixture
def cwd():
    """A folder of the caller's, where a program would leave what it is talked into leaving."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="qmailpy-caller-"))
    os.chown(place, CALLER, CALLER)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_else(home, cwd):
    """Whatever happens, no file but the queue's is touched, and what is in the queue is whole."""
    empty(home)
    before = state(home.path)
    yield
    assert state(home.path) == before
    for name in home.queue_files():
        if name.startswith("todo/"):
            check_whole(home, name.removeprefix("todo/"))


def empty(home):
    for name in home.queue_files():
        os.unlink(home.path / "queue" / name)


def state(top):
    """All files below a folder but those of messages, with what would tell a change."""
    found = {}
    for folder, inner, names in os.walk(top):
        for name in [*inner, *names]:
            path = os.path.join(folder, name)
            seen = os.lstat(path)
            inside = os.path.relpath(path, top).split("/")
            if inside[0] == "queue" and (inside[1] if len(inside) > 1 else "") in PARTS:
                if stat.S_ISDIR(seen.st_mode):
                    found[path] = seen.st_mode, seen.st_uid, seen.st_gid
                continue
            found[path] = seen.st_mode, seen.st_uid, seen.st_gid, seen.st_ino, seen.st_size, seen.st_ctime_ns if not stat.S_ISFIFO(seen.st_mode) else 0
    return found


def check_whole(home, number):
    queue = home.path / "queue"
    (mess,) = (queue / "mess").glob(f"*/{number}")
    received, _, rest = mess.read_bytes().partition(b"\n")
    assert re.fullmatch(rb"Received: \(qmail \d+ invoked by uid %d\); \d+ \w+ \d+ [\d:]+ -0000" % CALLER, received), received
    assert rest == MESSAGE
    assert re.fullmatch(rb"u%d\0p\d+\0" % CALLER + re.escape(ENVELOPE[:-1]), (queue / "todo" / number).read_bytes())
    assert SECRET not in mess.read_bytes() + (queue / "todo" / number).read_bytes()
    for path in (mess, queue / "todo" / number):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (home_uid(home), 0o644)


def home_uid(home):
    return (home.path / "queue").stat().st_uid


def accepted(home):
    return sum(name.startswith("todo/") for name in home.queue_files())


def check(home, code, *, deaths=()):
    """What must hold however it ended: a code that is documented and means try later, or one of these signals; only with 0 there is a message."""
    assert code in CODES or -code in deaths, code
    assert text_of(code)[:1] in ("", "Z"), code
    assert accepted(home) == (code == 0)
    if code > 0:
        assert home.queue_files() == []


def test_who_does_the_work(home):
    call = Call(home)
    call.say(MESSAGE[:9])
    wait_for(lambda: [name for name in home.queue_files() if name.startswith("mess/")])
    assert os.readlink(f"/proc/{call.pid}/exe").endswith("/bin/qmail-queue") == home.warm
    call.message = MESSAGE[9:]
    assert call.end() == 0
    check(home, 0)


def evil(cwd):
    """Variables that somebody reads: the dynamic linker, the C library, the interpreter, libcrypto, shells, we."""
    place = os.fsencode(cwd)
    (cwd / "evil.so").write_bytes(b"\x7fELF")
    names = {
        "LD_PRELOAD": "/evil.so", "LD_LIBRARY_PATH": "", "LD_AUDIT": "/evil.so", "LD_DEBUG": "=all", "LD_DEBUG_OUTPUT": "/debug", "LD_PROFILE": "=libc.so.6",
        "LD_PROFILE_OUTPUT": "", "LD_SHOW_AUXV": "=1", "LD_BIND_NOW": "=1", "LD_ORIGIN_PATH": "", "PYTHONPATH": "", "PYTHONHOME": "", "PYTHONSTARTUP": "/start.py",
        "PYTHONINSPECT": "=1", "PYTHONVERBOSE": "=1", "PYTHONPYCACHEPREFIX": "/cache", "PYTHONMALLOC": "=debug", "PYTHONWARNINGS": "=error", "PYTHONBREAKPOINT": "=evil.x",
        "PYTHONPROFILEIMPORTTIME": "=1", "PYTHONDUMPREFSFILE": "/refs", "PYTHONDEVMODE": "=1", "PYTHONEXECUTABLE": "/python", "PYTHONPLATLIBDIR": "=evil",
        "PYTHONTRACEMALLOC": "=9", "PYTHONIOENCODING": "=evil", "PYTHONUTF8": "=x", "PYTHONHASHSEED": "=x", "__PYVENV_LAUNCHER__": "/python",
        "GCONV_PATH": "", "LOCPATH": "", "NLSPATH": "/%N", "LC_ALL": "=evil", "LANG": "=evil", "LANGUAGE": "=evil", "MALLOC_TRACE": "/trace", "MALLOC_PERTURB_": "=165",
        "MALLOC_CHECK_": "=3", "MALLOC_ARENA_MAX": "=x", "GLIBC_TUNABLES": "=glibc.malloc.check=3:glibc.malloc.mxfast=x", "TZ": "/zone", "TZDIR": "", "TMPDIR": "",
        "RES_OPTIONS": "=debug", "HOSTALIASES": "/hosts", "LOCALDOMAIN": "=evil", "RESOLV_HOST_CONF": "/conf", "GETCONF_DIR": "", "OPENSSL_CONF": "/ssl", "SSL_CERT_FILE": "/cert",
        "PATH": "", "HOME": "", "SHELL": "/sh", "IFS": "=/", "ENV": "/env", "BASH_ENV": "/env", "QMAILQUEUE": "/queue", "DNSCACHEIP": "=127.0.0.1",
        "QMAILPY_HIDDEN_LD_PRELOAD": "/evil.so", "QMAILPY_HIDDEN_PATH": "", "QMAILPY_HIDDEN_PYTHONPATH": "", "NAME": "=" + SECRET.decode(),
    }
    return [os.fsencode(name) + (os.fsencode(value) if value.startswith("=") else b"=" + place + os.fsencode(value)) for name, value in names.items()]


ENVIRONMENTS = {
    "each that somebody reads": evil,
    "nothing": lambda cwd: [],
    "none at all": lambda cwd: None,
    "without =": lambda cwd: [b"LD_PRELOAD", b"", b"=", b"=x", b"TCPREMOTEIP", b"RELAYCLIENT", b"ORIGINIPFIELD", b"PATH"],
    "twice": lambda cwd: [b"TCPREMOTEIP=192.0.2.1", b"TCPREMOTEIP=\nX: y", b"RELAYCLIENT=", b"RELAYCLIENT=x", b"ORIGINIPFIELD=0", b"ORIGINIPFIELD=1"],
    "header fields": lambda cwd: [b"TCPREMOTEIP=192.0.2.1\nX-Evil: 1", b"TCPREMOTEINFO=x\nX-Evil: 1", b"RELAYCLIENT=\n", b"ORIGINIPFIELD=1"],
    "not text": lambda cwd: [b"\xff\xfe=\xff", b"TCPREMOTEIP=\xff\x80", b"TCPREMOTEINFO=\xed\xa0\x80"],
    "one that is huge": lambda cwd: [b"TCPREMOTEIP=" + b"1" * 131000, b"RELAYCLIENT=", b"ORIGINIPFIELD=1"],
    "many that are huge": lambda cwd: [b"X%d=" % number + b"x" * 100000 for number in range(15)] + [b"TCPREMOTEINFO=" + b"y" * 100000],
    "ten thousand": lambda cwd: [b"X%d=%s" % (number, SECRET) for number in range(10000)],
}


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_environments(home, cwd, kind):
    env = ENVIRONMENTS[kind](cwd)
    files = {path.name for path in cwd.iterdir()}
    assert Call(home, lambda: os.chdir(cwd), env=env).end() == 0
    check(home, 0)
    assert {path.name for path in cwd.iterdir()} == files


def test_nothing_of_an_environment_is_seen_outside(home, cwd):
    """Neither by the kernel's account of the process that works, which is a worker or the program itself, nor by what is open there."""
    call = Call(home, env=[*evil(cwd), b"TCPREMOTEIP=192.0.2.1"])
    call.say(MESSAGE[:9])
    wait_for(lambda: [name for name in home.queue_files() if name.startswith("mess/")])
    if not home.warm:
        text = pathlib.Path(f"/proc/{call.pid}/environ").read_bytes()
        assert text == b"TCPREMOTEIP=192.0.2.1\0"
        assert not [line for line in pathlib.Path(f"/proc/{call.pid}/maps").read_text().split("\n") if str(cwd) in line]
    call.message = MESSAGE[9:]
    assert call.end() == 0


def closed(*fds):
    def prepare():
        for fd in fds:
            os.close(fd)
    return prepare


def crowd():
    """Nine hundred descriptors, those of folders of the home among them."""
    for number in range(3, 900):
        os.dup2(os.open("/", os.O_RDONLY | os.O_DIRECTORY) if number == 3 else 3, number)
        os.set_inheritable(number, True)


@pytest.mark.parametrize(("fds", "code"), [((0,), 54), ((1,), 54), ((2,), 0), ((0, 1), 54), ((1, 2), 54), ((0, 1, 2), 54)])
def test_closed_descriptors(home, fds, code):
    assert Call(home, closed(*fds)).end() == code
    check(home, code)


def test_hundreds_of_descriptors(home):
    call = Call(home, crowd)
    call.say(MESSAGE[:9])
    wait_for(lambda: [name for name in home.queue_files() if name.startswith("mess/")])
    assert len(os.listdir(f"/proc/{call.pid}/fd")) < 8
    call.message = MESSAGE[9:]
    assert call.end() == 0
    check(home, 0)


NO_MESSAGES = {
    "folder": lambda cwd: os.open(cwd, os.O_RDONLY), "only for writing": lambda cwd: os.open(cwd / "file", os.O_WRONLY | os.O_CREAT),
    "path": lambda cwd: os.open(cwd, os.O_PATH), "memory": lambda cwd: os.open("/proc/self/mem", os.O_RDONLY), "listener": lambda cwd: socket.create_server(("127.0.0.1", 0)).detach(),
}


@pytest.mark.parametrize("what", NO_MESSAGES)
def test_descriptors_that_are_no_message(home, cwd, what):
    for place in ({"message_fd": NO_MESSAGES[what](cwd)}, {"envelope_fd": NO_MESSAGES[what](cwd)}):
        assert Call(home, **place).end() == 54
        os.close(*place.values())
        check(home, 54)


def test_sockets_and_files(home, cwd):
    one, other = socket.socketpair()
    (cwd / "envelope").write_bytes(ENVELOPE + b"\0" * 4096)
    other.sendall(MESSAGE)
    other.shutdown(socket.SHUT_WR)
    with open(cwd / "envelope", "rb") as envelope:
        assert Call(home, message_fd=one.fileno(), envelope_fd=envelope.fileno()).end() == 0
    one.close()
    other.close()
    check(home, 0)


def test_the_same_pipe_twice(home):
    read, write = os.pipe()
    os.write(write, MESSAGE + ENVELOPE)
    os.close(write)
    code = Call(home, message_fd=read, envelope_fd=read).end()
    os.close(read)
    assert code == 54
    check(home, code)


@pytest.mark.parametrize("late", [False, True])
def test_pipes_that_do_not_block(home, late):
    """What has come is taken whole; where there is nothing yet, it waits, or says that it cannot read."""
    read, write = os.pipe2(os.O_NONBLOCK)
    if not late:
        os.write(write, MESSAGE)
        os.close(write)
    call = Call(home, message_fd=read)
    if late:
        select.select([], [], [], 0.3)  # for it to find nothing: no event tells that it has looked
        with contextlib.suppress(BrokenPipeError):
            os.write(write, MESSAGE)
        os.close(write)
    os.close(read)
    code = call.wait()
    assert code in ((0, 54) if late else (0,))
    check(home, code)


LIMITS = [(getattr(resource, f"RLIMIT_{name}"), value) for name, values in {
    "AS": (0, 4096, 1 << 20, 8 << 20, 16 << 20), "DATA": (0, 4096, 1 << 20, 4 << 20), "FSIZE": (0, 1, 30, 100), "NOFILE": (0, 3, 4, 5, 6, 7, 8), "STACK": (0, 4096, 65536, 131072),
    "CPU": (0, 1), "NPROC": (0, 1), "CORE": (0,), "MEMLOCK": (0,), "SIGPENDING": (0,), "MSGQUEUE": (0,), "RTTIME": (1,), "NICE": (0,), "RSS": (0,)}.items() for value in values]
# Those that the kernel ends a program by, before it has begun or in the middle.
DEATHS = {resource.RLIMIT_STACK: (signal.SIGKILL, signal.SIGSEGV), resource.RLIMIT_CPU: (signal.SIGKILL, signal.SIGXCPU), resource.RLIMIT_AS: (signal.SIGKILL, signal.SIGSEGV),
          resource.RLIMIT_DATA: (signal.SIGKILL, signal.SIGSEGV), resource.RLIMIT_NOFILE: (signal.SIGSEGV,)}


@pytest.mark.parametrize(("which", "value"), LIMITS)
def test_limits(home, which, value):
    """99: it could not be executed at all."""
    code = Call(home, lambda: resource.setrlimit(which, (value, value))).end()
    if code != 99:
        check(home, code, deaths=DEATHS.get(which, ()))
    assert code != 99 or which in (resource.RLIMIT_STACK, resource.RLIMIT_NOFILE)
    assert accepted(home) == (code == 0)


def blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))


def ignored():
    for number in set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("prepare", [blocked, ignored])
def test_signals(home, prepare):
    assert Call(home, prepare).end() == 0
    check(home, 0)


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGABRT, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGIO, signal.SIGCHLD])
def test_a_signal_that_waits(home, number):
    def prepare():
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.kill(os.getpid(), number)

    code = Call(home, prepare).end()
    check(home, code, deaths=(number,))


def test_timers_are_not_ours(home):
    def prepare():
        for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(which, 0.3, 0.3)

    call = Call(home, prepare)
    select.select([], [], [], 0.6)  # longer than the timer: nothing tells that one does not come
    assert call.end() == 0
    check(home, 0)


@pytest.mark.parametrize("mask", [0, 0o777])
def test_umask(home, mask):
    assert Call(home, lambda: os.umask(mask)).end() == 0
    check(home, 0)  # with the modes that files of the queue have


@pytest.mark.parametrize("argv", [None, (), (b"",), (b"-c", b"import os"), (b"x", b"--help", b"-I"), (b"x" * 100000,), (b"x", *[b"y" * 1000] * 1500), (b"qmail-send",)],
                         ids=["none at all", "empty", "an empty name", "an option", "options", "long", "huge", "another name"])
def test_arguments(home, argv):
    assert Call(home, argv=argv).end() == 0
    check(home, 0)


def trap(cwd):
    """What an interpreter would take its library from."""
    for name in ("bin", "lib/python3.11/encodings", "lib/python311.zip"):
        (cwd / name).mkdir(parents=True)
    (cwd / "pyvenv.cfg").write_text(f"home = {cwd}/bin\n")
    for name in ("sitecustomize.py", "usercustomize.py", "os.py", "encodings.py", "qmailpy.py", "boot.py", "python311._pth", "lib/python3.11/os.py", "lib/python3.11/encodings/__init__.py"):
        (cwd / name).write_text(f"open({str(cwd / 'taken')!r}, 'w')\n")


def test_a_trap_in_the_folder(home, cwd):
    trap(cwd)
    assert Call(home, lambda: os.chdir(cwd), argv=(b"bin/python3",)).end() == 0
    check(home, 0)
    assert not (cwd / "taken").exists()


@pytest.mark.parametrize("what", ["gone", "closed"])
def test_a_folder_that_is_gone_or_closed(home, cwd, what):
    def prepare():
        os.mkdir(cwd / "in")
        os.chdir(cwd / "in")
        os.rmdir(cwd / "in") if what == "gone" else os.chmod(cwd / "in", 0)

    assert Call(home, prepare).end() == 0
    check(home, 0)


def test_nice_and_idle(home):
    def prepare():
        os.nice(19)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    assert Call(home, prepare).end() == 0
    check(home, 0)


def test_who_traces_it_from_the_start_gets_a_program_without_rights(home):
    """By his own child, as a debugger does it: the kernel leaves the setuid bit alone then."""
    read, write = os.pipe()
    tracer = os.fork()
    if tracer == 0:
        become_caller()
        call = Call(home, lambda: LIBC.ptrace(TRACEME, 0, 0, 0))
        call.say(MESSAGE)
        os.close(call.writer)
        while True:
            _, status = os.waitpid(call.pid, 0)
            if not os.WIFSTOPPED(status):
                break
            number = os.WSTOPSIG(status)
            LIBC.ptrace(CONT, call.pid, 0, 0 if number == signal.SIGTRAP else number)
        os.write(write, b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(write)
    code = int(os.read(read, 10))
    os.close(read)
    os.waitpid(tracer, 0)
    assert code != 0
    check(home, code)


def as_caller(work):
    """Whether a process of the caller's is let do something."""
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            become_caller()
            code = 0 if work() else 1
        except OSError:
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_who_wants_to_look_into_it_later_may_not(home):
    call = Call(home)
    call.say(MESSAGE[:9])
    wait_for(lambda: [name for name in home.queue_files() if name.startswith("mess/")])
    pid = call.pid
    assert not as_caller(lambda: LIBC.ptrace(ATTACH, pid, 0, 0) == 0)
    for name, how in (("mem", os.O_RDONLY), ("mem", os.O_WRONLY), ("environ", os.O_RDONLY), ("maps", os.O_RDONLY), ("fd/0", os.O_RDONLY), ("cwd", os.O_RDONLY), ("comm", os.O_WRONLY)):
        assert not as_caller(lambda name=name, how=how: os.open(f"/proc/{pid}/{name}", how) >= 0), name
    assert not as_caller(lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0)) is not None)
    call.message = MESSAGE[9:]
    assert call.end() == 0
    check(home, 0)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGXCPU, signal.SIGKILL, signal.SIGTERM, signal.SIGALRM, signal.SIGSYS])
def test_signals_in_the_middle_leave_nothing_and_no_core(home, cwd, number):
    """He who calls it may end it, as in C; what was not whole is not accepted, and its memory is not written anywhere."""
    def prepare():
        os.chdir(cwd)
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    call = Call(home, prepare)
    call.say(MESSAGE[:9])
    wait_for(lambda: [name for name in home.queue_files() if name.startswith("mess/")])
    assert as_caller(lambda: os.kill(call.pid, number) is None)
    survives = number in (signal.SIGQUIT, signal.SIGXCPU)
    call.message = MESSAGE[9:] if survives else b""
    code = call.end()
    assert (code == 0) == survives
    assert not os.WCOREDUMP(call.status)
    assert accepted(home) == survives
    assert code in CODES or code == -number
    assert list(cwd.iterdir()) == []


def test_a_link_of_the_callers_making_is_as_good(home, cwd):
    (cwd / "pinq").symlink_to(home.program("qmail-queue"))
    done = subprocess.run([cwd / "pinq"], stdin=subprocess.DEVNULL, stdout=os.open(os.devnull, os.O_RDONLY), preexec_fn=become_caller, env={}, timeout=PATIENCE)
    assert done.returncode == 54
    check(home, 54)
