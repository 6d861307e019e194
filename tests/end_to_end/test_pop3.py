"""Reading mail with real clients, poplib and curl: a listener, qmail-popup, a checkpassword program, qmail-pop3d."""

import os
import poplib
import shutil
import subprocess
import sys

import pytest

from tests import maildirs
from tests.home import messages

CHECKPASSWORD = f"""#!{sys.executable} -IS
# Knows joe, by password or APOP; becomes somebody who is not root, goes to the folder above the Maildir, runs the rest of the command line.
import hashlib, os, sys
name, password, stamp = os.read(3, 513).split(b"\\0")[:3]
os.close(3)
if name != b"joe" or password not in (b"a secret", hashlib.md5(stamp + b"a secret").hexdigest().encode()):
    os._exit(1)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({maildirs.READER})
    os.setuid({maildirs.READER})
os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.environ.update(USER="joe", HOME=os.getcwd())
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def folder():
    """Joe's Maildir; beside it the program that knows him."""
    with maildirs.Place() as place:
        (place / "checkpassword").write_text(CHECKPASSWORD)
        (place / "checkpassword").chmod(0o755)
        yield maildirs.make(place / "Maildir")


@pytest.fixture
def port(single, folder):
    return single.listen(server=("qmail-popup", "pop.example", str(folder.parent / "checkpassword"), single.program("qmail-pop3d"), "Maildir"))


@pytest.fixture
def client(port):
    """Logs in, as often as it is called."""
    opened = []

    def log_in():
        opened.append(poplib.POP3("127.0.0.1", port, timeout=30))
        opened[-1].user("joe")
        opened[-1].pass_("a secret")
        return opened[-1]

    yield log_in
    for one in opened:
        one.close()


def fill(folder, count):
    for number in range(1, count + 1):
        maildirs.put(folder, b"Subject: %d\n\n.line\n" % number + b"x\n" * number, f"{number}.M1P2.host", age=1000 - number)


def test_poplib_reads_and_deletes(client, folder):
    fill(folder, 4)
    pop = client()
    assert pop.stat() == (4, 20 + 22 + 24 + 26)
    assert pop.list()[1] == [b"1 20", b"2 22", b"3 24", b"4 26"]
    assert pop.uidl()[1] == [b"%d %d.M1P2.host" % (number, number) for number in range(1, 5)]
    assert pop.retr(2)[1] == [b"Subject: 2", b"", b".line", b"x", b"x", b""]
    assert pop.top(3, 1)[1] == [b"Subject: 3", b"", b".line", b""]
    pop.dele(1)
    pop.dele(3)
    pop.rset()
    pop.dele(4)
    pop.quit()
    assert sorted(os.listdir(folder / "cur")) == ["1.M1P2.host:2,", "2.M1P2.host:2,", "3.M1P2.host:2,"]
    assert os.listdir(folder / "new") == []
    assert client().stat()[0] == 3


def test_two_sessions_at_once(client, folder):
    """What one removes is an error for the other, for that message only."""
    fill(folder, 3)
    one, other = client(), client()
    one.dele(2)
    one.quit()
    with pytest.raises(poplib.error_proto, match="unable to open that message"):
        other.retr(2)
    assert other.stat()[0] == 3
    other.dele(2)
    with pytest.raises(poplib.error_proto, match="unable to unlink all deleted messages"):
        other.quit()


def test_apop(port, folder):
    fill(folder, 1)
    pop = poplib.POP3("127.0.0.1", port, timeout=30)
    pop.apop("joe", "a secret")
    assert pop.stat()[0] == 1
    pop.quit()


@pytest.mark.parametrize(("user", "password"), [("joe", "wrong"), ("ann", "a secret"), ("joe\\0", "a secret"), ("joe", "a secret " + "x" * 3000)])
def test_a_wrong_password_ends_the_connection(port, user, password):
    pop = poplib.POP3("127.0.0.1", port, timeout=30)
    pop.user(user)
    with pytest.raises(poplib.error_proto, match="authorization failed"):
        pop.pass_(password)
    with pytest.raises((poplib.error_proto, OSError)):
        pop.user("joe")
    pop.close()


def test_what_qmail_local_delivers(single, client, folder):
    (single.path / "alias/.qmail-joe").write_text(f"{folder}/\n")
    single.start()
    single.run("qmail-inject", "-f", "a@sender.example", "joe@test.example", input=b"Subject: through\n\n.dot\n\xff\n")
    single.wait_empty()
    assert len(messages(folder)) == 1
    [path] = (folder / "new").iterdir()
    maildirs.hand(path)
    os.utime(path, (1000, 1000))  # what came in this very second is for the next session
    lines = client().retr(1)[1]
    assert lines[:2] == [b"Return-Path: <a@sender.example>", b"Delivered-To: joe@test.example"]
    assert lines[-5:] == [b"Subject: through", b"", b".dot", b"\xff", b""]


def curl(port, path, *options):
    """What curl prints."""
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *options, f"pop3://127.0.0.1:{port}/{path}"], capture_output=True, env={"PATH": os.environ["PATH"], "HOME": "/"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(port, folder):
    fill(folder, 2)
    joe = ("--user", "joe:a secret")
    assert curl(port, "", *joe) == b"1 20\r\n2 22\r\n"
    assert curl(port, "2", *joe) == b"Subject: 2\r\n\r\n.line\r\nx\r\nx\r\n\r\n"
    assert curl(port, "", *joe, "-X", "UIDL") == b"1 1.M1P2.host\r\n2 2.M1P2.host\r\n"
    assert curl(port, "", *joe, "-X", "TOP 2 1") == b"Subject: 2\r\n\r\n.line\r\n\r\n"
    curl(port, "1", *joe, "-X", "DELE", "--head")
    assert len(os.listdir(folder / "cur")) + len(os.listdir(folder / "new")) == 1
