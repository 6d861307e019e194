"""Who each process of a multi-user home is, what it can write, what it holds and hands on: exactly what INTERNALS says in chapter 7, nothing more and nothing less."""

import contextlib
import errno
import grp
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile

import pytest

from qmailpy.unix.process import send_signal
from tests.end_to_end.test_multi_user import JOE
from tests.home import PATIENCE, TOP, Lines, RealHome, wait_for
from tests.pki import Authority
from tests.pools import children, in_child

CHECKPASSWORD = f"""#!{sys.executable} -IS
# Knows joe; with another name it waits to be looked at.
import os, sys, time
name = os.read(3, 513).split(b"\\0")[0]
if name != b"joe":
    time.sleep(1000)
os.close(3)
os.setgroups([])
os.setgid({JOE})
os.setuid({JOE})
os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/joe")
os.environ["USER"] = "joe"
os.environ.pop("LC_CTYPE", None)  # the interpreter's own
os.execvp(sys.argv[1], sys.argv[1:])
"""
STAYS = "#!/bin/sh\nexec sleep 1000\n"
MAIL = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@test.example>\r\nDATA\r\n"
ENVELOPE = b"Fa@a.example\0Tb@test.example\0\0"
FULL = 1  # the limit on something that nobody here needs: enough to be refused by a pool


def table(name):
    """The rows of the table of chapter 7 whose head begins with these words: lists of cells."""
    chapter = (TOP / "INTERNALS").read_text().split("\n7. Users\n")[1]
    head, *rows = next(part for part in chapter.split("\n\n") if re.sub(" +", " ", part).startswith(f" {name}")).split("\n")
    starts = [found.start() for found in re.finditer(r"(?<=  )\S", head)]
    made = []
    for row in rows:
        cells = [row[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        if cells[0]:
            made.append(cells)
        else:  # what is too long for one line goes on in the next
            made[-1] = [f"{one} {more}".strip() for one, more in zip(made[-1], cells, strict=True)]
    return made


class Process:
    """A process as the kernel shows it, at this moment."""

    def __init__(self, pid, home):
        self.pid, self.home = pid, home
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        self.uids, self.gids = (list(map(int, self.facts[name].split())) for name in ("Uid", "Gid"))
        self.groups = set(map(int, self.facts["Groups"].split()))
        entries = pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0")
        self.variables = dict(entry.removeprefix("QMAILPY_HIDDEN_").split("=", 1) for entry in entries if "=" in entry)
        self.switches = [self.facts[f"{kind}_ctxt_switches"] for kind in ("voluntary", "nonvoluntary")]
        self.descriptors = self.see_descriptors()

    @property
    def user(self):
        return "/".join(dict.fromkeys("joe" if uid == JOE else pwd.getpwuid(uid).pw_name for uid in self.uids))

    @property
    def group(self):
        return "/".join(dict.fromkeys("joe" if gid == JOE else grp.getgrgid(gid).gr_name for gid in self.gids))

    @property
    def traced(self):
        """Whether other processes of the same user may look into it: what it holds is that user's then."""
        if not any(self.uids):
            return "-"
        return "yes" if set(self.uids) == {os.stat(f"/proc/{self.pid}/fd").st_uid} else "no"

    def see_descriptors(self):
        """Those that it hands on with their numbers; those that are closed when it executes something without."""
        folder, links, flags = f"/proc/{self.pid}/fd", {}, {}
        for fd in sorted(map(int, os.listdir(folder))):
            links[fd] = os.readlink(f"{folder}/{fd}")
            flags[fd] = int(pathlib.Path(f"/proc/{self.pid}/fdinfo/{fd}").read_text().split("flags:")[1].split()[0], 8)
        kinds = {fd: self.kind(link, list(links.values())) for fd, link in links.items()}
        told = []
        for fd, kind in kinds.items():
            if flags[fd] & os.O_CLOEXEC:
                continue
            if told and told[-1][2] == kind and told[-1][1] == fd - 1:
                told[-1][1] = fd
            else:
                told.append([fd, fd, kind])
        numbered = [f"{first}-{last} {kind}" if last > first else f"{first} {kind}" for first, last, kind in told]
        hidden = sorted(kind for fd, kind in kinds.items() if flags[fd] & os.O_CLOEXEC)
        counts = {kind: hidden.count(kind) // (2 if kind == "wakeup" else 1) for kind in hidden}
        return ", ".join([*numbered, *(kind if count == 1 else f"{kind} (x{count})" for kind, count in counts.items())])

    def kind(self, link, others):
        """What a descriptor leads to."""
        if link.startswith("pipe:"):
            return "wakeup" if others.count(link) == 2 and self.is_own(link) else "pipe"
        if link.startswith("socket:"):
            return kind_of_socket(link[8:-1])
        if link.startswith("anon_inode:"):
            return link[12:-1].replace("eventpoll", "epoll")
        inside = os.path.relpath(link, self.home.path)
        return re.sub(r"\b\d+", "N", inside) if not inside.startswith("..") else os.path.basename(link)

    def is_own(self, link):
        """Whether both ends of a pipe are here."""
        modes = {int(pathlib.Path(f"/proc/{self.pid}/fdinfo/{fd}").read_text().split("flags:")[1].split()[0], 8) & os.O_ACCMODE
                 for fd in os.listdir(f"/proc/{self.pid}/fd") if os.readlink(f"/proc/{self.pid}/fd/{fd}") == link}
        return modes == {os.O_RDONLY, os.O_WRONLY}


def kind_of_socket(inode):
    """Where a socket leads: to a client or host, to a pool; or who comes in there."""
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        if words[6] == inode:
            return "door" if int(words[3], 16) & 0x10000 else "pool"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[9] == inode:
            return "listener" if words[3] == "0A" else "network"
    return "socket"


def waiting(pid, home):
    """A process that waits and did so a moment ago, with nothing else in its hands; None if it is at work, as a program is that is just being loaded."""
    try:
        before, now = Process(pid, home), Process(pid, home)
    except OSError:
        return None
    if not now.facts["State"].startswith("S") or before.descriptors != now.descriptors or before.switches != now.switches:
        return None
    return now


def parent(pid):
    """The process that a process comes from."""
    return int(re.search(r"^PPid:\t(\d+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def comm(pid):
    """The name of a process; "" if it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def below(pid):
    """A process and all that come from it."""
    return [pid, *(deeper for child in children(pid) for deeper in below(child))]


class Whole:
    """A running home, with something under way in every part of it, held where it can be looked at."""

    def __init__(self, home, place, stack):
        self.home, self.place, self.stack = home, place, stack
        self.found = {}

    def program(self, name, text):
        path = self.place / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def child(self, *argv, narrow=False, user=None, **how):
        """Start something that is ended with the test; `narrow`: so that no pool takes its work."""
        def become():
            if narrow:
                resource.setrlimit(resource.RLIMIT_MSGQUEUE, (FULL, FULL))
            if user is not None:
                os.setgroups([user[1]])
                os.setgid(user[1])
                os.setuid(user[0])

        child = subprocess.Popen(argv, env={**self.home.env, **how.pop("env", {})}, preexec_fn=become, **how)
        self.stack.callback(child.wait)
        self.stack.callback(child.kill)
        return child

    def listen(self, *words, narrow=False, **env):
        """(the listener's process id, its port)"""
        nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = self.child(self.home.program("qmail-tcpserver"), "-1QRHl0", *words, narrow=narrow, env=env, **nothing)
        Lines(child.stderr)
        return child.pid, int(child.stdout.readline())

    def connect(self, port, data=b"", answers=None):
        """Say these lines, and hear an answer to each, or to so many of them."""
        connection = self.stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
        assert connection.recv(200)
        for number, line in enumerate(data.splitlines(keepends=True)):
            connection.sendall(line)
            assert number == answers or connection.recv(200)
        return connection

    def note(self, name, pid):
        """Look at a process, once it waits for something."""
        self.stack.callback(send_signal, pid, signal.SIGKILL)
        self.found[name] = wait_for(lambda: waiting(pid, self.home), lambda: f"{name} does not come to rest")

    def await_child(self, ancestor, name):
        """The process of that name that comes from another."""
        return wait_for(lambda: [pid for pid in below(ancestor)[1:] if comm(pid) == name], lambda: f"no {name} below {ancestor}")[0]


def begin(whole):
    """Have everything run, and note each process."""
    home, place = whole.home, whole.place
    sink = whole.stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # it takes connections, and says nothing
    certificate = home.path / "control/servercert.pem"
    certificate.write_text(Authority().issue("mx.test.example").pem)
    certificate.chmod(0o640)
    shutil.chown(certificate, "qmaild", "qmail")
    home.control(poolservers="4\n", poolqueue="4\n", smtproutes=f":[127.0.0.1]:{sink.getsockname()[1]}\n")
    home.daemon = whole.child(home.program("qmail-start"), "./Maildir/", "cat", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={"MARK": "1"})
    home.log = Lines(home.daemon.stdout)
    home.log.wait("status: local 0/")
    send = home.daemon.pid
    whole.note("qmail-send", send)
    for name in ("qmail-lspawn", "qmail-rspawn", "qmail-clean", "cat"):
        whole.note(name.replace("cat", "the logger"), whole.await_child(send, name))
    begin_pools(whole, send)
    begin_deliveries(whole)
    begin_servers(whole, pwd.getpwnam("qmaild"))
    begin_pop3(whole, place)
    begin_queue(whole)


def begin_pools(whole, send):
    def is_pool(pid, kind):
        return comm(pid) == "qmail-pool" and f"\0{kind}\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()

    def is_idle(pid):
        try:
            return re.fullmatch("0-2 null, .*door, .*epoll.*", Process(pid, whole.home).descriptors)
        except OSError:
            return False  # they change while we look

    for kind in ("servers", "queue"):
        keeper, supervisor, *others = wait_for(lambda kind=kind: len(found := [pid for pid in below(send) if is_pool(pid, kind)]) > 3 and found)
        worker = wait_for(lambda others=others: [pid for pid in others if is_idle(pid)])[0]
        for role, pid in (("keeper", keeper), ("supervisor", supervisor), ("worker", worker)):
            whole.note(f"qmail-pool {kind}, {role}", pid)
    whole.note("qmail-pool servers, lot", whole.await_child(send, "qmail-pool-lot"))


def begin_deliveries(whole):
    home = whole.home
    spawner = whole.found["qmail-lspawn"].pid
    home.run("qmail-inject", "joe@test.example", input=b"\n")
    home.log.wait("success: did_1")
    whole.note("qmail-local, at rest", whole.await_child(spawner, "qmail-local"))
    (whole.place / "joe/.qmail-hold").write_text("|exec sleep 1000\n")
    home.run("qmail-inject", "joe-hold@test.example", input=b"\n")
    program = whole.await_child(spawner, "sleep")
    whole.note("qmail-local", parent(program))
    whole.note("|program", program)
    home.run("qmail-inject", "a@far.example", input=b"\n")
    remote = whole.await_child(whole.found["qmail-rspawn"].pid, "qmail-remote")
    wait_for(lambda: "network" in Process(remote, home).descriptors)
    whole.note("qmail-remote", remote)
    getpw, away = home.path / "bin/qmail-getpw", home.path / "bin/qmail-getpw.away"
    getpw.rename(away)
    whole.stack.callback(away.rename, getpw)
    getpw.write_text(STAYS)
    getpw.chmod(0o755)
    home.run("qmail-inject", "somebody@test.example", input=b"\n")
    whole.note("qmail-getpw", wait_for(lambda: [pid for pid in below(spawner) if comm(pid) == "sleep" and pid != program])[0])


def begin_servers(whole, daemon):
    home = whole.home
    qmaild = ["-u", str(daemon.pw_uid), "-g", str(daemon.pw_gid)]
    holding = whole.program("queue", STAYS)
    listener, port = whole.listen(*qmaild, "127.0.0.1", "0", home.program("qmail-smtpd"), QMAILQUEUE=holding, RELAYCLIENT="")
    whole.connect(port, b"HELO a\r\n" + MAIL)
    supervisor = whole.found["qmail-pool servers, supervisor"].pid
    program = whole.await_child(supervisor, "sleep")
    whole.note("qmail-pool servers, at work", parent(program))
    whole.note("QMAILQUEUE", program)
    whole.note("qmail-tcpserver", listener)
    listener, port = whole.listen(*qmaild, "127.0.0.1", "0", home.program("qmail-smtpd"), narrow=True)
    whole.connect(port)
    whole.note("qmail-smtpd", whole.await_child(listener, "qmail-smtpd"))
    read, write = os.pipe()
    whole.stack.callback(os.close, write)
    child = whole.child(home.program("qmail-smtpd"), stdin=read, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, user=(daemon.pw_uid, daemon.pw_gid))
    os.close(read)
    child.stdout.readline()
    whole.note("qmail-smtpd, launcher", child.pid)


def begin_pop3(whole, place):
    home = whole.home
    words = [home.program("qmail-popup"), "mx", whole.program("checkpassword", CHECKPASSWORD), home.program("qmail-pop3d"), "Maildir"]
    listener, port = whole.listen("127.0.0.1", "0", *words)
    whole.connect(port)
    whole.note("qmail-tcpserver, without -u", listener)
    popup = whole.await_child(listener, "qmail-popup")
    whole.note("qmail-popup", popup)
    whole.note("qmail-popup, asking", whole.await_child(popup, "qmail-popup"))
    other, port = whole.listen("127.0.0.1", "0", *words)
    whole.connect(port, b"USER x\r\nPASS x\r\n", answers=1)
    whole.note("checkpassword", whole.await_child(other, "checkpassword"))
    third, port = whole.listen("127.0.0.1", "0", *words)
    whole.connect(port, b"USER joe\r\nPASS x\r\n")
    whole.note("qmail-pop3d", whole.await_child(third, "qmail-pop3d"))
    secure, port = whole.listen("127.0.0.1", "0", *words, POP3S="")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = context.wrap_socket(whole.stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE)))
    assert whole.stack.enter_context(client).recv(200)
    outer = whole.await_child(secure, "qmail-popup")
    whole.note("qmail-popup, TLS", outer)
    behind = whole.await_child(outer, "qmail-popup")
    whole.note("qmail-popup, behind TLS", behind)
    whole.note("qmail-popup, asking behind TLS", whole.await_child(behind, "qmail-popup"))


def begin_queue(whole):
    home = whole.home
    for name, narrow in (("qmail-queue, launcher", False), ("qmail-queue", True)):
        read, write = os.pipe()
        os.write(write, ENVELOPE)
        os.close(write)
        before = set(home.queue_files())
        child = whole.child(home.program("qmail-queue"), stdin=subprocess.PIPE, stdout=read, stderr=subprocess.DEVNULL, narrow=narrow, user=(JOE, JOE),
                            env={"TCPREMOTEIP": "1", "TCPREMOTEINFO": "1", "RELAYCLIENT": "", "ORIGINIPFIELD": "0", "LD_LIBRARY_PATH": "/", "HOME": "/"})
        os.close(read)
        whole.stack.callback(child.stdin.close)
        wait_for(lambda before=before: set(home.queue_files()) - before)
        whole.note(name, child.pid)


@pytest.fixture(scope="module")
def whole(installed_multi):
    home = RealHome(installed_multi)
    home.fresh()
    place = pathlib.Path(tempfile.mkdtemp(prefix="qmailpy-joe-"))
    place.chmod(0o755)
    (place / "joe").mkdir()
    home.run("maildirmake", str(place / "joe/Maildir"))
    for folder, _, _ in os.walk(place / "joe"):
        os.chown(folder, JOE, JOE)
    home.assign(joe=(place / "joe", JOE, JOE))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, place)
        stack.callback(home.fresh)
        stack.callback(home.end)
        found = Whole(home, place, stack)
        begin(found)
        yield found


def paths(home):
    """All there is in a home, as names below it; of what is there many times in the same way one stands for all."""
    found = {}
    for folder, inner, names in os.walk(home.path):
        for name in [*inner, *names]:
            path = os.path.join(folder, name)
            if not stat.S_ISLNK(os.lstat(path).st_mode):
                found[re.sub(r"(?<=/)[\d.]+(?=/|$)", "N", os.path.relpath(path, home.path))] = path
    return found


def can(path, how):
    """Whether this process may open a file, or make and remove names in a folder, or list it."""
    if os.path.isdir(path):
        return os.access(path, os.W_OK | os.X_OK if how == os.O_WRONLY else os.R_OK | os.X_OK)
    if stat.S_ISSOCK(os.stat(path).st_mode) if os.access(os.path.dirname(path), os.X_OK) else False:
        return os.access(path, os.W_OK)
    try:
        os.close(os.open(path, how | os.O_NONBLOCK))
    except OSError as problem:
        return problem.errno in (errno.ENXIO, errno.ETXTBSY)
    return True


def shortened(every, chosen):
    """A set of names; a folder stands for all that is in it, with a slash behind it for itself alone."""
    told = []

    def descend(name):
        inside = [other for other in every if other.startswith(name + "/")]
        if name in chosen and all(other in chosen for other in inside):
            told.append(name)
            return
        if name in chosen:
            told.append(name + "/")
        for other in sorted(inside):
            if "/" not in other[len(name) + 1:]:
                descend(other)

    for name in sorted(every):
        if "/" not in name:
            descend(name)
    return " ".join(told)


def reach(home, uid, gid):
    """(what somebody can write, what he cannot read)"""
    every = paths(home)

    def look():
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
        os.chdir("/")
        return {name for name, path in every.items() if can(path, os.O_WRONLY)}, {name for name, path in every.items() if not can(path, os.O_RDONLY)}

    written, closed = in_child(look)
    return shortened(every, written), shortened({name for name in every if not name.startswith("bin/")}, {name for name in closed if not name.startswith("bin/")})


def test_each_process_is_who_it_must_be_and_holds_what_it_must_hold(whole):
    expected = {name: (user, group, traced, held) for name, user, group, traced, held in table("process user group traced")}
    seen = {name: (process.user, process.group, process.traced, process.descriptors) for name, process in whole.found.items()}
    assert "\n".join(map(str, sorted(seen.items() - expected.items()))) == "\n".join(map(str, sorted(expected.items() - seen.items())))


def test_nobody_has_a_group_or_a_capability_beside(whole):
    for name, process in whole.found.items():
        assert process.groups <= set(process.gids), name
        told = {process.facts[kind] for kind in ("CapInh", "CapAmb", *(("CapPrm", "CapEff") if all(process.uids) else ()))}
        assert set(map(int, told)) == {0}, name
        assert (process.facts["NoNewPrivs"], process.facts["Seccomp"]) == ("0", "0"), name  # setuid qmail-queue must stay what it is


def test_what_strangers_say_is_read_by_nobody_who_is_root(whole):
    """Of all that have the connection, those that are root wait for a child of theirs, or for connections."""
    for name, process in whole.found.items():
        if 0 in process.uids and re.search("network|listener", process.descriptors) and name != "checkpassword":
            assert name == "qmail-tcpserver, without -u" or children(process.pid), name
            assert "wakeup" in process.descriptors or process.descriptors.endswith(", pipe"), name


def test_variables(whole):
    """What each has beside what qmail-start, or its listener, was given; a shell's PWD apart."""
    expected = {name: sorted(words.split()) for name, words in table("process variables")}
    given = {*whole.home.env, "MARK", "QMAILQUEUE", "RELAYCLIENT", "POP3S"}
    seen = {}
    for name, process in whole.found.items():
        if name == "qmail-queue, launcher":
            continue  # the kernel shows what it was called with; what it passes on are the same four (tests/pool)
        own = set() if name == "qmail-queue" else given
        if added := sorted(set(process.variables) - own - {"PWD"}):
            seen[name] = added
    assert seen == expected
    assert all("PATH" in process.variables for name, process in whole.found.items() if name != "qmail-queue")


@pytest.mark.parametrize("row", table("user group can write"), ids=lambda row: row[0])
def test_what_a_user_can_write_and_cannot_read(whole, row):
    user, group, written, closed = row
    uid, gid = (JOE, JOE) if user == "joe" else (pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
    assert reach(whole.home, uid, gid) == (written, closed)


def test_every_user_of_a_process_is_in_the_table(whole):
    users = {user for process in whole.found.values() for user in process.user.split("/")}
    assert users - {"root"} <= {row[0] for row in table("user group can write")}


def test_programs_that_nobody_needs_to_read_cannot_be_read(whole):
    """Of those that are executed for other users, or that root alone may call."""
    for name in os.listdir(whole.home.path / "bin"):
        mode = (whole.home.path / "bin" / name).stat().st_mode
        assert not mode & 0o022, name
        assert bool(mode & stat.S_ISUID) == (name == "qmail-queue") and not mode & stat.S_ISGID, name
