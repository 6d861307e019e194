"""qmail-pop3d as a process, and its session with a real Maildir."""

import os
import subprocess
import threading
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.programs.qmail_pop3d import Maildir, serve
from qmailpy.unix.connection import Connection, Gone
from qmailpy.unix.fds import TimedOut
from tests import maildirs
from tests.checkout import feed, peak_memory

CONTENTS = (b"Subject: 1\n\none\n", b"Subject: 2\n\n.dot\n..\n.\nno newline", b"", b"\n", b"a: b\r\n\r\nCR\r\x00\xff\n", b"x" * 70000 + b"\n.\n")


@pytest.fixture
def folder():
    with maildirs.Place() as place:
        yield maildirs.make(place / "Maildir")


@pytest.fixture
def filled(folder):
    """A Maildir with all CONTENTS, in this order."""
    for number, content in enumerate(CONTENTS):
        maildirs.put(folder, content, f"{number}.M1P2.host" + (":2,S" if number % 2 else ""), "cur" if number % 2 else "new", 1000 - number)
    return folder


class Dialogue:
    """A running qmail-pop3d of an installed home, and what a client does with it."""

    def __init__(self, home, *words):
        self.child = subprocess.Popen([home.program("qmail-pop3d"), *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      **maildirs.reader())
        self.greeting = self.line()

    def line(self):
        return self.child.stdout.readline()

    def ask(self, command):
        """The answer's first line."""
        self.child.stdin.write(command + b"\r\n")
        self.child.stdin.flush()
        return self.line()

    def ask_long(self, command):
        """The lines behind it, as they were before dots were doubled."""
        assert self.ask(command) == b"+OK \r\n"
        lines = []
        while (line := self.line()) != b".\r\n":
            assert line.endswith(b"\n")
            lines.append(line.removeprefix(b"."))
        return lines

    def end(self):
        self.child.communicate()
        return self.child.returncode


@pytest.fixture
def talk(single):
    started = []

    def start(*words):
        started.append(Dialogue(single, *words))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_the_figures_agree_with_what_is_sent(talk, filled):
    """A message is its file: with LF for each CR LF, and without the empty line that is added; a last line always ends."""
    client = talk(filled)
    sizes = [int(line.split()[1]) for line in client.ask_long(b"LIST")]
    names = [line.split()[1] for line in client.ask_long(b"UIDL")]
    assert client.ask(b"STAT") == b"+OK %d %d\r\n" % (len(CONTENTS), sum(sizes))
    assert names == [b"%d.M1P2.host" % number for number in range(len(CONTENTS))]
    for number, content in enumerate(CONTENTS, 1):
        assert client.ask(b"LIST %d" % number) == b"+OK %d %d\r\n" % (number, len(content))
        assert client.ask(b"UIDL %d" % number) == b"+OK %d %s\r\n" % (number, names[number - 1])
        sent = client.ask_long(b"RETR %d" % number)
        assert sent[-1] == b"\r\n"
        whole = b"".join(line.removesuffix(b"\r\n") + b"\n" for line in sent[:-1])
        assert whole == content + (b"\n" if content and not content.endswith(b"\n") else b"")
        assert b"".join(client.ask_long(b"TOP %d 9" % number)) == b"".join(sent)
    assert client.ask(b"DELE 1") == client.ask(b"DELE 6") == b"+OK \r\n"
    assert client.ask(b"LAST") == b"+OK 6\r\n"
    assert client.ask(b"STAT") == b"+OK 6 %d\r\n" % (sum(sizes) - sizes[0] - sizes[5])
    assert len(client.ask_long(b"LIST")) == 4
    assert client.ask(b"QUIT") == b"+OK \r\n"
    assert client.end() == 0
    assert sorted(os.listdir(filled / "cur")) == ["1.M1P2.host:2,S", "2.M1P2.host:2,", "3.M1P2.host:2,S", "4.M1P2.host:2,"]
    assert os.listdir(filled / "new") == []


def test_what_somebody_else_removes_is_an_error_for_that_message_only(talk, filled):
    client = talk(filled)
    for name in ("new/0.M1P2.host", "cur/1.M1P2.host:2,S"):
        (filled / name).unlink()
    assert client.ask(b"RETR 1") == client.ask(b"TOP 1 0") == b"-ERR unable to open that message\r\n"
    assert client.ask_long(b"RETR 4") == [b"\r\n", b"\r\n"]
    for number in (2, 4):
        assert client.ask(b"DELE %d" % number) == b"+OK \r\n"
    assert client.ask(b"QUIT") == b"-ERR unable to unlink all deleted messages\r\n"
    assert client.line() == b"+OK \r\n"
    assert client.end() == 0
    assert sorted(os.listdir(filled / "cur")) == ["2.M1P2.host:2,", "4.M1P2.host:2,", "5.M1P2.host:2,S"]


def test_a_message_goes_on_while_it_is_removed(talk, folder):
    path = maildirs.put(folder, b"x" * 10_000_000 + b"\n", "big")
    client = talk(folder)
    assert client.ask(b"RETR 1") == b"+OK \r\n"
    path.unlink()
    assert len(client.line()) == 10_000_002
    assert (client.line(), client.line()) == (b"\r\n", b".\r\n")


def test_what_is_no_file_is_an_error_for_that_message_only(folder):
    os.mkdir(folder / "new/folder")
    os.mkfifo(folder / "new/pipe")
    for name in ("folder", "pipe"):
        os.utime(folder / "new" / name, (1000, 1000))
    maildirs.put(folder, b"x\n", "file")
    found = Maildir(os.fsencode(folder))
    assert found.names == [b"new/folder", b"new/pipe", b"new/file"]
    before = os.listdir("/proc/self/fd")
    assert [found.blocks(0), found.blocks(1)] == [None, None]
    assert os.listdir("/proc/self/fd") == before
    assert list(found.blocks(2)) == [b"x\n"]
    assert [found.remove(0), found.remove(1), found.remove(2)] == [False, True, True]


def test_what_comes_in_this_very_second_is_for_the_next_session(folder):
    """So the order of messages never changes."""
    maildirs.put(folder, b"x\n", "later", age=-5)
    assert Maildir(os.fsencode(folder)).names == []


def test_what_deliveries_have_left_behind_is_removed_though_something_cannot_be(folder):
    for name, age in (("old", 130000), ("older", 999999), ("young", 100), (".hidden", 999999)):
        maildirs.put(folder, b"x\n", name, "tmp", age)
    (folder / "tmp/dangling").symlink_to("nowhere")
    (folder / "tmp/folder").mkdir()
    os.utime(folder / "tmp/folder", (1000, 1000))
    Maildir(os.fsencode(folder))
    assert sorted(os.listdir(folder / "tmp")) == [".hidden", "dangling", "folder", "young"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as root")
@pytest.mark.parametrize("ids", [(0, 0), (maildirs.READER, 0), (0, maildirs.READER)])
def test_it_never_runs_as_root(single, filled, ids):
    done = subprocess.run([single.program("qmail-pop3d"), str(filled)], input=b"QUIT\r\n", capture_output=True, preexec_fn=lambda: os.setresuid(*ids, 0))
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"qmail-pop3d invoked as uid 0, terminating\n")


@pytest.mark.parametrize(("words", "answer"), [((), "this user has no $HOME/Maildir"), (("nowhere",), "this user has no $HOME/Maildir"), (("/",), "unable to scan $HOME/Maildir")])
def test_no_maildir(talk, words, answer):
    client = talk(*words)
    assert client.greeting == f"-ERR {answer}\r\n".encode()
    assert client.end() == 0


def test_five_thousand_messages_open_in_a_small_multiple_of_the_time_to_list_them(folder):
    for number in range(5000):
        maildirs.put(folder, b"x\n", f"{number}.M1P2.host:2,S", "cur")

    def seconds(work):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
        return min(times)

    def listing():
        for part in ("new", "cur"):
            with os.scandir(folder / part) as entries:
                sorted((entry.name, entry.stat().st_size) for entry in entries)

    assert len(Maildir(os.fsencode(folder)).names) == 5000
    assert seconds(lambda: Maildir(os.fsencode(folder))) < 5 * seconds(listing)


def test_a_large_message_needs_little_memory(talk, folder):
    path = maildirs.put(folder, b"", "big")
    os.truncate(path, 200_000_000)
    os.utime(path, (1000, 1000))
    client = talk(folder)
    assert client.ask(b"LIST 1") == b"+OK 1 200000000\r\n"
    for command in (b"RETR 1", b"TOP 1 1"):
        assert client.ask(command) == b"+OK \r\n"
        left = 200_000_000
        while left:
            left -= len(client.child.stdout.read(min(left, 1 << 20)))
        assert (client.line(), client.line(), client.line()) == (b"\r\n", b"\r\n", b".\r\n")
    assert peak_memory(client.child) < 40000  # KiB


def test_a_command_without_end_needs_no_memory(talk, folder):
    client = talk(folder)
    feed(client.child.stdin, b"x" * 100_000_000)
    assert client.ask(b"") == b"-ERR line too long\r\n"
    assert client.ask(b"STAT " + b"9" * 4000) == b"+OK 0 0\r\n"
    assert client.ask(b"RETR " + b"9" * 4000) == b"-ERR not that many messages\r\n"
    assert peak_memory(client.child) < 40000  # KiB


@pytest.fixture
def pipes():
    """Four ends: our source, the client's end of it, what the client reads, our target."""
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for end in ends:
        os.close(end)


def test_a_silent_client(folder, pipes):
    source, _, listen, target = pipes
    with pytest.raises(TimedOut):
        serve(str(folder), Connection(source, target, 0.05))
    assert os.read(listen, 100) == b"+OK \r\n"


def test_a_command_that_drips_is_cut_off(folder, pipes):
    source, client, _, target = pipes
    over = threading.Event()

    def drip():
        while not over.wait(0.02):
            os.write(client, b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(TimedOut):
        serve(str(folder), Connection(source, target, 0.2))
    assert time.monotonic() < begin + 10
    over.set()
    thread.join()


def test_a_client_that_does_not_read(folder, pipes):
    maildirs.put(folder, b"x" * 300000, "big")
    source, client, _, target = pipes
    os.write(client, b"RETR 1\r\n")
    with pytest.raises(TimedOut):
        serve(str(folder), Connection(source, target, 0.05))


def test_a_client_that_goes_removes_nothing(filled):
    (source, client), (listen, target) = os.pipe(), os.pipe()
    os.write(client, b"DELE 1\r\n")
    os.close(client)
    with pytest.raises(Gone):
        serve(str(filled), Connection(source, target, 5))
    assert len(os.listdir(filled / "new")) == 3
    for fd in (source, listen, target):
        os.close(fd)


def test_a_folder_that_cannot_be_read(folder):
    os.rmdir(folder / "cur")
    with pytest.raises(Temporary, match="unable to scan"):
        Maildir(os.fsencode(folder))
