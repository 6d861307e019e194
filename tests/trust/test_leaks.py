"""What programs of users and administrators find when we run them: documented descriptors, variables and signals, whatever our own caller has left open."""

import ast
import os
import pathlib
import re
import signal
import subprocess

import pytest

from tests.home import PATIENCE, Lines
from tests.signalmasks import OF_THE_LIBRARY

# External programs look, since the shell itself has descriptors and a mask of its own while it reads a script.
NOTE = """#!/bin/sh
grep -E '^Sig(Blk|Ign):' /proc/self/status > "$NOTE.new"
ls /proc/self/fd | sed 's/^/descriptor /' >> "$NOTE.new"
echo "umask $(umask)" >> "$NOTE.new"
printenv | sed 's/^/variable /' >> "$NOTE.new"
mv "$NOTE.new" "$NOTE"
"""
STRAY = (7, 10, 37, 250)
DOCUMENTED = {"SENDER", "NEWSENDER", "RECIPIENT", "USER", "HOME", "LOCAL", "EXT", "EXT2", "EXT3", "EXT4", "HOST", "HOST2", "HOST3", "HOST4", "DEFAULT", "UFLINE", "RPLINE", "DTLINE"}
OF_THE_SHELL = {"PWD", "SHLVL", "_", "OLDPWD"}


def untidy():
    """In a child: descriptors that are nobody's business, signals ignored and blocked, an alarm that may ring."""
    source = os.open("/dev/null", os.O_RDWR)
    for number in STRAY:
        os.dup2(source, number, inheritable=True)
    os.umask(0)
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM, signal.SIGINT})


def noted(path):
    """What a program has found: {word: the rest of its lines}."""
    found = {}
    for line in path.read_text(errors="replace").splitlines():
        word, _, rest = line.partition(" ") if "\t" not in line else line.partition(":\t")
        found.setdefault(word, []).append(rest)
    return found


def is_tidy(found, descriptors=("0", "1", "2"), ignored=()):
    open_there = {*descriptors, next(str(number) for number in range(3, 20) if str(number) not in descriptors)}  # one is the folder that ls reads
    assert set(found["descriptor"]) == open_there
    assert int(found["SigBlk"][0], 16) == 0
    numbers = {number for number in range(1, 65) if int(found["SigIgn"][0], 16) & ~OF_THE_LIBRARY & 1 << number - 1}
    assert numbers <= {int(one) for one in ignored}, numbers
    assert not [line for line in found["variable"] if line.startswith("QMAILPY")]


@pytest.fixture
def program(single):
    path = single.path / "note"
    path.write_text(NOTE)
    path.chmod(0o755)
    yield path
    for name in ("note", "found"):
        (single.path / name).unlink(missing_ok=True)


def test_a_program_of_a_qmail_file(single, program):
    """Through qmail-start, qmail-lspawn and qmail-local, all started by somebody untidy."""
    note = single.path / "found"
    (single.path / "alias/.qmail-default").write_text(f"|NOTE={note} exec {program}\n")
    env = {**single.env, "NOTE": str(note), "GIVEN": "by the administrator"}
    single.daemon = subprocess.Popen([single.program("qmail-start"), "./Mailbox"], env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=untidy, close_fds=False)
    single.log = Lines(single.daemon.stdout)
    single.run("qmail-inject", "-f", "s@x.example", "joe@test.example", input=b"Subject: x\n\n")
    single.log.wait("delivery 1: success")
    found = noted(note)
    is_tidy(found)
    assert found["umask"] == ["0077"]
    assert {line.partition("=")[0] for line in found["variable"] if "=" in line} - OF_THE_SHELL <= DOCUMENTED | {"PATH", "NOTE", "GIVEN"}
    # The daemons themselves have nothing of it either.
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd").startswith(str(single.path)) and pid != str(os.getpid()):
                open_there = {int(number) for number in os.listdir(f"/proc/{pid}/fd")}
                assert not open_there & {37, 250}, (pid, open_there)
        except OSError:
            continue


@pytest.mark.parametrize("which", ["RCPTCHECK", "checkpassword", "QMAILQUEUE"])
def test_a_program_that_a_server_runs(single, program, which):
    note = single.path / "found"
    env = {**single.env, "NOTE": str(note), **({which: str(program)} if which.isupper() else {})}
    words = [str(program), "true"] if which == "checkpassword" else []
    said = b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n" if words else b"MAIL FROM:<>\r\nRCPT TO:<joe@test.example>\r\nDATA\r\nx\r\n.\r\n"
    done = subprocess.run([single.program("qmail-smtpd"), *words], input=said + b"QUIT\r\n", env=env, capture_output=True, preexec_fn=untidy, close_fds=False, timeout=PATIENCE)
    assert done.returncode == 0, done
    found = noted(note)
    # Descriptors that a queue program and a check program have by their contract.
    more = {"QMAILQUEUE": ("4", "6"), "checkpassword": ("3",)}.get(which, ())
    is_tidy(found, ("0", "1", "2", *more))
    assert not re.search("secret", note.read_text().replace("variable _=", ""))


@pytest.mark.parametrize("name", ["preline", "qsmhook", "bouncesaying", "except", "condredirect"])
def test_a_program_that_a_helper_runs(single, program, name):
    note = single.path / "found"
    words = {"bouncesaying": ["no", str(program)], "qsmhook": [str(program)], "condredirect": ["x@y", str(program)]}.get(name, [str(program)])
    env = {**single.env, "NOTE": str(note), **dict.fromkeys(DOCUMENTED, "x")}
    with open("/dev/null", "rb") as message:
        subprocess.run([single.program(name), *words], stdin=message, env=env, capture_output=True, preexec_fn=untidy, close_fds=False, timeout=PATIENCE)
    is_tidy(noted(note), ignored=(signal.SIGUSR1, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD))


def test_nothing_decompresses_what_strangers_send():
    """Nor takes it apart with a library that knows more forms than we do."""
    top = pathlib.Path(__file__).resolve().parents[2] / "qmailpy"
    bad = {"zlib", "gzip", "bz2", "lzma", "zipfile", "tarfile", "pickle", "shelve", "xml", "email", "mailbox", "mimetypes", "html"}
    for path in top.rglob("*.py"):
        if path.relative_to(top).parts[0] in ("install", "bench"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & bad, path
