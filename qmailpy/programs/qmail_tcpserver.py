"""qmail-tcpserver: run a program for each TCP connection, with ucspi-tcp's options, rules and environment.  See qmail-tcpserver(8)."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary, Trouble, Usage, complain
from qmailpy.home import here
from qmailpy.serve.hire import Hire
from qmailpy.text.options import Options
from qmailpy.text.tcprules import keys, safe, verdict
from qmailpy.unix.cdb import Reader
from qmailpy.unix.fds import close_quietly, read_all, write_all
from qmailpy.unix.handover import PATIENCE
from qmailpy.unix.ipme import canonical
from qmailpy.unix.listen import Listener, Peer, ident, service, tune
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import Identity, any_ended, execute, fork_working, pipe, standard, wait
from qmailpy.unix.resolver import Resolver
from qmailpy.unix.signals import CHLD, TERM, Wakeup, shielded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.serve.hire import Hired
    from qmailpy.unix.handover import Link

USAGE = ("qmail-tcpserver [ -1UXpPhHrRoOdDqQv46 ] [ -c limit ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] "
         "[ -l localname ] [ -t timeout ] host port program")
LETTERS = "dDvqQhHrRUXx:t:u:g:l:b:B:c:pPoO146"
QUIET, NORMAL, VERBOSE = 0, 1, 2
ANSWER_FD, ANSWER_LIMIT = 3, 4096  # of the child that looks up where to listen
PAUSE = 1.0  # seconds, when the system has no more descriptors or processes


class Arguments:
    """The command line.  Raises Usage."""

    def __init__(self, argv: list[str], env: MutableMapping[str, str]) -> None:
        self.switches = {"h": True, "r": True, "p": False, "o": False, "d": True}
        self.values = {"c": "40", "b": "20", "t": "26"}
        self.verbosity, self.print_port = NORMAL, False
        options = Options(argv, LETTERS)
        for letter, value in options:
            self._take(letter, value, env)
        if len(options.rest) < 3:
            raise Usage(USAGE)
        self.host, self.port, *self.program = options.rest
        self.limit, self.backlog, self.timeout = (self.number(letter) for letter in "cbt")

    def _take(self, letter: str, value: str, env: MutableMapping[str, str]) -> None:
        if letter == "?":
            complain(f"tcpserver: {value}")
            raise Usage(USAGE)
        if letter in "qQv":
            self.verbosity = {"q": QUIET, "Q": NORMAL, "v": VERBOSE}[letter]
        elif letter == "1":
            self.print_port = True
        elif letter == "U":
            self.values |= {"u": env.get("UID", ""), "g": env.get("GID", "")}
        elif letter.lower() in self.switches and not value:
            self.switches[letter.lower()] = letter.islower()
        elif letter not in "46":  # which family is said by the address
            self.values[letter] = value

    def number(self, letter: str) -> int:
        """The number that an option has.  Raises Usage."""
        text = self.values.get(letter, "")
        if not (text.isascii() and text.isdigit()):
            raise Usage(USAGE)
        return int(text)

    @property
    def identity(self) -> Identity | None:
        """Whom to become; None: nobody else."""
        if "u" not in self.values and "g" not in self.values:
            return None
        return Identity(self.number("u") if "u" in self.values else os.getuid(), self.number("g") if "g" in self.values else os.getgid())


class Connection:
    """What the child of one connection does."""

    def __init__(self, arguments: Arguments, env: MutableMapping[str, str], peer: Peer) -> None:
        self.arguments, self.env = arguments, dict(env)
        self.remote, self.local = peer.remote, peer.local
        self.host: bytes | None = None
        self.info: bytes | None = None

    def work(self) -> int:
        """Look at the client, ask the rules, become the program."""
        verbose = self.arguments.verbosity >= VERBOSE
        switches, values = self.arguments.switches, self.arguments.values
        tune(0, delay=switches["d"], keep_options=switches["o"])
        if "B" in values:
            write_all(1, os.fsencode(values["B"]))
        if verbose:
            complain(f"tcpserver: pid {os.getpid()} from {self.remote[0]}")
        local_name = self.look_up()
        self.tell(local_name)
        try:
            denied = self.ask_rules()
        except Trouble as problem:
            if self.arguments.verbosity >= NORMAL:
                complain(f"tcpserver: warning: dropping connection, {problem.text}")
            return 111
        if verbose:
            complain(f"tcpserver: {'deny' if denied else 'ok'} {os.getpid()} {self.ends(local_name)}")
        if denied:
            return 100
        try:
            execute(self.arguments.program, self.env)
        except OSError as problem:
            complain(f"tcpserver: fatal: unable to run {self.arguments.program[0]}: {wording(problem.errno)}")
        return 111

    def ends(self, local_name: bytes | None) -> str:
        """Both ends, for the log."""
        return f"{safe(local_name)}:{self.local[0]}:{self.local[1]} {safe(self.host)}:{self.remote[0]}:{safe(self.info)}:{self.remote[1]}"

    def ask(self, hire: Hire, connection: int) -> Link | None:
        """Ask for a warm worker for it; None if that cannot be, or if there is something to be told before."""
        local_name = os.fsencode(self.arguments.values["l"])
        tune(connection, delay=self.arguments.switches["d"], keep_options=self.arguments.switches["o"])
        self.tell(local_name)
        try:
            return None if self.ask_rules() else hire.ask(connection, self.env)
        except (Trouble, OSError):
            return None

    def note_hired(self, pid: int) -> None:
        """Tell which worker serves it."""
        complain(f"tcpserver: pid {pid} from {self.remote[0]}")
        complain(f"tcpserver: ok {pid} {self.ends(os.fsencode(self.arguments.values['l']))}")

    def look_up(self) -> bytes | None:
        """Find out the client's host name and ident; returns this host's name."""
        resolver = Resolver(self.env)
        chosen = self.arguments.values.get("l")
        local_name = os.fsencode(chosen) if chosen is not None else self.name_of(resolver, self.local[0])
        if self.arguments.switches["h"]:
            self.host = self.name_of(resolver, self.remote[0])
            if self.host and self.arguments.switches["p"] and not self.leads_back(resolver):
                self.host = None
        if self.arguments.switches["r"]:
            self.info = ident(self.local, self.remote, self.arguments.timeout)
        return local_name

    def name_of(self, resolver: Resolver, address: str) -> bytes | None:
        """The name that the DNS has for an address."""
        try:
            return next(iter(resolver.pointers(address)), None)
        except Trouble:
            return None

    def leads_back(self, resolver: Resolver) -> bool:
        """Whether the client's name has its address."""
        try:
            return self.remote[0] in resolver.addresses(self.host or b"")
        except Trouble:
            return False

    def tell(self, local_name: bytes | None) -> None:
        """Set the variables (tcp-environ(5))."""
        found: dict[str, bytes | None] = {
            "PROTO": b"TCP", "TCPLOCALIP": self.local[0].encode(), "TCPLOCALPORT": b"%d" % self.local[1], "TCPLOCALHOST": local_name,
            "TCPREMOTEIP": self.remote[0].encode(), "TCPREMOTEPORT": b"%d" % self.remote[1], "TCPREMOTEHOST": self.host, "TCPREMOTEINFO": self.info,
        }
        for name, value in found.items():
            self.env.pop(name, None)
            if value is not None:
                self.env[name] = os.fsdecode(value)

    def ask_rules(self) -> bool:
        """Look the client up in the rules: set the variables that they say; whether it is denied.  Raises Trouble if they cannot be read."""
        path = self.arguments.values.get("x")
        if path is None:
            return False
        rules = Reader(path)
        if rules.absent:
            if "X" in self.arguments.values:
                return False
            raise Temporary(f"unable to read {path}: file does not exist")
        record = next((found for key in keys(self.remote[0], self.host, self.info) if (found := rules.get(key)) is not None), b"")
        denied, variables = verdict(record)
        self.env.update((os.fsdecode(name), os.fsdecode(value)) for name, value in variables)
        return denied


class Asked:
    """A connection for which a worker has been asked.  `until`: when it is waited for no longer."""

    __slots__ = ("peer", "link", "until")

    def __init__(self, peer: Peer, link: Link, until: float) -> None:
        self.peer, self.link, self.until = peer, link, until


class Server:
    """The listener, and how many of its children run."""

    def __init__(self, arguments: Arguments, env: MutableMapping[str, str], listener: Listener) -> None:
        self.arguments, self.env, self.listener = arguments, env, listener
        self.running = 0
        self.poll = Poll()
        self.asked: dict[int, Asked] = {}  # by the descriptor that tells whether a worker has taken it
        self.hired: dict[int, Hired] = {}  # by the descriptor that tells their end
        self.hire = hire_for(arguments)

    def run(self) -> int:
        """Serve until TERM."""
        wakeup, poll = Wakeup([CHLD, TERM]), self.poll
        poll.add(wakeup.fd)
        self.status()
        try:
            while True:
                full = self.running >= self.arguments.limit
                poll.drop(self.listener.fileno()) if full else poll.add(self.listener.fileno())
                ready = poll.wait(self.patience())
                if wakeup.fd in ready:
                    if TERM in wakeup.take():
                        self.settle(all_of_them=True)
                        return OK
                    self.reap()
                for fd in self.hired.keys() & set(ready):
                    self.poll.drop(fd)
                    self.note_end((hired := self.hired.pop(fd)).pid, hired.status())
                for fd in self.asked.keys() & set(ready):
                    self.settle_one(self.asked.pop(fd), late=False)
                self.settle()
                if self.listener.fileno() in ready and not self.take():
                    poll.drop(self.listener.fileno())
                    poll.wait(PAUSE)
        finally:
            wakeup.close()
            self.listener.close()

    def take(self) -> bool:
        """Take one connection and start its child; False if the system has no room for it now."""
        try:
            peer = self.listener.accept()
        except OSError:
            return False
        if peer is None:
            return True
        self.running += 1
        self.status()
        link = None if self.hire is None else Connection(self.arguments, self.env, peer).ask(self.hire, peer.fileno())
        if link is None:
            return self.take_cold(peer)
        self.asked[link.fileno()] = Asked(peer, link, time.monotonic() + PATIENCE)
        self.poll.add(link.fileno())
        return True

    def take_cold(self, peer: Peer) -> bool:
        """Start the child of a connection; False if the system has no room for it now."""
        try:
            fork_working(Connection(self.arguments, self.env, peer).work, {0: peer.fileno(), 1: peer.fileno(), 2: 2})
        except OSError as problem:
            if self.arguments.verbosity >= NORMAL:
                complain(f"tcpserver: warning: dropping connection, unable to fork: {wording(problem.errno)}")
            self.running -= 1
            self.status()
            return False
        finally:
            peer.close()
        return True

    def patience(self) -> float | None:
        """Seconds until a worker is waited for no longer; None: nobody waits for one."""
        return max(min(one.until for one in self.asked.values()) - time.monotonic(), 0.0) if self.asked else None

    def settle(self, *, all_of_them: bool = False) -> None:
        """Have the connections whose time is over, or all, served in the other way."""
        for fd, one in list(self.asked.items()):
            if all_of_them or time.monotonic() >= one.until:
                self.settle_one(self.asked.pop(fd), late=True)

    def settle_one(self, one: Asked, *, late: bool) -> None:
        """There is an answer, or (late) none: a worker serves the connection, or a child of ours."""
        assert self.hire is not None
        self.poll.drop(one.link.fileno())
        found = self.hire.answer(one.link, late=late)
        if found is None:
            self.take_cold(one.peer)
            return
        if self.arguments.verbosity >= VERBOSE:
            Connection(self.arguments, self.env, one.peer).note_hired(found.pid)
        one.peer.close()
        self.hired[found.fileno()] = found
        self.poll.add(found.fileno())

    def reap(self) -> None:
        """Note the children that have ended."""
        for pid, status in any_ended():
            self.note_end(pid, status)

    def note_end(self, pid: int, status: int) -> None:
        """One connection less."""
        self.running -= 1
        if self.arguments.verbosity >= VERBOSE:
            complain(f"tcpserver: end {pid} status {status}")
        self.status()

    def status(self) -> None:
        """Say how many connections there are."""
        if self.arguments.verbosity >= VERBOSE:
            complain(f"tcpserver: status: {self.running}/{self.arguments.limit}")


def hire_for(arguments: Arguments) -> Hire | None:
    """Who can hand connections to warm workers; None where a client must be looked up first, for which we are not to keep others waiting."""
    if arguments.switches["h"] or arguments.switches["r"] or "l" not in arguments.values or "B" in arguments.values:
        return None
    try:
        hire = Hire(here(), arguments.program)
        return hire if hire.is_possible else None
    except (Trouble, OSError):
        return None


def is_literal(host: str) -> bool:
    """Whether a host to listen on is given by its address."""
    return host in ("0", "") or bool(canonical(host))


def address_of(host: str, env: MutableMapping[str, str]) -> str:
    """The IP address to listen on: the argument itself, or the first address of a name.  Raises Trouble."""
    if is_literal(host):
        return host
    found = Resolver(env).addresses(os.fsencode(host))
    if not found:
        raise Temporary(f"no IP address for {host}")
    return found[0]


def address_apart(host: str, env: MutableMapping[str, str], who: Identity) -> str:
    """The same, found by a child that is `who`: what the DNS says is read by nobody who is root.  Raises Trouble, OSError."""
    def work() -> int:
        who.assume()
        try:
            write_all(ANSWER_FD, address_of(host, env).encode())
        except Trouble as problem:
            write_all(ANSWER_FD, problem.text.encode("utf-8", "surrogateescape"))
        return OK

    source, target = pipe()
    try:
        wait(fork_working(work, {**standard(), ANSWER_FD: target}))
        close_quietly(target)
        target = -1
        found = read_all(source, ANSWER_LIMIT).decode("utf-8", "surrogateescape")
    finally:
        close_quietly(source, target)
    if not canonical(found):
        raise Temporary(found or f"no IP address for {host}")
    return found


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    arguments = Arguments(argv, env)
    with shielded():
        try:
            who = None if os.geteuid() or is_literal(arguments.host) else arguments.identity
            address = address_apart(arguments.host, env, who) if who else address_of(arguments.host, env)
            listener = Listener(address, service(arguments.port), arguments.backlog)
        except OSError as problem:
            raise Temporary(f"unable to bind: {wording(problem.errno)}") from problem
        try:
            if identity := arguments.identity:
                identity.assume()
        except OSError as problem:
            raise Temporary(f"unable to set uid or gid: {wording(problem.errno)}") from problem
        if arguments.print_port:
            write_all(1, f"{listener.port}\n".encode())
        return Server(arguments, env, listener).run()
