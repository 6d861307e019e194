"""Too much of everything, at every door: it is taken, or refused in a word, and memory stays what it was."""

import subprocess

import pytest

from qmailpy.text.netstring import encoded
from tests.checkout import LittleHome, feed, peak_memory
from tests.home import PATIENCE

BLOCK = 65536
MUCH = 20 << 20  # bytes: more than any limit
BEGUN = 1 << 20  # bytes that a program has taken when it has loaded what it needs
GROWTH = 6 << 10  # KiB that a program may grow while it is sent that much
MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\n"


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(rcpthosts="ours.example\n")
    return found


def fed(child, before, block, size):
    """Send a program so many bytes; the memory that it had taken soon after the beginning."""
    feed(child.stdin, before)
    for _ in range(BEGUN // len(block)):
        feed(child.stdin, block)
    first = peak_memory(child)
    for _ in range((size - BEGUN) // len(block)):
        feed(child.stdin, block)
    return first


FLOODS = {
    "a command without end": (b"", b"x" * BLOCK, b"\r\nNOOP\r\n"), "a name in HELO without end": (b"HELO ", b"x" * BLOCK, b"\r\nNOOP\r\n"),
    "a sender without end": (b"MAIL FROM:<", b"x" * BLOCK, b">\r\nNOOP\r\n"), "a user of AUTH without end": (b"AUTH PLAIN ", b"x" * BLOCK, b"\r\nNOOP\r\n"),
    "NULs": (b"", bytes(BLOCK), b"\r\nNOOP\r\n"), "commands without end": (b"", b"RSET\r\n" * (BLOCK // 6), b"NOOP\r\n"), "errors without end": (b"", b"WHAT\r\n" * (BLOCK // 6), b"NOOP\r\n"),
    "recipients without end": (b"MAIL FROM:<>\r\n", b"RCPT TO:<c@ours.example>\r\n" * 2000, b"NOOP\r\n"),
    "recipients that are refused, without end": (b"MAIL FROM:<>\r\n", b"RCPT TO:<c@far.example>\r\n" * 2000, b"NOOP\r\n"),
    "a field without end": (MAIL + b"DATA\r\nSubject: ", b"x" * BLOCK, b"\r\n\r\n.\r\nNOOP\r\n"), "a header without end": (MAIL + b"DATA\r\n", b"X-Field: x\r\n" * 4000, b"\r\n.\r\nNOOP\r\n"),
    "a field of lines without end": (MAIL + b"DATA\r\nTo: x\r\n", b" x@y,\r\n" * 8000, b"\r\n.\r\nNOOP\r\n"), "dots": (MAIL + b"DATA\r\n", b"..\r\n" * 16000, b".\r\nNOOP\r\n"),
    "CRs": (MAIL + b"DATA\r\n", b"\r" * BLOCK, b"\r\n.\r\nNOOP\r\n"), "empty lines": (MAIL + b"DATA\r\n", b"\r\n" * 30000, b".\r\nNOOP\r\n"),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_over_smtp(home, flood):
    before, block, behind = flood
    child = home.start("qmail-smtpd")
    reader = subprocess.Popen(["tail", "-c", "200"], stdin=child.stdout, stdout=subprocess.PIPE)
    child.stdout.close()
    try:
        first = fed(child, before, block, MUCH)
        feed(child.stdin, behind)
        grown = peak_memory(child) - first
        child.stdin.close()
    except BrokenPipeError:  # it had enough
        grown = 0
    said = reader.communicate()[0]
    assert grown < GROWTH
    assert said.endswith((b"\r\n250 ok\r\n", b" session (#4.7.0)\r\n")), said
    assert child.wait(PATIENCE) == 1
    child.stderr.close()


@pytest.mark.parametrize(("before", "block"), [
    (b"", b"9" * BLOCK), (b"200000000:", b"x" * BLOCK), (encoded(b"\nSubject: x\n\nbody\n") + b"200000000:", b"x" * BLOCK),
    (encoded(b"\nSubject: x\n\nbody\n") + encoded(b"a@b.example") + b"200000000:", encoded(b"x" * 900) * 60), (encoded(b"\nSubject: x\n\nbody\n") + encoded(b"a@b.example") + b"200000000:", b"0:," * 20000),
], ids=["a length", "a message", "a sender", "recipients", "empty recipients"])
@pytest.mark.parametrize("program", ["qmail-qmtpd", "qmail-qmqpd"])
def test_a_flood_over_qmtp_and_qmqp(home, program, before, block):
    child = home.start(program)
    try:
        grown = -fed(child, (b"200000000:" if program == "qmail-qmqpd" and before else b"") + before, block, MUCH // 5) + peak_memory(child)
        child.stdin.close()
    except BrokenPipeError:
        grown = 0
    assert grown < GROWTH and child.wait(PATIENCE) in (0, 100, 111)
    assert child.stdout.read() == b""
    child.stdout.close()
    child.stderr.close()


@pytest.mark.parametrize(("head", "block", "status"), [
    (b"Subject: ", b"x" * BLOCK, 100), (b"", (b"X-Field: " + b"x" * 500 + b"\n") * 120, 100), (b"To: a@b", b",\n x@y" * 10000, 100), (b"Subject: x\n\n", b"body\n" * 13000, 0),
], ids=["a field", "fields", "recipients", "a body"])
def test_a_flood_of_ones_own(home, head, block, status):
    """qmail-inject holds a header, and no more of it than its limit."""
    child = home.start("qmail-inject", "x@y.example")
    try:
        feed(child.stdin, head)
        for _ in range(MUCH // len(block)):
            feed(child.stdin, block)
        child.stdin.close()
    except BrokenPipeError:
        child.stdin.close()
    said = child.stderr.read()
    assert child.wait(PATIENCE) == status and (b"header is longer than 16777216 bytes" in said) == bool(status)
    child.stdout.close()
    child.stderr.close()


@pytest.mark.parametrize("records", [b"F" + b"x" * BLOCK * 4, b"Fa\0T" + b"x" * BLOCK * 4, b"Fa\0" + b"Tx\0" * 50000, b"F" * BLOCK, b"\0" * BLOCK, b"T\0" * BLOCK])
def test_a_flood_in_an_envelope(single, records):
    """Without its end an envelope is none, however long it is."""
    envelope = single.path / "envelope"
    envelope.write_bytes(records)
    with envelope.open("rb") as addresses:
        done = subprocess.run([single.program("qmail-queue")], input=b"Subject: x\n\n", stdout=addresses, env=single.env, timeout=PATIENCE)
    envelope.unlink()
    assert done.returncode in (11, 54, 91) and single.queue_files() == []


@pytest.mark.parametrize(("program", "words"), [
    ("qmail-inject", ["x" * 100000 + "@y"]), ("qmail-inject", ["-f", "x" * 100000 + "@y", "a@b"]), ("sendmail", ["-F", "x" * 100000, "a@b"]), ("qmail-remote", ["x" * 100000, "a@b", "c@d"]),
    ("qmail-remote", ["h.example", "x" * 100000, "c@d"]), ("qmail-local", ["joe", "/", "x" * 100000, "-", "x" * 100000, "h", "s", "./Mailbox"]), ("qmail-getpw", ["x" * 100000]),
    ("maildirmake", ["x" * 100000]), ("dnsip", ["x" * 100000]), ("qmail-popup", ["x" * 100000, "/bin/true"]), ("qmail-smtpd", ["x" * 100000]), ("predate", ["x" * 100000]), ("forward", ["x" * 100000]),
])
def test_long_arguments(home, program, words):
    home.link("qmail-inject")
    home.control(smtproutes=":[127.0.0.1]:1\n")
    done = home.run(program, *words, stdin=b"Subject: x\n\n", DNSCACHEIP="127.0.0.1:9", HOST="h", NEWSENDER="s", DTLINE="d\n", SENDER="s", RPLINE="r\n", UFLINE="u\n", LOCAL="l")
    assert done.returncode in (0, 1, 100, 111)
    assert b"Traceback" not in done.stderr and b"internal error" not in done.stdout + done.stderr


def test_many_recipients_and_long_ones_are_bounced_in_a_message_of_limited_size(single):
    """A bounce names recipients, and copies no more than bouncemaxbytes of what it answers."""
    folder = single.path / "alias"
    single.run("maildirmake", str(folder / "Maildir"))
    (folder / ".qmail-joe").write_text("./Maildir/\n")
    single.start()
    single.run("qmail-inject", "-f", "joe@test.example", *[f"{number}{'x' * 200}@test.example" for number in range(50)], input=b"Subject: x\n\n" + b"body\n" * 200000)
    single.log.wait("end msg", count=2)
    [path] = (folder / "Maildir/new").iterdir()
    assert 50000 < path.stat().st_size < 100000
    assert path.read_bytes().count(b"Sorry, no mailbox here by that name") == 50
