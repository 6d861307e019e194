"""The programs for .qmail files where they belong: in lines of .qmail files, run by qmail-local."""

import pytest

from tests.home import messages, wait_for

TEXT = b"Subject: through\n\nbody\n"


@pytest.fixture
def joe(single):
    """The folder of the home's one user; the queue's daemons run."""
    folder = single.path / "alias"
    single.run("maildirmake", str(folder / "Maildir"))
    (folder / ".qmail-joe").write_text("./Maildir/\n")
    single.start()
    return folder


def send(home, folder, lines, text=TEXT):
    """Send a message to joe-list, whose .qmail file has these lines, and wait until it and what comes of it have gone."""
    (folder / ".qmail-joe-list").write_text(lines)
    home.run("qmail-inject", "-f", "joe@test.example", "joe-list@test.example", input=text)
    home.log.wait("starting delivery 1: ")
    wait_for(lambda: not home.queue_files(), home.log.text)


def test_forward(single, joe):
    send(single, joe, '|forward "${EXT%-list}@test.example"\n')
    [message] = messages(joe / "Maildir")
    assert message.startswith(b"Return-Path: <joe@test.example>\nDelivered-To: joe@test.example\nReceived: ")
    assert b"\nDelivered-To: joe-list@test.example\n" in message
    assert message.endswith(b"Subject: through\n\nbody\n")
    assert "success: forward:_qp_" in single.log.text()


@pytest.mark.parametrize(("word", "goes"), [("body", True), ("nothing", False)])
def test_condredirect(single, joe, word, goes):
    send(single, joe, f"|condredirect joe@test.example grep -q {word}\n./Mailbox\n")
    assert len(messages(joe / "Maildir")) == goes
    assert (joe / "Mailbox").exists() != goes


@pytest.mark.parametrize(("lines", "bounces"), [
    ("|bouncesaying 'not today' grep -q body\n./Mailbox\n", True), ("|bouncesaying 'not today' grep -q nothing\n./Mailbox\n", False),
    ("|bouncesaying 'not today'\n", True),
])
def test_bouncesaying(single, joe, lines, bounces):
    send(single, joe, lines)
    found = messages(joe / "Maildir")
    assert [b"\n<joe-list@test.example>:\nnot today\n" in message for message in found] == [True] * bounces
    assert (joe / "Mailbox").exists() != bounces


def test_except(single, joe):
    send(single, joe, "|bouncesaying 'no body' except grep -q body\n./Mailbox\n")
    assert (joe / "Mailbox").read_bytes().endswith(b"\nbody\n\n")


def test_preline(single, joe):
    send(single, joe, "|preline sh -c 'cat > out'\n|preline -f sh -c 'cat > short'\n")
    [ufline, rest] = (joe / "out").read_bytes().split(b"\n", 1)
    assert ufline.startswith(b"From joe@test.example ")
    assert rest.startswith(b"Return-Path: <joe@test.example>\nDelivered-To: joe-list@test.example\nReceived: ")
    assert (joe / "short").read_bytes() == rest


def test_qreceipt(single, joe):
    send(single, joe, "./Mailbox\n|qreceipt joe-list@test.example\n", b"Notice-Requested-Upon-Delivery-To: joe-list@test.example\n" + TEXT)
    assert (joe / "Mailbox").exists()
    [answer] = messages(joe / "Maildir")
    assert answer.startswith(b"Return-Path: <>\n")
    assert b"\nSubject: success notice\n\nHi! This is the qreceipt program. Your message was delivered to the\nfollowing address: joe-list@test.example." in answer


def test_qbiff_and_qsmhook(single, joe):
    send(single, joe, "|qbiff\n|qsmhook -l -x joe- sh -c 'cat > out; echo \"$@\" >> out' sh %u %h %g\n./Mailbox\n")
    said = (joe / "out").read_bytes()
    assert said.startswith(b"From joe@test.example ") and said.split(b"\n")[1] == b"Delivered-To: joe-list@test.example"
    assert said.endswith(b"\nbody\nlist test.example joe@test.example\n")
    assert (joe / "Mailbox").exists()


def test_mail_of_people(single, joe):
    """mailsubj and datemail, as installed: the launcher hides TZ from the interpreter, not from us."""
    single.run("mailsubj", "one", "joe@test.example", input=b"1\n")
    single.run("datemail", "-t", input=b"To: joe@test.example\nSubject: two\n\n2\n", env={"TZ": "EET-2"})
    single.log.wait("end msg", count=2)
    found = {message[-2:-1]: message for message in messages(joe / "Maildir")}
    assert b"\nSubject: one\nTo: joe@test.example\n\n1\n" in found[b"1"]
    assert b" +0200\n" in found[b"2"] and b" +0200\n" not in found[b"1"]
