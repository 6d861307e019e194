"""elq: mail goes into the mbox, then elm reads it."""

import os

from tests.checkout import LittleHome

READER = '#!/bin/sh\nfor word; do echo "<$word>"; done\ncat "$MAIL"\n'


def test_mail_is_moved_and_the_reader_started(tmp_path):
    home = LittleHome(tmp_path)
    home.link("maildir2mbox")
    home.program("elm", READER)
    for folder in ("Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
        (tmp_path / folder).mkdir()
    message = tmp_path / "Maildir/new/1"
    message.write_bytes(b"Return-Path: <s@x.example>\nSubject: hello\n\nbody\n")
    os.utime(message, (0, 0))
    done = home.run("elq", "-f", "a  b", PATH=f"{tmp_path}/bin:/usr/bin:/bin", MAILDIR="Maildir", MAIL=f"{tmp_path}/Mailbox", MAILTMP=f"{tmp_path}/Mailbox.tmp")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (b"<-f>\n<a  b>\nFrom s@x.example Thu Jan 01 00:00:00 1970\n"
                           b"Return-Path: <s@x.example>\nSubject: hello\n\nbody\n\n")
    assert not message.exists()
