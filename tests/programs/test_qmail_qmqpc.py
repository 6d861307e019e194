"""qmail-qmqpc as a process, towards small QMQP servers."""

import os
import socket
import subprocess
import threading

import pytest

from qmailpy.programs import qmail_qmqpc
from qmailpy.programs.qmail_qmqpc import Failed, addresses, reach
from qmailpy.text.netstring import encoded
from tests.checkout import LittleHome, feed, peak_memory
from tests.netstrings import Server, joined

MESSAGE, ENVELOPE = b"Subject: x\n\nbody\n", b"Fs@x\0Ta@y\0Tb@z\0\0"


def server(answer=encoded(b"Kok"), host="127.0.0.1"):
    return Server(1, answer, host)


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.fixture
def closed():
    """A row of qmqpservers where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"127.0.0.1:{port}\n"


def envelope_on(data):
    """A descriptor to be read as descriptor 1."""
    read, write = os.pipe()

    def give():
        with open(write, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=give, daemon=True).start()
    return read


def queue(home, envelope=ENVELOPE, message=MESSAGE):
    """Run it as qmail-queue is run; its exit code."""
    fd = envelope_on(envelope)
    try:
        return subprocess.run(home.command("qmail-qmqpc"), input=message, stdout=fd, env=home.environment({}), stderr=subprocess.PIPE, timeout=60, check=False)
    finally:
        os.close(fd)


def code(home, **how):
    done = queue(home, **how)
    assert done.stderr == b""
    return done.returncode


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_message_goes_out(home, host):
    try:
        taker = server(host=host)
    except OSError:
        pytest.skip("no IPv6 here")
    with taker:
        home.control(qmqpservers=f"# ours\n\n{taker.place}\n")
        assert code(home) == 0
    assert taker.got == [[joined(MESSAGE, b"s@x", b"a@y", b"b@z")]]


@pytest.mark.parametrize(("answer", "expected"), [
    (encoded(b"Kok 1 qp 2"), 0), (encoded(b"Zlater"), 71), (encoded(b"Dno"), 31), (b"", 74), (None, 74), (b"4:what", 74), (b"x" * 100000, 74),
])
def test_answers(home, answer, expected):
    with server(answer) as taker:
        home.control(qmqpservers=taker.place)
        assert code(home) == expected


def test_servers_are_tried_in_turn_until_one_is_connected_to(home, closed):
    with server() as first, server() as second:
        home.control(qmqpservers=f"name.example\n{closed}127.0.0.1:99999\n[::ffff:x]\n{first.place}\n{second.place}\n")
        assert code(home) == 0
    assert (len(first.got), second.got) == (1, [])


def test_once_connected_there_is_no_other(home):
    """The first may have queued the message, whatever it says or does not say."""
    with server(None) as first, server() as second:
        home.control(qmqpservers=f"{first.place}\n{second.place}\n")
        assert code(home) == 74
    assert second.got == []


def test_no_server(home, closed):
    home.control(qmqpservers=closed)
    assert code(home) == 73


@pytest.mark.parametrize("rows", [None, "", "name.example\n", "# 127.0.0.1\n"])
def test_no_servers_named(home, rows):
    if rows is not None:
        home.control(qmqpservers=rows)
    assert code(home) == 55


def test_a_server_that_takes_no_connection(monkeypatch):
    """With a full backlog a connection is neither accepted nor refused."""
    monkeypatch.setattr(qmail_qmqpc, "CONNECT", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(Failed) as failed:
            reach([("127.0.0.1", port)])
        for one in waiting:
            one.close()
    assert failed.value.code == 72


@pytest.mark.parametrize(("envelope", "expected"), [
    (b"", 91), (b"Fs\0", 91), (b"Fs\0Ta\0", 91), (b"Ta\0\0", 91), (b"Fs\0Ta\0Fs\0\0", 91), (b"\0\0", 91), (b"Fs\0T" + b"x" * 1003 + b"\0\0", 11), (b"F" + b"x" * 5000, 11),
])
def test_envelopes_that_are_none_are_not_sent(home, envelope, expected):
    with server() as taker:
        home.control(qmqpservers=taker.place)
        assert code(home, envelope=envelope) == expected
    assert taker.got == []


def test_what_follows_the_envelope_is_ignored(home):
    with server() as taker:
        home.control(qmqpservers=taker.place)
        assert code(home, envelope=b"F\0T" + b"x" * 1002 + b"\0\0" + bytes(4096)) == 0
    assert taker.got == [[joined(MESSAGE, b"", b"x" * 1002)]]


@pytest.mark.parametrize("which", ["stdin", "stdout"])
def test_descriptors_that_cannot_be_read(home, which):
    home.control(qmqpservers="127.0.0.1\n")
    read, write = os.pipe()
    fds = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, which: write}
    assert subprocess.run(home.command("qmail-qmqpc"), env=home.environment({}), timeout=60, check=False, **fds).returncode == 54
    os.close(read)
    os.close(write)


def test_a_home_that_has_gone(home):
    (home.path / "lib/home.conf").write_text("home /no/such/home\nkind single\n")
    assert code(home) == 61


def test_many_recipients_and_a_large_message_need_little_memory(home):
    with server() as taker:
        home.control(qmqpservers=taker.place)
        recipients = 200000
        fd = envelope_on(b"Fs@x\0" + (b"T" + b"r" * 200 + b"\0") * recipients + b"\0")
        child = subprocess.Popen(home.command("qmail-qmqpc"), env=home.environment({}), stdin=subprocess.PIPE, stdout=fd, bufsize=0)
        size, block = 100_000_000, b"x" * 1_000_000
        for _ in range(size // len(block)):
            feed(child.stdin, block)
        stop = threading.Event()
        peaks = []

        def watch():
            while not stop.wait(0.01):
                try:
                    peaks.append(peak_memory(child))
                except (OSError, StopIteration):
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        child.stdin.close()
        assert child.wait(60) == 0
        stop.set()
        watcher.join()
        os.close(fd)
    assert taker.got == [[len(joined(b"s@x")) + len(b"100000000:,") + size + recipients * len(encoded(b"r" * 200))]]
    assert max(peaks) < 40000  # KiB


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_an_envelope_in_pieces(step):
    blocks = (ENVELOPE[at:at + step] for at in range(0, len(ENVELOPE), step))
    assert b"".join(addresses(blocks)) == joined(b"s@x", b"a@y", b"b@z")


def test_an_address_without_end_is_not_gathered():
    given = []

    def endless():
        while True:
            given.append(1)
            yield b"F" + b"x" * 1000

    with pytest.raises(Failed) as failed:
        list(addresses(endless()))
    assert (failed.value.code, len(given)) == (11, 2)
