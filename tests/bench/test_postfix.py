"""The Postfix that is installed, as an instance of its own."""

import os
import shutil

import pytest

from qmailpy.bench.client import send
from qmailpy.bench.measure import Failed
from qmailpy.bench.postfix import Postfix, files
from qmailpy.bench.servers import PATH, TO_LOCAL, TO_REMOTE, until
from qmailpy.bench.sink import SinkProcess


@pytest.mark.skipif(shutil.which("postfix", path=PATH) is None or os.geteuid() != 0, reason="needs Postfix, and root")
def test_mail_goes_through_while_other_mail_waits(place):
    sink = SinkProcess()
    server = Postfix(sink.port)
    try:
        server.start(str(place), 20)
        assert server.name.startswith("Postfix ")
        assert server.queued() == 20
        send(server.port, TO_LOCAL)
        until(lambda: server.delivered() == 1, "no mail")
        send(server.port, TO_REMOTE)
        sink.wait(1, 30)
        server.settle(20)
    finally:
        server.close()
        sink.close()
    assert files(str(place / "queue/deferred")) == 20


def test_without_postfix_or_root_it_takes_no_part(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failed, match="not installed|only root"):
        Postfix(25)


def test_files_are_counted_in_folders_of_folders(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/1").write_text("")
    (tmp_path / "2").write_text("")
    assert files(str(tmp_path)) == 2
    assert files(str(tmp_path / "none")) == 0
