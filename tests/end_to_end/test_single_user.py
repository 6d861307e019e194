"""A whole single-user home with real processes: mail in by every door, out by every way."""

import os
import smtplib
import socket

import pytest

from tests.home import PATIENCE, messages

MAIL = b"From: a@sender.example\r\nTo: joe@test.example\r\nSubject: through\r\n\r\nbody\r\n.dot\r\n\xff\r\n"


@pytest.fixture
def joe(single):
    """The folder of the home's one user, where .qmail-joe and .qmail-joe-EXT say where mail for joe goes: his Maildir."""
    folder = single.path / "alias"
    single.run("maildirmake", str(folder / "Maildir"))
    (folder / ".qmail-joe").write_text("./Maildir/\n")
    return folder


@pytest.fixture
def running(single, joe):
    single.start()
    return single


def test_smtp_to_a_maildir(running, joe):
    with smtplib.SMTP("127.0.0.1", running.listen()) as client:
        client.ehlo("client.example")
        assert {"pipelining", "8bitmime"} <= set(client.esmtp_features)
        client.sendmail("a@sender.example", ["joe@test.example"], MAIL)
    running.wait_empty()
    [message] = messages(joe / "Maildir")
    head, _, rest = message.partition(b"\nFrom: ")
    assert head.startswith(b"Return-Path: <a@sender.example>\nDelivered-To: joe@test.example\nReceived: (qmail ")
    assert b"\nReceived: from unknown (HELO client.example) (127.0.0.1)\n  by 0 with SMTP; " in head
    assert b"From: " + rest == MAIL.replace(b"\r\n", b"\n")


def test_a_raw_socket_that_pipelines_and_is_cut_into_bytes(running, joe):
    dialogue = (b"HELO raw\r\nMAIL FROM:<>\r\nRCPT TO:<joe@test.example>\r\nRCPT TO:<joe@elsewhere.example>\r\nDATA\r\n"
                b"Subject: raw\r\n\r\n..dots\r\n.\r\nQUIT\r\n")
    with socket.create_connection(("127.0.0.1", running.listen()), PATIENCE) as client:
        for at in range(len(dialogue)):
            client.sendall(dialogue[at:at + 1])
        heard = b"".join(iter(lambda: client.recv(4096), b""))
    codes = [line[:3] for line in heard.split(b"\r\n") if line]
    assert codes == [b"220", b"250", b"250", b"250", b"553", b"354", b"250", b"221"]
    running.wait_empty()
    [message] = messages(joe / "Maildir")
    assert message.startswith(b"Return-Path: <>\n")
    assert message.endswith(b"Subject: raw\n\n.dots\n")


def test_inject_and_sendmail(running, joe):
    running.run("qmail-inject", input=b"To: joe@test.example\nSubject: one\n\n1\n", env={"QMAILUSER": "me", "QMAILHOST": "test.example"})
    running.run("sendmail", "-t", input=b"To: joe@test.example\nSubject: two\n\n2\n")
    running.run("sendmail", "-i", "-fa@b.example", "joe@test.example", input=b"Subject: three\n\n.\n3\n")
    running.log.wait("end msg", count=3)
    found = {message.split(b"Subject: ")[1][:3] + message[-2:-1] for message in messages(joe / "Maildir")}
    assert found == {b"one1", b"two2", b"thr3"}


def test_mbox_program_and_forward(running, joe):
    (joe / ".qmail-joe-box").write_text("./Mailbox\n")
    (joe / ".qmail-joe-program").write_text("|cat > program.out; echo \"$SENDER to $RECIPIENT ext $EXT\" >> program.out\n")
    (joe / ".qmail-joe-forward").write_text("&joe-box@test.example\njoe@test.example\n")
    for name in ("box", "program", "forward"):
        running.run("qmail-inject", "-f", "s@x.example", f"joe-{name}@test.example", input=b"Subject: " + name.encode() + b"\n\nFrom here\n")
    running.log.wait("end msg", count=4)
    running.wait_empty()
    box = (joe / "Mailbox").read_bytes()
    assert box.startswith(b"From s@x.example ")
    assert box.count(b"\nSubject: box\n") == box.count(b"\nSubject: forward\n") == 1
    assert box.count(b"\n>From here\n\n") == 2
    assert (joe / "program.out").read_text().endswith("From here\ns@x.example to joe-program@test.example ext joe-program\n")
    assert b"\nSubject: forward\n" in messages(joe / "Maildir")[0]


def test_an_unknown_user_bounces_to_the_sender(running, joe):
    running.run("qmail-inject", "-f", "joe@test.example", "joe-nobody@test.example", input=b"Subject: lost\n\nbody\n")
    running.log.wait("bounce msg")
    running.wait_empty()
    [bounce] = messages(joe / "Maildir")
    assert bounce.startswith(b"Return-Path: <>\n")
    assert b"Hi. This is the qmail-send program at mx.test.example.\n" in bounce
    assert b"\n<joe-nobody@test.example>:\n" in bounce
    assert b"\n--- Below this line is a copy of the message.\n\nReturn-Path: <joe@test.example>\n" in bounce
    assert bounce.endswith(b"Subject: lost\n\nbody\n") or b"Subject: lost\n" in bounce


def test_deferred_then_delivered(running, joe):
    (joe / ".qmail-joe-later").write_text("|test -e ready || exit 111\n./Maildir/\n")
    running.run("qmail-inject", "joe-later@test.example", input=b"Subject: later\n\n")
    running.log.wait("delivery 1: deferral: ")
    (joe / "ready").write_text("")
    running.daemon.send_signal(14)  # ALRM: retry everything now
    running.log.wait("delivery 2: success: ")
    running.wait_empty()
    assert len(messages(joe / "Maildir")) == 1


def test_mail_waits_while_a_program_is_missing(running, joe):
    """A missing qmail-local or qmail-remote defers; it never bounces mail."""
    for name, address in (("qmail-local", "joe@test.example"), ("qmail-remote", "x@[127.0.0.1]")):
        place = running.path / "bin" / name
        place.rename(f"{place}.away")
        try:
            running.run("qmail-inject", address, input=b"Subject: wait\n\n")
            running.log.wait(f"starting delivery .* to (local|remote) {address.replace('[', '.').replace(']', '.')}")
            running.log.wait("deferral: ", count=1 if name == "qmail-local" else 2)
        finally:
            os.rename(f"{place}.away", place)
    assert "failure:" not in running.log.text()
    running.daemon.send_signal(14)
    running.log.wait("success: ")
    assert len(messages(joe / "Maildir")) == 1


def test_signals(running, joe):
    """HUP rereads locals and virtualdomains, TERM finishes and exits 0."""
    running.run("qmail-inject", "joe@other.example", input=b"\n", env={})
    running.log.wait("starting delivery .* to remote joe@other.example")
    running.control(locals="test.example\nother.example\n")
    running.daemon.send_signal(1)
    for _ in range(2):  # the first message may have been preprocessed before the signal was seen
        running.run("qmail-inject", "joe@other.example", input=b"\n")
    running.log.wait("starting delivery .* to local joe@other.example")
    daemon = running.daemon
    running.stop()
    assert daemon.returncode == 0
    assert "status: exiting" in running.log.text()
