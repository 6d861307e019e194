"""The loop's parts: taking up a queue, leftovers, what a power cut leaves, the end."""

import os

import pytest

from qmailpy.queue.leftovers import OSSIFIED
from qmailpy.unix.signals import HUP, TERM


def test_a_queue_is_taken_up(around):
    around.put(7, mess=b"m", info=b"Fs\0", local=b"Ta\0")
    around.put(8, mess=b"m", info=b"Fs\0", remote=b"Tb\0")
    around.put(9, mess=b"m", info=b"Fs\0")
    around.put(10, mess=b"m", info=b"Fs\0", todo=b"")
    around.start()
    assert [len(waiting) for waiting in around.daemon.deliveries.waiting] == [1, 1]
    assert around.daemon.deliveries.done.take_due(around.daemon.now) == 9
    assert around.daemon.deliveries.done.first() is None


@pytest.mark.parametrize(("files", "goes"), [
    ({"info": b"Fs\0", "local": b"Ta\0"}, True), ({"info": b"", "mess": b"m"}, True), ({"info": b"Fs", "mess": b"m", "local": b"Ta\0"}, True),
    ({"info": b"Fs\0", "mess": b"m", "local": b"Ta\0"}, False), ({"local": b"Ta\0"}, True), ({"remote": b"Ta\0"}, True), ({"bounce": b"b"}, True),
    ({"bounce": b"b", "mess": b"m"}, False),
])
def test_what_a_power_cut_may_leave(around, files, goes):
    around.put(7, **files)
    around.start()
    assert around.left(7, "info", "local", "remote", "bounce") == (set() if goes else set(files) - {"mess"})
    assert sum("removing what was left of msg 7" in line for line in around.log.lines) == goes


def test_leftovers_of_a_killed_qmail_queue(around):
    for number in (7, 8, 9):
        around.put(number, mess=b"m")
    around.daemon.tell_time()
    old = around.daemon.now - OSSIFIED - 10
    for number in (7, 9):
        os.utime(around.paths.mess(number), (old, old))
    around.put(9, todo=b"")
    around.until(lambda: around.daemon.leftovers is None and around.daemon.cleanup_due and around.daemon.finisher.idle)
    assert b"foop/7" in around.asked
    assert (around.left(7), around.left(8)) == (set(), {"mess"})
    assert around.daemon.cleanup_due > around.daemon.now


def test_a_clock_that_jumps_makes_nothing_a_leftover(around, monkeypatch):
    import time

    around.put(7, mess=b"m")
    around.start()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 2 * OSSIFIED)
    around.until(lambda: around.daemon.leftovers is None and around.daemon.cleanup_due > around.daemon.now)
    assert around.left(7) == {"mess"}
    assert around.asked == []


def test_the_end_is_awaited_without_a_trigger_as_well(around):
    os.unlink(around.paths.lock("trigger"))
    around.start()
    around.until(lambda: around.daemon.cleanup_due and around.daemon.leftovers is None)
    assert around.daemon.incoming.trigger == -1
    around.daemon.obey({TERM})
    around.turn()
    assert around.daemon.over


def test_term_makes_ordinary_messages_of_those_under_way(around):
    around.start()
    around.mail(7, b"a@me", b"b@far")
    around.pull()
    around.turn()
    around.report(0, b"Kok\n")
    around.turn()
    assert around.left(7) == {"mess", "intd", "todo", "info", "local", "remote"}
    around.daemon.obey({TERM})
    around.until(lambda: not around.daemon.fresh)
    assert not around.daemon.over  # one delivery is under way
    assert around.left(7) == {"mess", "info", "remote"}
    around.report(0, b"Zlater\n", channel=1)
    around.until(lambda: around.daemon.over)
    assert around.content("remote", 7) == b"Tb@far\0"


def test_a_lost_cleaner_ends_it_and_todo_stays(around):
    around.start()
    around.mail(7, b"a@me")
    around.pull()
    around.turn()
    os.close(around.answers)
    around.turn()
    around.report(0, b"Kok\n")
    around.until(lambda: around.daemon.over)
    assert around.left(7) >= {"mess", "todo"}


def test_a_hup_with_one_unreadable_file_changes_nothing(around, tmp_path):
    daemon = around.daemon
    (tmp_path / "control/locals").write_text("new.example\n")
    (tmp_path / "control/virtualdomains").mkdir()
    daemon.obey({HUP})
    assert daemon.settings.routes.locals == {b"me"}
    (tmp_path / "control/virtualdomains").rmdir()
    (tmp_path / "control/bouncemaxbytes").mkdir()
    daemon.obey({HUP})
    assert daemon.settings.routes.locals == {b"me"}
    (tmp_path / "control/bouncemaxbytes").rmdir()
    (tmp_path / "control/bouncemaxbytes").write_text("7\n")
    daemon.obey({HUP})
    assert daemon.settings.routes.locals == {b"new.example"}
    assert daemon.finisher.settings.bounce_limit == 7


def test_memory_for_a_waiting_message(around):
    import tracemalloc

    around.start()
    tracemalloc.start()
    begin, _ = tracemalloc.get_traced_memory()
    for number in range(10**7, 10**7 + 20000):
        for waiting in around.daemon.deliveries.waiting:
            waiting.add(around.daemon.now + number, number)
    size = tracemalloc.get_traced_memory()[0] - begin
    tracemalloc.stop()
    assert size / 20000 < 400
