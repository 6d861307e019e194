"""Which of the messages in todo are preprocessed when."""

import os

import pytest

from qmailpy.send.incoming import MANY, PATIENCE
from tests.send.queue import Around


def new(around):
    return [line for line in around.log.lines if line.startswith("new msg")]


def looked(around):
    """Whether all that is in todo was looked at."""
    incoming = around.daemon.incoming
    return not incoming._next and incoming._look_due and not incoming._pulled


def test_new_mail_is_taken_when_the_trigger_is_pulled(around):
    around.start().turn()
    around.mail(7, b"a@me")
    around.turn()
    assert not new(around)
    with open(around.paths.lock("trigger"), "wb", buffering=0) as trigger:
        trigger.write(b"\0")
    around.daemon.turn({around.daemon.incoming.trigger}, around.poll)
    around.until(lambda: new(around))


def test_todo_is_listed_only_when_somebody_has_pulled(around, monkeypatch):
    around.start().turn()
    calls, real = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(path) or real(path))
    around.daemon.cleanup_due = 2**40
    for _ in range(20):
        around.turn()
    assert calls == []


@pytest.mark.parametrize("again", [False, True])
def test_no_more_is_preprocessed_than_can_be_delivered_soon(around, again):
    """Nor when qmail-send was killed and finds them: there is nothing to go on with."""
    for number in range(10, 40):
        around.mail(number, b"a@me")
    if again:
        around.daemon.boot.keep()
    around.start().until(lambda: looked(around) and len(new(around)) == 6)  # three under way, three that wait
    assert len(around.orders()) == 3
    assert len(around.left(39)) == 3  # in todo
    around.until(lambda: not around.daemon.fresh)
    around.turn()
    assert len(new(around)) == 6  # nor later, though they need nothing any more
    around.report(0, b"Kok\n")
    around.turn()
    around.turn()
    assert len(new(around)) == 7


def test_a_channel_that_is_busy_does_not_hold_up_the_other(around):
    for number in range(10, 40):
        around.mail(number, b"a@far")
    around.mail(50, b"a@me")
    around.start().until(lambda: looked(around))
    around.turn()
    assert "new msg 50" in new(around)
    assert len(around.orders()) == 1


def test_all_arrive_in_the_end(around):
    for number in range(10, 30):
        around.mail(number, b"a@me")
    around.start()

    def work():
        for slot, *_ in around.orders():
            around.report(slot, b"Kok\n")
        return len([line for line in around.log.lines if line.startswith("end msg")]) == 20
    around.until(work)
    around.until(lambda: not around.left(10) and not around.left(29))


def test_what_waits_too_long_in_todo_is_preprocessed_anyway(around):
    for number in range(10, 40):
        around.mail(number, b"a@me")
    around.start().until(lambda: looked(around) and len(new(around)) == 6)
    incoming = around.daemon.incoming
    assert len(incoming._parked[0]) == 24
    for parked in incoming._parked:
        for number in parked:
            parked[number] -= PATIENCE
    incoming._last = 0
    around.turn()
    assert len(new(around)) <= 6 + MANY  # not all at once
    around.until(lambda: len(new(around)) == 30)


def test_a_channel_without_deliveries_keeps_nothing_in_todo(around):
    around.daemon.channels[1].slots.limit = 0
    for number in range(10, 40):
        around.mail(number, b"a@far")
    around.start().until(lambda: len(new(around)) == 30 and not around.daemon.fresh)
    assert around.left(39) == {"mess", "info", "remote"}


def test_todo_without_mess_was_finished(around):
    around.put(7, todo=b"u1\0p2\0Fs\0Ta@me\0")
    around.start()
    around.until(lambda: around.asked)
    assert around.asked == [b"todo/7"]
    assert around.left(7) == set()
    assert sum("todo/7 has no message any more" in line for line in around.log.lines) == 1


@pytest.mark.parametrize("big", [False, True])
def test_flat_and_hashed_entries_are_found(tmp_path, big):
    around = Around(tmp_path, limit=20, big_todo=big)
    for number in (5, 100, 7):
        around.mail(number, b"a@me")
    os.makedirs(tmp_path / "queue/todo/0", exist_ok=True)
    (tmp_path / "queue/todo/x7").write_text("")
    place = tmp_path / ("queue/todo/99" if big else "queue/todo/0/99")  # left by another layout
    place.write_bytes(b"u1\0p2\0Fs@x\0Ta@me\0")
    around.put(99, mess=b"m")
    around.start().until(lambda: looked(around))
    assert sorted(new(around)) == ["new msg 100", "new msg 5", "new msg 7", "new msg 99"]
    around.close()


def test_a_folder_that_cannot_be_listed_is_tried_again(around, tmp_path):
    around.start()
    os.rename(tmp_path / "queue/todo", tmp_path / "away")
    around.pull()
    around.turn()
    assert "alert: unable to opendir todo, will try again later" in around.log.lines
    os.rename(tmp_path / "away", tmp_path / "queue/todo")
    around.mail(7, b"a@me")
    around.daemon.incoming._look_due = 0
    around.until(lambda: new(around))
