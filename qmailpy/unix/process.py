"""Children: which program, which descriptors, which identity; and how they ended."""

from __future__ import annotations

import _signal  # the module signal builds enums at import, which costs milliseconds
import errno
import fcntl
import os

from qmailpy.unix.fds import TimedOut, close_quietly, wait_readable
from qmailpy.unix.signals import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import NoReturn

    Text = str | bytes

UNRUNNABLE = 111
IGNORED = (_signal.SIGPIPE, _signal.SIGXFSZ)  # by the interpreter, from its start
SHELL = "/bin/sh"


class Identity:
    """Who a child is to be: uid, gid and no other groups."""

    __slots__ = ("uid", "gid")

    def __init__(self, uid: int, gid: int) -> None:
        self.uid, self.gid = uid, gid

    def assume(self) -> None:
        """Become it for good.  Raises OSError; only root can, but everyone can become himself."""
        if os.geteuid() == 0:
            os.setgroups([self.gid])
        if (os.getgid(), os.getegid()) != (self.gid, self.gid):
            os.setgid(self.gid)
        if (os.getuid(), os.geteuid()) != (self.uid, self.uid):
            os.setuid(self.uid)


def spawn(
    argv: Sequence[Text], env: Mapping[str, str], fds: Mapping[int, int], *,
    program: Text | None = None, cwd: Text | None = None, identity: Identity | None = None, unrunnable: int = UNRUNNABLE, ignored: Sequence[int] = (),
) -> int:
    """Start a child and return its pid.

    fds         {descriptor in the child: ours}; every other descriptor is closed there
    program     the file to execute; default: argv[0], looked up in env's PATH if it has no slash
    cwd         its working folder; identity: who it is to be; both are set before it is executed
    unrunnable  its exit status if any of that cannot be done
    ignored     signals that it ignores

    The child has the default action for the signals that Python ignores, and none blocked.  Raises OSError if there can be no child.
    """
    pid = fork_held()
    if pid == 0:
        try:
            place(fds)
            reset_signals(ignored)
            if cwd is not None:
                os.chdir(cwd)
            if identity is not None:
                identity.assume()
            execute(argv, env, program)
        except BaseException:  # noqa: BLE001 (the child must not return into the parent's code, whatever happened)
            pass
        os._exit(unrunnable)
    return pid


def fork_held() -> int:
    """os.fork for a child that is waited for; in it no signal comes through before reset_signals: it would be lost, or taken for one that the parent got."""
    expect_children()
    held = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, held)
    return pid


def execute(argv: Sequence[Text], env: Mapping[str, str], program: Text | None = None) -> NoReturn:
    """Become another program, which finds SIGPIPE and SIGXFSZ as they usually are.  Raises OSError if it cannot be executed.

    A program that is looked up may be a script without a #! line, as for execvp: it is the shell's then.
    """
    for number in IGNORED:
        _signal.signal(number, _signal.SIG_DFL)
    if program is not None:
        os.execve(program, list(argv), env)
    if not argv[0]:
        raise FileNotFoundError(errno.ENOENT, "a program needs a name")  # Python calls that a mistake in the code
    try:
        os.execvpe(argv[0], list(argv), env)
    except OSError as problem:
        if problem.errno != errno.ENOEXEC:
            raise
    os.execve(SHELL, ["sh", "-c", 'exec "$0" "$@"', *argv], env)


def place(fds: Mapping[int, int]) -> None:
    """Make the open descriptors exactly {number: source}; sources may overlap numbers."""
    top = max([*fds, *fds.values(), 2]) + 1
    safe = {}
    for number, source in fds.items():  # out of the way first, so that no dup2 hits a source still needed
        safe[number] = fcntl.fcntl(source, fcntl.F_DUPFD, top)
    for number, source in safe.items():
        os.dup2(source, number, inheritable=True)
    low = 0
    for number in sorted(fds):
        if low < number:  # an empty range from 0 would close all
            os.closerange(low, number)
        low = number + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def standard() -> dict[int, int]:
    """Descriptors 0, 1 and 2 as a child is to have them: those of the three that are open."""
    found = {}
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            continue
        found[number] = number
    return found


def expect_children() -> None:
    """Let children be waited for, though whoever has started us ignores their ends: the system would bury them unseen."""
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)


def reset_signals(ignored: Sequence[int] = ()) -> None:
    """What a program may expect: all signals at their default, whatever we, or whoever has started us, ignore or handle, but for those to be `ignored`;
    nothing blocked.
    """
    _signal.set_wakeup_fd(-1)  # a child that goes on in Python has another file under that number, or none
    for number in range(1, _signal.NSIG):
        if _signal.getsignal(number) not in (_signal.SIG_DFL, None):  # None: it is the C library's own
            _signal.signal(number, _signal.SIG_DFL)
    ignore(*ignored)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def ignore_as_interpreter() -> None:
    """Ignore what an interpreter does from its start: for a child that runs a program of ours without executing it."""
    ignore(*IGNORED)


def allow_descriptors(count: int) -> bool:
    """Raise the soft limit on open descriptors, as far as the hard one lets it, if it is below `count`; whether so many may be open now."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        soft = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft == resource.RLIM_INFINITY or soft >= count


def wait(pid: int) -> int:
    """Wait for a child: its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_within(pid: int, seconds: float) -> int | None:
    """Wait for a child, but only so long: its exit status, or minus the signal; None if it still runs."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:  # a kernel before 5.3: without limit
        return wait(pid)
    try:
        wait_readable(fd, seconds)
    except TimedOut:
        return None
    finally:
        os.close(fd)
    return wait(pid)


def kill(pid: int) -> None:
    """End a child at once, if it is ours to end: a setuid program may not be."""
    try:
        os.kill(pid, _signal.SIGKILL)
    except OSError:
        pass


def pipe() -> tuple[int, int]:
    """A pipe (read, write) that no program executed later inherits."""
    return os.pipe2(os.O_CLOEXEC)


def name_process(name: str) -> None:
    """Be `name` to ps, pidof and killall."""
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return  # no /proc: argv[0] has the name, too
    try:
        os.write(fd, name.encode())
    except OSError:
        pass
    close_quietly(fd)


def die_of_interrupts() -> None:
    """Let an interrupt from the terminal end this process as it ends any other, without a traceback; where it is ignored, it stays so."""
    if _signal.getsignal(_signal.SIGINT) == _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def fork_working(work: Callable[[], int], fds: Mapping[int, int], unforeseen: int = UNRUNNABLE, ignored: Sequence[int] = ()) -> int:
    """Start a child that does `work` with exactly these descriptors and exits with what it returns; its pid.

    The work may end in another program.  `unforeseen` is the exit status if it raises; `ignored`: signals that it ignores.
    Raises OSError if there can be no child.
    """
    pid = fork_held()
    if pid == 0:
        status = unforeseen
        try:
            place(fds)
            reset_signals(ignored)
            status = work()
        except BaseException:  # noqa: BLE001 (the child must not return into the parent's code, whatever happened)
            pass
        os._exit(status)
    return pid


def ended(pid: int) -> int | None:
    """How a child ended: its exit status, or minus the signal; None if it still runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it can be waited for all the same."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def any_ended() -> Iterator[tuple[int, int]]:
    """(pid, wait status as the system gives it) of each child that has ended since the last call."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def own_group() -> None:
    """Be in a process group of one's own: whatever is sent to it reaches nobody else."""
    os.setpgid(0, 0)


def send_signal(pid: int, number: int) -> None:
    """Send a signal to a process, if it is there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def watch(pid: int) -> int | None:
    """A descriptor that has something to read when a process has ended; None if it has already."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def end(pid: int, patience: float) -> None:
    """Ask a child to end, insist after `patience` seconds, and wait until it has."""
    watch = os.pidfd_open(pid)
    try:
        os.kill(pid, _signal.SIGTERM)
        wait_readable(watch, patience)
    except TimedOut:
        os.kill(pid, _signal.SIGKILL)
    finally:
        os.close(watch)
    wait(pid)
