"""The end of a message."""

import os
import select
import threading
from types import SimpleNamespace

import pytest

from qmailpy.send import syncs
from qmailpy.send.fresh import TRY_AGAIN, Fresh
from tests.send.queue import Around

KEEP = "#!/bin/sh\ncat > {0}/message; cat <&1 > {0}/envelope; exit $(cat {0}/exit 2>/dev/null || echo 0)\n"


@pytest.fixture
def around(tmp_path):
    """A daemon whose queue program keeps what it gets."""
    program = tmp_path / "keep"
    program.write_text(KEEP.format(tmp_path))
    program.chmod(0o755)
    found = Around(tmp_path, env={"QMAILQUEUE": str(program), "PATH": os.environ["PATH"]})
    found.place = tmp_path
    found.daemon.settings.postmark.host = b"mx.example"
    yield found
    found.close()


def finish(around, number, **files):
    around.put(number, mess=files.pop("mess", b"m"), **files)
    around.start().until(lambda: around.daemon.cleanup_due and around.daemon.leftovers is None and around.daemon.finisher.idle)


def test_without_bounce(around):
    finish(around, 7, info=b"Fs@x\0")
    assert around.asked == [b"foop/7"]
    assert around.left(7) == set()
    assert not (around.place / "message").exists()
    assert "end msg 7" in around.log.lines


def test_mess_goes_last_and_only_when_all_else_is_synced(around):
    around.put(7, mess=b"m", info=b"Fs@x\0")
    around.start()
    begun, may_end = threading.Event(), threading.Event()
    around.daemon.last_syncs._disk.sync = lambda paths: begun.set() or (may_end.wait(30) and set())
    around.turn()
    assert begun.wait(30)
    assert around.left(7) == {"mess"}
    assert around.asked == []
    may_end.set()
    around.until(lambda: around.asked)


def test_mess_stays_when_what_was_removed_cannot_be_synced(around):
    around.put(7, mess=b"m", info=b"Fs@x\0")
    around.start()
    around.daemon.last_syncs._disk.sync = set  # all of it fails
    around.until(lambda: around.daemon.finisher.idle and around.daemon.deliveries.done.first() is None)
    assert around.left(7) == {"mess"}
    assert around.asked == []
    assert "it is left in mess" in around.log.lines[-1]


def test_a_file_that_cannot_be_removed_is_tried_again_later(around, monkeypatch):
    def fail(path):
        raise OSError

    around.put(7, mess=b"m", info=b"Fs@x\0")
    around.start()
    with monkeypatch.context() as patch:
        patch.setattr(syncs, "remove", fail)
        around.until(lambda: f"warning: unable to unlink {around.daemon.files.short('info', 7)}; will try again later" in around.log.lines)
    assert around.left(7) == {"mess", "info"}
    assert around.daemon.deliveries.done.first() == around.daemon.now + TRY_AGAIN
    around.daemon.finisher.finish(7)
    around.until(lambda: around.asked)
    assert around.left(7) == set()


def test_with_bounce(around):
    finish(around, 7, mess=b"Subject: m\n\nbody\n", info=b"Fs@x\0", bounce=b"<r@y>:\nno\n\n")
    text = (around.place / "message").read_bytes()
    assert b"\nTo: s@x\n" in text
    assert text.endswith(b"\n\n<r@y>:\nno\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <s@x>\nSubject: m\n\nbody\n")
    assert (around.place / "envelope").read_bytes() == b"F\0Ts@x\0\0"
    assert around.left(7) == set()


@pytest.mark.parametrize("sender", [b"s@x", b""])
def test_a_bounce_has_the_beginning_of_a_long_message(around, sender):
    around.daemon.settings.bounce_limit = 100000
    finish(around, 7, mess=b"m" * 100001, info=b"F" + sender + b"\0", bounce=b"<r@y>:\n" + b"no" * 100000 + b"\n\n")
    told, _, copy = (around.place / "message").read_bytes().partition(b"\nReturn-Path: <" + sender + b">\n")
    assert b"no" * 100000 in told
    assert copy == b"m" * 100000 + b"\n\n--- End of message stripped.\n"


@pytest.mark.parametrize("code", ["53", "31", "82"])
def test_a_queue_that_refuses_keeps_everything(around, code):
    (around.place / "exit").write_text(code)
    around.put(7, mess=b"m", info=b"Fs@x\0", bounce=b"b")
    around.start().until(lambda: "warning: trouble injecting bounce message, will try later" in around.log.lines)
    assert around.left(7) == {"mess", "info", "bounce"}
    assert around.daemon.deliveries.done.first() > around.daemon.now
    (around.place / "exit").unlink()
    around.daemon.deliveries.done.hasten(0)
    around.until(lambda: not around.left(7))


def test_bounces_are_queued_beside_the_loop(around):
    os.mkfifo(around.place / "gate")
    (around.place / "keep").write_text(f"#!/bin/sh\ncat > /dev/null; read go < {around.place}/gate; exit 0\n")
    around.put(7, mess=b"m", info=b"Fs@x\0", bounce=b"b")
    around.put(8, mess=b"m", info=b"Fs@x\0", local=b"Ta@me\0")
    around.start()
    around.until(lambda: around.orders())
    around.report(0, b"Kok\n")
    around.until(lambda: "end msg 8" in around.log.lines)
    assert around.left(7) == {"mess", "info", "bounce"}
    (around.place / "gate").write_text("go\n")
    around.until(lambda: "end msg 7" in around.log.lines)


def test_a_double_bounce(around):
    finish(around, 7, info=b"F\0", bounce=b"b")
    assert (around.place / "envelope").read_bytes() == b"F#@[]\0Tpostmaster@me\0\0"


def test_a_triple_bounce(around):
    finish(around, 8, info=b"F#@[]\0", bounce=b"b")
    assert not (around.place / "envelope").exists()
    assert around.left(8) == set()


@pytest.mark.parametrize("files", [{"local": b"Ta\0"}, {"remote": b"Ta\0"}, {"todo": b""}])
def test_a_false_alarm(around, files):
    around.put(7, mess=b"m", info=b"Fs\0", **files)
    around.daemon.finisher.finish(7)
    assert around.daemon.finisher.idle
    assert "info" in around.left(7)


def test_a_message_that_has_gone_is_removed(around):
    around.put(7, info=b"Fs@x\0", bounce=b"b")
    around.daemon.finisher.finish(7)
    around.until(lambda: around.asked)
    assert around.left(7) == set()
    assert not (around.place / "message").exists()
    assert around.asked == [b"foop/7"]


def test_a_number_that_comes_again_before_qmail_clean_has_told_that_it_is_free(around):
    """mess/7 is gone, and the answer is still on its way: another message 7 may be through already."""
    finisher, told, wanted = around.daemon.finisher, [], []
    finisher.cleaner = SimpleNamespace(message=lambda number, then: told.append(then), envelope=lambda number, then: told.append(then))
    finisher.syncs = SimpleNamespace(want=lambda folders, then, number, *gone: wanted.append(then))
    for sender in (b"one", b"two"):
        around.put(7, mess=b"m", info=b"F" + sender + b"\0", local=b"")
        finisher.finish_fresh(Fresh(7, sender, 100, 0, [None, None], []))
        told.pop()(7, True)  # todo/7 has gone
        if sender == b"one":
            wanted.pop()(7, True)
            finisher.remove_message(7)  # a sweep that meets it meanwhile does not ask once more: it would be the second message's
            assert len(told) == 1 and not wanted
            first = told.pop()
        else:
            first(7, True)
            wanted.pop()(7, True)
            told.pop()(7, True)
    assert finisher.idle
    around.daemon.log.flush()
    assert around.log.lines.count("end msg 7") == 2


@pytest.mark.parametrize("sender", [b"s@x", b"#@[]"])
def test_what_was_told_is_not_told_again_when_todo_cannot_be_removed_at_once(around, sender):
    around.put(7, mess=b"m", info=b"F" + sender + b"\0", local=b"Dr@y\0", bounce=b"<r@y>:\nno\n\n")
    finisher, asked, wanted = around.daemon.finisher, [], []
    finisher.cleaner = SimpleNamespace(envelope=lambda number, then: asked.append(then))
    finisher.syncs = SimpleNamespace(want=lambda folders, then, number, gone, kept: wanted.extend([folders, gone]))
    fresh = Fresh(7, sender, 100, 1, [None, None], [])
    fresh.left, fresh.noted = 0, True
    for good in (False, True):
        finisher.finish_fresh(fresh)
        while not asked:
            assert select.select([around.daemon.beside.fd], [], [], 30)[0]
            around.daemon.beside.take()
        asked.pop()(7, good)
        assert finisher.idle == (not good)
    around.daemon.log.flush()
    assert len([line for line in around.log.lines if line.startswith(("bounce msg 7", "triple bounce"))]) == 1
    assert not [line for line in around.log.lines if "trouble" in line]
    folders, gone = wanted
    assert around.paths.folder("bounce", 7) in folders
    assert gone == [around.paths.name(kind, 7) for kind in ("local", "info")]
    assert around.left(7) == {"mess", "info", "local"}
