"""Preprocessing one message, and going on with what was made of it."""

import os
import time

import pytest

from qmailpy.queue.boot import Boot
from qmailpy.send.log import Log
from qmailpy.send.todo import Envelope, Preprocessor
from qmailpy.send.writer import HELD, MANY, Trouble
from qmailpy.text.route import Routes
from qmailpy.unix.fds import BLOCK
from tests.send.queue import make, put

ROUTES = Routes(b"me", frozenset([b"me"]), frozenset(), {})
LOCAL, REMOTE = 1, 2  # as bits


def opened(paths, number, work):
    envelope = Envelope(paths.todo(number), f"todo/{number}")
    try:
        return work(Preprocessor(paths, ROUTES, Log()), envelope)
    finally:
        envelope.close()


def process(paths, number, content, *, hold=False):
    put(paths, number, todo=content)
    return opened(paths, number, lambda preprocessor, envelope: preprocessor.process(envelope, number, 42, 1000, hold=hold))


def resume(paths, number):
    return opened(paths, number, lambda preprocessor, envelope: preprocessor.resume(envelope, number, Boot(paths.lock("boot"))))


def content(paths, kind, number):
    try:
        with open(paths.name(kind, number), "rb") as found:
            return found.read()
    except FileNotFoundError:
        return None


def test_recipients_are_sorted_into_their_files(tmp_path):
    paths = make(tmp_path)
    fresh = process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0Tb@far\0Tc@me\0")
    assert (fresh.made, fresh.left, fresh.sender, fresh.birth) == (LOCAL | REMOTE, LOCAL | REMOTE, b"s@x", 1000)
    assert content(paths, "info", 7) == b"Fs@x\0"
    assert content(paths, "local", 7) == fresh.records[0] == b"Ta@me\0Tc@me\0"
    assert content(paths, "remote", 7) == fresh.records[1] == b"Tb@far\0"
    assert os.stat(paths.info(7)).st_mode & 0o777 == 0o600


def test_one_channel_and_none(tmp_path):
    paths = make(tmp_path)
    assert process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0").made == LOCAL
    assert content(paths, "remote", 7) is None
    assert process(paths, 8, b"u1\0p2\0F\0").made == 0


def test_what_a_crash_has_left_is_made_anew(tmp_path):
    paths = make(tmp_path)
    put(paths, 7, info=b"Fold\0", local=b"Dold@me\0", remote=b"Told@far\0", bounce=b"old")
    fresh = process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0")
    assert fresh.made == LOCAL
    assert (content(paths, "info", 7), content(paths, "local", 7), content(paths, "remote", 7)) == (b"Fs@x\0", b"Ta@me\0", None)
    assert content(paths, "bounce", 7) is None
    assert set(fresh.cleared) == {paths.folder(kind, 7) for kind in ("info", "local", "remote", "bounce")}


@pytest.mark.parametrize(("envelope", "words"), [(b"u1\0Fs\0Qx\0", "unknown record type in todo/7"), (b"u1\0Fs\0\0", "unknown record type")])
def test_odd_records(tmp_path, envelope, words):
    with pytest.raises(Trouble, match=words):
        process(make(tmp_path), 7, envelope)


def test_missing_folders(tmp_path):
    paths = make(tmp_path)
    os.rmdir(paths.folder("local", 7))
    with pytest.raises(Trouble, match="unable to create local/1/7"):
        process(paths, 7, b"Fs\0Ta@me\0")


def test_many_recipients_are_not_kept_in_memory(tmp_path):
    paths = make(tmp_path)
    envelope = b"u1\0p2\0Fs\0" + b"".join(b"Tuser%d@far\0" % number for number in range(20000))
    assert len(envelope) > max(HELD, BLOCK)
    fresh = process(paths, 7, envelope)
    assert content(paths, "remote", 7) == envelope.partition(b"Fs\0")[2]
    assert fresh.records == [None, None]


def test_what_is_held_is_in_no_file(tmp_path):
    paths = make(tmp_path)
    put(paths, 7, info=b"Fold\0", local=b"Dold@me\0", remote=b"Told@far\0", bounce=b"old")
    fresh = process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0Tb@far\0Tc@me\0", hold=True)
    assert not fresh.written
    assert (fresh.made, fresh.sender, fresh.records) == (LOCAL | REMOTE, b"s@x", [b"Ta@me\0Tc@me\0", b"Tb@far\0"])
    assert all(content(paths, kind, 7) is None for kind in ("info", "local", "remote", "bounce"))
    assert set(fresh.cleared) == {paths.folder(kind, 7) for kind in ("info", "local", "remote", "bounce")}


@pytest.mark.parametrize("envelope", [b"u1\0p2\0Ta@me\0", b"u1\0p2\0Fs\0" + b"Ta@me\0" * MANY])
def test_too_much_and_too_little_is_not_held(tmp_path, envelope):
    paths = make(tmp_path)
    fresh = process(paths, 7, envelope, hold=True)
    assert fresh.written
    assert content(paths, "local", 7) == b"Ta@me\0" * envelope.count(b"T")


def test_the_channels_of_a_message(tmp_path):
    paths = make(tmp_path)
    put(paths, 7, todo=b"u1\0p2\0Fs@x\0Ta@me\0Tb@far\0")
    assert opened(paths, 7, lambda preprocessor, envelope: preprocessor.channels(envelope)) == LOCAL | REMOTE
    put(paths, 7, todo=b"u1\0p2\0Fs@x\0Tb@far\0")
    assert opened(paths, 7, lambda preprocessor, envelope: preprocessor.channels(envelope)) == REMOTE


ENVELOPE = b"u1\0p2\0Fs@x\0Ta@me\0Tb@far\0Tc@me\0"


def test_done_marks_are_believed(tmp_path):
    paths = make(tmp_path)
    process(paths, 7, ENVELOPE)
    put(paths, 7, local=b"Da@me\0Tc@me\0", remote=b"Db@far\0", bounce=b"x")
    fresh = resume(paths, 7)
    assert (fresh.made, fresh.left, fresh.noted, fresh.sender, fresh.records) == (LOCAL | REMOTE, LOCAL, True, b"s@x", [None, None])
    assert content(paths, "local", 7) == b"Da@me\0Tc@me\0"


@pytest.mark.parametrize("files", [
    {"info": b"Fs@y\0"}, {"info": b"Fs@x"}, {"info": b""}, {"local": b"Da@me\0"}, {"local": b"Da@me\0Dc@me"}, {"local": b"Da@me\0Dd@me\0"},
    {"local": b"Da@me\0Dc@me\0De@me\0"}, {"local": b"Da@me\0Qc@me\0"}, {"local": b"Da@me\0Dc@me\0\0"}, {"local": b"\0" * 12}, {"remote": b""},
    {"remote": b"Dc@far\0"},
])
def test_what_does_not_agree_with_the_envelope_is_not_believed(tmp_path, files):
    paths = make(tmp_path)
    process(paths, 7, ENVELOPE)
    put(paths, 7, **files)
    assert resume(paths, 7) is None


@pytest.mark.parametrize("missing", ["info", "local", "remote"])
def test_nor_is_what_is_not_whole(tmp_path, missing):
    paths = make(tmp_path)
    process(paths, 7, ENVELOPE)
    os.unlink(paths.name(missing, 7))
    assert resume(paths, 7) is None


def test_nor_is_a_file_too_many(tmp_path):
    paths = make(tmp_path)
    process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0")
    put(paths, 7, remote=b"")
    assert resume(paths, 7) is None


def test_nor_is_what_is_older_than_the_envelope(tmp_path):
    paths = make(tmp_path)
    process(paths, 7, ENVELOPE)
    assert resume(paths, 7) is not None
    later = time.time() + 10
    os.utime(paths.todo(7), (later, later))
    assert resume(paths, 7) is None


def noted(paths, number, content=ENVELOPE):
    """A message that lock/boot says is done."""
    put(paths, number, todo=content)
    boot = Boot(paths.lock("boot"))
    boot.keep()
    return boot.note(opened(paths, number, lambda preprocessor, envelope: envelope.stamp(number)))


def test_what_is_noted_as_done_is_done(tmp_path):
    paths = make(tmp_path)
    place = noted(paths, 7)
    put(paths, 7, local=b"Ta@me\0")  # a file that was not finished
    fresh = resume(paths, 7)
    assert (fresh.left, fresh.place, fresh.kinds) == (0, place, ["info", "local", "remote"])


@pytest.mark.parametrize("change", [{"content": ENVELOPE.replace(b"p2", b"p3")}, {"age": 1}, {"number": 8}])
def test_of_another_message_it_says_nothing(tmp_path, change):
    """One that has the number later: another qmail-queue has written it, at another time."""
    paths = make(tmp_path)
    noted(paths, 7)
    times = os.stat(paths.todo(7)).st_mtime_ns - change.get("age", 0)
    number = change.get("number", 7)
    put(paths, number, todo=change.get("content", ENVELOPE))
    os.utime(paths.todo(number), ns=(times, times))
    assert resume(paths, number) is None
