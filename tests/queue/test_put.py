"""Storing a message: what is there afterwards, and that nothing is left of a refused one."""

import errno
import os

import pytest

from qmailpy.queue import put as module
from qmailpy.queue.exitcodes import ADDRESS_TOO_LONG, BAD_ENVELOPE, NO_INTD, NO_MESS, NO_PID, NO_TODO, READ_ERROR, WRITE_ERROR
from qmailpy.queue.paths import Paths
from qmailpy.queue.put import ADDRESS_LIMIT, Caller, Refused, checked, put, received

GOOD = b"Fa@x\0Tb@y\0\0"


@pytest.fixture(params=[False, True], ids=["flat", "hashed"])
def paths(tmp_path, request):
    found = Paths(str(tmp_path), 3, request.param)
    for kind in ("pid", "lock"):
        os.mkdir(tmp_path / kind)
    for kind in ("mess", "intd", "todo"):
        for number in range(3):
            os.makedirs(found.folder(kind, number), exist_ok=True)
    return found


def files(paths):
    return sorted(os.path.join(place, name) for place, _, names in os.walk(paths.queue) for name in names)


def store(paths, message=b"Subject: x\n", envelope=GOOD, closed=(), further=()):
    ends = []
    for data in (message, envelope):
        read, write = os.pipe()
        os.write(write, data)
        os.close(write)
        ends.append(read)
    for name in closed:
        os.close(ends[("message", "envelope").index(name)])
    try:
        return put(paths, Caller(42, 7, 1000000000), *ends, b"Received: x\n", further)
    finally:
        for number, end in enumerate(ends):
            if ("message", "envelope")[number] not in closed:
                os.close(end)


def test_a_stored_message(paths):
    assert store(paths) == 0
    [number] = {int(os.path.basename(name)) for name in files(paths)}
    assert os.stat(paths.mess(number)).st_ino == number
    with open(paths.mess(number), "rb") as mess, open(paths.todo(number), "rb") as todo:
        assert mess.read() == b"Received: x\nSubject: x\n"
        assert todo.read() == b"u7\0p42\0" + GOOD[:-1]
    assert os.stat(paths.todo(number)).st_nlink == 2
    assert set(files(paths)) == {paths.mess(number), paths.todo(number), paths.intd(number)}


def test_everything_is_written_then_synced_then_linked_and_that_is_synced(paths, monkeypatch):
    steps, real = [], {"write": os.write, "fsync": os.fsync, "link": os.link}

    def name(fd):
        path = os.path.relpath(os.readlink(f"/proc/self/fd/{fd}"), paths.queue)
        return path.split("/")[0] + ("" if os.path.isdir(f"{paths.queue}/{path}") else "/N")

    monkeypatch.setattr(os, "write", lambda fd, data: steps.append(("write", name(fd))) or real["write"](fd, data))
    monkeypatch.setattr(os, "fsync", lambda fd: steps.append(("sync", name(fd))) or real["fsync"](fd))
    monkeypatch.setattr(os, "link", lambda source, target: steps.append(("link", os.path.relpath(target, paths.queue).split("/")[0])) or real["link"](source, target))
    assert store(paths) == 0
    before, after = steps.index(("link", "mess")), steps.index(("link", "todo"))
    synced = [step for step in steps[before:after] if step[0] == "sync"]
    assert sorted(synced) == [("sync", "intd"), ("sync", "intd/N"), ("sync", "mess"), ("sync", "pid/N")]  # the last is mess/N, as it was opened
    written = [number for number, step in enumerate(steps) if step[0] == "write"]
    assert max(written) < steps.index(synced[0])
    assert steps[after + 1:] == [("sync", "todo")]


def test_a_message_that_was_taken_for_a_leftover_meanwhile_is_not_accepted(paths, monkeypatch):
    sync = module.sync_together

    def sync_and_remove(fds):
        sync(fds)  # the envelope is whole: the last step before todo
        for name in files(paths):
            if "/mess/" in name:
                os.unlink(name)

    monkeypatch.setattr(module, "sync_together", sync_and_remove)
    assert store(paths) == NO_MESS
    assert files(paths) == []


def test_the_received_field():
    assert received(Caller(42, 7, 1000000000), b"by uid 7") == b"Received: (qmail 42 invoked by uid 7); 9 Sep 2001 01:46:40 -0000\n"


@pytest.mark.parametrize(("envelope", "code"), [
    (b"", READ_ERROR), (b"Fa", READ_ERROR), (b"Fa\0", READ_ERROR), (b"Fa\0Tb\0", READ_ERROR), (b"Ta\0\0", BAD_ENVELOPE), (b"Fa\0Xb\0\0", BAD_ENVELOPE),
    (b"\0", BAD_ENVELOPE), (b"Fa\0Fb\0\0", BAD_ENVELOPE), (b"F" + b"x" * ADDRESS_LIMIT + b"\0\0", ADDRESS_TOO_LONG),
    (b"Fa\0T" + b"x" * 5000 + b"\0\0", ADDRESS_TOO_LONG), (b"Fa\0T" + b"x" * 5000, ADDRESS_TOO_LONG),
])
def test_bad_envelopes_leave_nothing(paths, envelope, code):
    assert store(paths, envelope=envelope) == code
    assert files(paths) == []


@pytest.mark.parametrize("tail", [b"\0" * 4000, b"Tz\0\0", b"junk"])
def test_what_follows_the_envelope_is_ignored(paths, tail):
    assert store(paths, envelope=GOOD + tail) == 0
    [todo] = [name for name in files(paths) if "/todo" in name]
    assert open(todo, "rb").read().endswith(b"Tb@y\0")


def test_addresses_up_to_the_limit(paths):
    assert store(paths, envelope=b"F" + b"x" * (ADDRESS_LIMIT - 1) + b"\0\0") == 0


@pytest.mark.parametrize("end", ["message", "envelope"])
def test_a_closed_descriptor_is_a_read_error(paths, end):
    assert store(paths, closed=(end,)) == READ_ERROR
    assert files(paths) == []


@pytest.mark.parametrize(("kind", "code"), [("pid", NO_PID), ("mess", NO_MESS), ("intd", NO_INTD), ("todo", NO_TODO)])
def test_missing_folders(paths, kind, code):
    import shutil

    shutil.rmtree(f"{paths.queue}/{kind}")
    assert store(paths) == code
    assert files(paths) == []


def test_a_stale_envelope_of_the_same_number_is_removed(paths):
    """An intd/N whose mess/N a power cut has taken must not be in the way of the next message with that number."""
    assert store(paths) == 0
    [number] = {int(os.path.basename(name)) for name in files(paths)}
    os.unlink(paths.mess(number))
    os.unlink(paths.todo(number))  # intd/N is left; the number is free again
    for _ in range(50):
        assert store(paths) == 0
    assert all(open(paths.todo(int(os.path.basename(name))), "rb").read().startswith(b"u7\0") for name in files(paths) if "/mess/" in name)


def test_so_is_a_stale_todo_and_that_is_synced_before_there_is_a_message(paths, monkeypatch):
    """It would be the envelope of another message than its own."""
    from qmailpy.queue import put

    assert store(paths) == 0
    [number] = {int(os.path.basename(name)) for name in files(paths)}
    os.unlink(paths.mess(number))  # the number is free again
    steps, sync, link = [], put.sync_folder, os.link
    monkeypatch.setattr(put, "sync_folder", lambda path: steps.append(os.path.basename(path)) or sync(path))
    monkeypatch.setattr(os, "link", lambda source, target: steps.append((target, os.path.exists(paths.todo(number)))) or link(source, target))
    for _ in range(50):
        assert store(paths) == 0
    if (paths.mess(number), False) in steps:  # where numbers are used again
        assert steps[steps.index((paths.mess(number), False)) - 1] == os.path.basename(paths.folder("todo", number))
    assert (paths.mess(number), True) not in steps


def test_an_existing_message_is_never_overwritten(paths, monkeypatch):
    real = os.link

    def link(source, target, **how):
        if "/mess/" in target:
            with open(target, "w") as out:
                out.write("there")
        return real(source, target, **how)

    monkeypatch.setattr(os, "link", link)
    assert store(paths) == NO_MESS
    [left] = files(paths)
    assert open(left).read() == "there"


def test_descriptors_are_given_back(paths):
    before = os.listdir("/proc/self/fd")
    store(paths)
    store(paths, envelope=b"bad")
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_envelopes_may_come_in_pieces(size):
    envelope = b"Fa@x\0Tb@y\0Tc\0\0more"
    assert b"".join(checked(envelope[at:at + size] for at in range(0, len(envelope), size))) == b"Fa@x\0Tb@y\0Tc\0"


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_further_recipients_stand_behind_the_sender(size):
    envelope = b"Fa@x\0Tb\0\0"
    assert b"".join(checked((envelope[at:at + size] for at in range(0, len(envelope), size)), b"Tlog\0Tc@y\0")) == b"Fa@x\0Tlog\0Tc@y\0Tb\0"


def test_further_recipients_are_stored(paths):
    assert store(paths, envelope=b"Fa\0\0", further=[b"log", b"x" * (ADDRESS_LIMIT - 1)]) == 0
    [todo] = [name for name in files(paths) if "/todo" in name]
    assert open(todo, "rb").read() == b"u7\0p42\0Fa\0Tlog\0T" + b"x" * (ADDRESS_LIMIT - 1) + b"\0"


def test_a_further_recipient_that_is_too_long(paths):
    assert store(paths, further=[b"log", b"x" * ADDRESS_LIMIT]) == ADDRESS_TOO_LONG
    assert files(paths) == []


@pytest.mark.parametrize("envelope", [b"Fa", b"Fa\0", b"Fa\0Tb\0"])
def test_further_recipients_do_not_make_an_envelope_whole(paths, envelope):
    assert store(paths, envelope=envelope, further=[b"log"]) == READ_ERROR
    assert files(paths) == []


def test_refused_carries_its_code():
    assert Refused(54).code == 54


def test_a_quota_that_is_used_up_is_a_write_error(paths, monkeypatch):
    def short(fd, data):
        raise OSError(errno.EDQUOT, "")

    monkeypatch.setattr(module, "write_all", short)
    assert store(paths) == WRITE_ERROR
    assert files(paths) == []
