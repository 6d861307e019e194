"""What servers have in common."""

import os

import pytest

from qmailpy.bench.measure import Failed
from qmailpy.bench.servers import NOBODY, account, last_words, launch, make_maildir, output_of, until
from qmailpy.unix.process import wait

ENV = {"PATH": "/usr/bin:/bin"}


def test_a_program_is_heard_out():
    assert output_of(["sh", "-c", "pwd; echo also >&2"], ENV) == "/\nalso\n"
    with pytest.raises(Failed, match="exit 3: why"):
        output_of(["sh", "-c", "echo why; exit 3"], ENV)


def test_a_program_that_goes_on_writes_into_its_log(tmp_path):
    log = str(tmp_path / "log")
    for word in ("one", "two"):
        assert wait(launch(["sh", "-c", f"echo {word}; cat"], ENV, log)) == 0
    assert last_words(log) == "one; two"
    assert last_words(str(tmp_path / "none")) == "its log cannot be read: No such file or directory"


def test_waiting_ends():
    steps = iter([False, False, True])
    until(lambda: next(steps), "never")
    with pytest.raises(Failed, match="no mail within 0 seconds"):
        until(lambda: False, "no mail", 0.001, 0)


def test_a_server_settles_when_its_queue_is_empty(server, mail):
    for name in ("1", "2"):
        (mail.maildir / "new" / name).write_text("x")
    assert server.delivered() == 2
    (mail.maildir / "new").chmod(0o700)
    server.settle()
    assert server.delivered() == 0
    assert (mail.maildir / "new").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in mail.maildir.glob("old.*/*")) == ["1", "2"]
    assert (server.port, server.under("listener"), server.under("")) == (mail.port, "little, listener", "little")
    server.close()
    assert server.stops == 1
    server.ports = {}
    with pytest.raises(Failed, match="does not run"):
        assert server.port


def test_mail_is_never_delivered_as_root(tmp_path):
    uid, gid = account(str(tmp_path))
    assert (uid, gid) == ((NOBODY, NOBODY) if os.geteuid() == 0 else (os.geteuid(), os.getegid()))
    maildir = make_maildir(str(tmp_path / "user"), uid, gid)
    assert sorted(os.listdir(maildir)) == ["cur", "new", "tmp"]
    assert (os.stat(maildir).st_uid, oct(os.stat(tmp_path / "user").st_mode & 0o777)) == (uid, "0o755")
