"""Mail is moved first; only if that went well a reader is started."""

import errno
import os

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.local.mailer import read_with
from qmailpy.unix.fds import read_all
from qmailpy.unix.process import fork_working, pipe, wait


@pytest.fixture
def start(tmp_path):
    """Runs read_with in a process of its own, with scripts, if any, as maildir2mbox and as reader: (exit status, what was said)."""
    (tmp_path / "bin").mkdir()

    def script(name, text):
        path = tmp_path / "bin" / name
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text("#!/bin/sh\n" + text)
            path.chmod(0o755)

    def run(mover, reader):
        script("maildir2mbox", mover)
        script("reader", reader)
        env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "MAIL": "box"}

        def work():
            try:
                return read_with(Home(str(tmp_path)), "program", "reader", ["-x", ""], env)
            except Temporary as problem:
                os.write(1, problem.text.encode())
                return problem.code

        source, target = pipe()
        child = fork_working(work, {1: target, 2: target})
        os.close(target)
        said = read_all(source)
        os.close(source)
        return wait(child), said

    return run


def test_the_reader_takes_our_place(start):
    assert start("echo moved $# $MAIL", 'echo "$#:$1:$2" $MAIL; exit 7') == (7, b"moved 0 box\n2:-x: box\n")


@pytest.mark.parametrize("status", [1, 99, 100, 111])
def test_no_reader_if_mail_was_not_moved(start, status):
    assert start(f"echo no; exit {status}", "echo reader") == (status, b"no\n")


def test_what_can_go_wrong(start, tmp_path):
    assert start("kill -9 $$", "echo reader") == (111, b"maildir2mbox crashed")
    assert start("", None) == (111, b"unable to run reader: file does not exist")
    assert start(None, "echo reader") == (111, f"program: fatal: unable to run {tmp_path}/bin/maildir2mbox: file does not exist\n".encode())


def test_no_process_to_be_had(tmp_path, monkeypatch):
    def fork():
        raise OSError(errno.EAGAIN, "")

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(Temporary, match="unable to fork: temporary failure"):
        read_with(Home(str(tmp_path)), "program", "reader", [], {})
