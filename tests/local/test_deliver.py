"""A whole qmail-local run, in the process: what is found and obeyed."""

import os

import pytest

from qmailpy.exits import Permanent, Temporary
from qmailpy.home import Home
from qmailpy.local.deliver import Local
from qmailpy.local.delivery import Delivery

MESSAGE = b"From: a\nTo: b\n\nbody\n"


@pytest.fixture
def user(tmp_path, monkeypatch, capfd):
    """Runs a delivery for joe, whose home holds the given files; returns what it said on standard output."""
    place = tmp_path / "joe"
    place.mkdir(mode=0o755)
    os.chmod(place, 0o755)
    monkeypatch.chdir(place)
    (tmp_path / "message").write_bytes(MESSAGE)
    saved = os.dup(0)

    def run(dash=b"", extension=b"", *, dry=False, message=MESSAGE, sender=b"s@x", **files):
        for name, text in files.items():
            (place / ("." + name.replace("_", "-"))).write_text(text)
        (tmp_path / "message").write_bytes(message)
        fd = os.open(tmp_path / "message", os.O_RDONLY)
        os.dup2(fd, 0)
        os.close(fd)
        delivery = Delivery([b"joe", os.fsencode(place), b"joe" + dash + extension, dash, extension, b"h.example", sender, b"./Mailbox"], 0)
        Local(Home(str(tmp_path)), {"PATH": os.environ["PATH"]}, delivery, dry=dry).run()
        return capfd.readouterr().out

    run.place = place
    yield run
    os.dup2(saved, 0)
    os.close(saved)


def test_the_default_delivery(user):
    assert user() == "did 1+0+0\n"
    assert (user.place / "Mailbox").read_bytes().endswith(b"Return-Path: <s@x>\nDelivered-To: joe@h.example\n" + MESSAGE + b"\n")


def test_lines_in_order_and_each_program_reads_from_the_start(user):
    assert user(qmail="|cat > one\n|cat > two\n./Mailbox\n") == "did 1+0+2\n"
    assert (user.place / "one").read_bytes() == (user.place / "two").read_bytes() == MESSAGE


def test_99_ends_the_file(user):
    assert user(qmail="|exit 99\n./Mailbox\n") == "did 0+0+1\n"
    assert not (user.place / "Mailbox").exists()


def test_a_dry_run_does_nothing(user):
    assert user(qmail="./Mailbox\n./Maildir/\n|cmd\n&a@b\n", dry=True) == "mbox ./Mailbox\nmaildir ./Maildir/\nprogram cmd\nforward a@b\ndid 2+1+1\n"
    assert not (user.place / "Mailbox").exists()


def test_extensions(user):
    assert user(b"-", b"List-x", qmail_list_default="|echo $DEFAULT $EXT > said\n") == "did 0+0+1\n"
    assert (user.place / "said").read_text() == "x List-x\n"
    with pytest.raises(Permanent, match="no mailbox here"):
        user(b"-", b"other")


def test_loops(user):
    with pytest.raises(Permanent, match="looping"):
        user(message=b"X: y\nDelivered-To: joe@h.example\n\n")
    for fine in (b"X: y\n\nDelivered-To: joe@h.example\n", b"Delivered-To: JOE@h.example\n\n", b"XDelivered-To: joe@h.example\n\n",
                 b"Delivered-To: joe@h.example" + b"x" * 200000 + b"\n\n"):
        user(message=fine)


def test_a_loop_is_seen_across_blocks(user):
    with pytest.raises(Permanent, match="looping"):
        user(message=b"X: " + b"y" * 65520 + b"\nDelivered-To: joe@h.example\n\n")


@pytest.mark.parametrize(("mode", "words"), [(0o757, "home directory is writable"), (0o1755, "is sticky")])
def test_homes_that_hold_mail(user, mode, words):
    os.chmod(user.place, mode)
    with pytest.raises(Temporary, match=words):
        user()


def test_a_writable_file_holds_mail(user):
    (user.place / ".qmail").write_text("./Mailbox\n")
    os.chmod(user.place / ".qmail", 0o646)
    with pytest.raises(Temporary, match="file is writable"):
        user()


@pytest.mark.parametrize(("files", "sender"), [
    ({}, b"s@x"), ({"qmail_l_owner": ""}, b"joe-l-owner@h.example"), ({"qmail_l_owner": "", "qmail_l_owner_default": ""}, b"joe-l-owner-@h.example-@[]"),
    ({"qmail_l_owner_default": ""}, b"s@x"),
])
def test_the_owner_of_a_list_becomes_the_sender(user, files, sender):
    user(b"-", b"l", qmail_l='|printf %s "$NEWSENDER" > said\n', **files)
    assert (user.place / "said").read_bytes() == sender
