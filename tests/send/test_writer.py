"""Writing what qmail-send keeps of a message."""

import os

import pytest

from qmailpy.send.writer import MANY, Trouble, Writer
from tests.send.queue import make, put


@pytest.fixture
def writer(tmp_path):
    found = Writer(make(tmp_path), 7)
    yield found
    found.close()


def content(writer, kind):
    with open(writer.paths.name(kind, 7), "rb") as found:
        return found.read()


def test_what_is_little_stays_in_memory_until_it_is_flushed(writer):
    writer.put("info", b"Fs@x\0")
    writer.put("local", b"Ta@me\0")
    writer.put("local", b"Tb@me\0")
    assert writer.small and writer.has("local") and not writer.has("remote")
    assert (writer.held("local"), writer.held("remote")) == (b"Ta@me\0Tb@me\0", None)
    assert not os.path.exists(writer.paths.name("local", 7))
    writer.flush()
    assert not writer.small
    assert content(writer, "local") == writer.held("local") == b"Ta@me\0Tb@me\0"
    assert os.stat(writer.paths.name("info", 7)).st_mode & 0o777 == 0o600


def test_what_is_much_is_written_as_it_comes(writer):
    for _ in range(MANY):
        writer.put("remote", b"Tb@far\0")
    assert not writer.small
    assert content(writer, "remote") == b"Tb@far\0" * MANY
    writer.put("remote", b"Tc@far\0")
    writer.flush()
    assert content(writer, "remote") == b"Tb@far\0" * MANY + b"Tc@far\0"
    assert writer.held("remote") is None


def test_a_file_of_an_earlier_message_is_replaced(writer):
    put(writer.paths, 7, info=b"Fold\0 and more", bounce=b"old")
    writer.put("info", b"Fs\0")
    writer.flush()
    writer.clear("bounce")
    writer.clear("local")
    assert content(writer, "info") == b"Fs\0"
    assert writer.cleared == [writer.paths.folder(kind, 7) for kind in ("info", "bounce")]


def test_trouble(writer, monkeypatch):
    writer.put("info", b"Fs\0")
    monkeypatch.setattr("qmailpy.send.writer.write_all", lambda fd, data: (_ for _ in ()).throw(OSError))
    with pytest.raises(Trouble, match="trouble writing to info/1/7"):
        writer.flush()
    os.rmdir(writer.paths.folder("local", 7))
    writer.put("local", b"Ta@me\0")
    with pytest.raises(Trouble, match="unable to create local/1/7|trouble writing to info/1/7"):
        writer.flush()
    os.mkdir(writer.paths.bounce(7))
    with pytest.raises(Trouble, match="unable to unlink bounce/7"):
        writer.clear("bounce")
