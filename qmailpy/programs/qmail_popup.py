"""qmail-popup: ask a POP3 client for name and password, and run a program that checks them.  See qmail-popup(8).

It is root for the sake of that program.  Who speaks with the client is a child that is not, and all that comes from it is the name and the password.
"""

from __future__ import annotations

import os
import time

from qmailpy.exits import OK, complain
from qmailpy.pop3.commands import error
from qmailpy.pop3.login import Login
from qmailpy.serve.pop3_tls import pop3_tls, speaker
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut, close_quietly, read_all, write_all
from qmailpy.unix.process import fork_working, pipe, spawn, standard, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.serve.pop3_tls import Pop3Tls
    from qmailpy.unix.process import Identity

TIMEOUT = 1200  # seconds to wait for the client
LOGIN = 3600  # seconds until it has said who it is
ENDED = 1  # the exit status in any case
ARGUMENTS = 2
ANSWER_FD = 3  # of the child that asks
BUG = "qmail-popup: fatal: internal error"
MOST = 16384  # bytes that it may answer: two commands


def ask(login: Login, connection: Connection) -> None:
    """The dialogue, until the client has said who it is or that it ends.  Raises Gone, TimedOut."""
    connection.until(time.monotonic() + LOGIN)
    connection.say(login.greeting())
    answered = True
    while not login.over and login.credentials is None:
        if answered:  # a command must be whole in time, however it drips
            connection.within(connection.timeout)
        # Byte by byte: what the client says behind its password is for the program that comes next.
        answered = connection.say_all(login.feed(connection.read(1)))
    connection.flush()
    connection.until(None)


def ask_apart(login: Login, who: Identity) -> None:
    """The same by a child that is `who`; `login` is then as if all had been said here.  Raises OSError if there can be no child."""
    def work() -> int:
        who.assume()
        try:
            ask(login, Connection(0, 1, TIMEOUT))
        except (Gone, TimedOut):
            return ENDED
        except Exception:  # noqa: BLE001 (as in `serve`)
            complain(BUG)
            return ENDED
        write_all(ANSWER_FD, login.outcome())
        return OK

    source, target = pipe()
    try:
        pid = fork_working(work, {**standard(), ANSWER_FD: target}, ENDED)
    except OSError:
        close_quietly(source)
        raise
    finally:
        close_quietly(target)
    login.recall(read_all(source, MOST))
    close_quietly(source)
    wait(pid)


def check(subprogram: list[str], env: MutableMapping[str, str], secret: bytes) -> str:
    """Run the subprogram, with the secret on its descriptor 3; what to tell the client when it has ended, or ""."""
    inherited = standard()
    try:
        source, target = pipe()
    except OSError:
        return "unable to open pipe"
    try:
        pid = spawn(subprogram, env, {**inherited, 3: source}, unrunnable=ENDED)
    except OSError:
        close_quietly(source, target)
        return "unable to fork"
    close_quietly(source)
    try:
        write_all(target, secret)
    except BrokenPipeError:
        pass  # a program that has not read it has judged without it
    except OSError:
        return "unable to write pipe"
    finally:
        close_quietly(target)
    code = wait(pid)
    if code < 0:
        return "aack, child crashed"
    return "authorization failed" if code else ""


def serve(login: Login, subprogram: list[str], env: MutableMapping[str, str], tls: Pop3Tls | None = None) -> int:
    """The dialogue on descriptors 0 and 1, and what follows from it; the exit status."""
    connection = Connection(0, 1, TIMEOUT)
    try:
        who = speaker()
        if who is None:
            ask(login, connection)
        else:
            ask_apart(login, who)
        if login.wants_tls and tls and (who is None or tls.prepare()):
            return tls.secured(lambda: serve(Login(login.challenge, secure=True, greeted=True), subprogram, env), TIMEOUT)
        if login.credentials:
            trouble = check(subprogram, env, b"\0".join([*login.credentials, login.challenge, b""]))
            if trouble:
                connection.say(error(trouble))
                connection.flush()
    except (Gone, TimedOut):
        return ENDED
    except Exception:  # noqa: BLE001 (a bug: its text could hold the password)
        complain(BUG)
    return ENDED


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    tls = pop3_tls(env)
    if len(argv) <= ARGUMENTS:
        if "POP3S" not in env:
            connection = Connection(0, 1, TIMEOUT)
            connection.say(error("usage: popup hostname subprogram"))
            connection.close()
        return ENDED
    challenge = b"<%d.%d@%s>" % (os.getpid(), int(time.time()), os.fsencode(argv[1]))
    if "POP3S" not in env:
        return serve(Login(challenge, tls.prepare if tls else None), argv[2:], env, tls)
    if tls is None or not tls.prepare():
        return ENDED
    return tls.secured(lambda: serve(Login(challenge, secure=True), argv[2:], env), TIMEOUT)
