"""Deliveries begun and reported, with pipes in the place of spawners."""

import os
import time

import pytest


def preprocessed(around, number, age=0, **files):
    """A message whose todo/N has gone."""
    around.put(number, mess=b"m", info=b"Fs@x\0", **files)
    now = around.daemon.now = int(time.time())
    around.daemon.files.set_time("info", number, now - age)
    for channel, kind in enumerate(("local", "remote")):
        if kind in files:
            around.daemon.deliveries.waiting[channel].add(now, number)
    around.daemon.cleanup_due = now + 1000


def test_success_ends_the_message(around):
    preprocessed(around, 7, local=b"Ta@me\0Tb@me\0")
    around.turn()
    assert around.orders() == [(0, b"1/7", b"s@x", b"a@me"), (1, b"1/7", b"s@x", b"b@me")]
    around.report(0, b"Kok\n")
    around.turn()
    assert around.content("local", 7) == b"Da@me\0Tb@me\0"
    around.report(1, b"Kok\n")
    around.until(lambda: around.asked)
    assert around.asked == [b"foop/7"]
    assert around.left(7) == set()


def test_a_deferral_waits_for_its_next_try(around):
    preprocessed(around, 7, local=b"Ta@me\0")
    around.turn()
    around.report(0, b"Zlater\n")
    around.turn()
    assert 90 < around.daemon.deliveries.waiting[0].first() - around.daemon.now <= 100
    assert around.content("local", 7) == b"Ta@me\0"


def test_a_failure_is_synced_before_it_is_marked(around):
    preprocessed(around, 7, local=b"Ta@me\0Tb@me\0")
    around.turn()
    around.report(0, b"Dno\n")
    real, around.daemon.syncs.flush = around.daemon.syncs.flush, lambda: None
    around.turn()
    assert around.content("bounce", 7) == b"<a@me>:\nno\n\n"
    assert around.content("local", 7) == b"Ta@me\0Tb@me\0"
    around.daemon.syncs.flush = real
    around.until(lambda: around.content("local", 7) == b"Da@me\0Tb@me\0")


def test_a_failure_that_cannot_be_noted_is_tried_again(around):
    os.rmdir(around.paths.folder("bounce", 7))
    preprocessed(around, 7, local=b"Ta@me\0")
    around.turn()
    around.report(0, b"Dno\n")
    around.turn()
    assert around.content("local", 7) == b"Ta@me\0"
    assert around.daemon.deliveries.waiting[0].first() is not None


def test_an_old_message_fails_at_its_next_deferral(around):
    preprocessed(around, 7, age=700000, local=b"Ta@me\0")
    around.turn()
    around.report(0, b"Zlater\n")
    around.turn()
    assert around.content("bounce", 7).startswith(b"<a@me>:\nlater\nI'm not going to try again")


def test_the_limit_holds_and_orders_go_out_together(around, monkeypatch):
    preprocessed(around, 7, local=b"".join(b"Tu%d@me\0" % number for number in range(9)))
    writes, real = [], os.write
    monkeypatch.setattr(os, "write", lambda fd, data: writes.append(fd) or real(fd, data))
    around.turn()
    assert writes.count(around.daemon.channels[0].orders) == 1
    assert len(around.orders()) == 3
    assert around.daemon.deliveries.wakeup() is None
    around.report(1, b"Kok\n")
    around.turn()
    assert [(slot, recipient) for slot, _, _, recipient in around.orders()] == [(1, b"u3@me")]


def test_both_channels_must_be_done(around):
    preprocessed(around, 7, local=b"Ta@me\0", remote=b"Tb@far\0")
    around.turn()
    around.report(0, b"Kok\n")
    around.turn()
    assert around.left(7) == {"mess", "info", "remote"}
    around.report(0, b"Kok\n", channel=1)
    around.until(lambda: not around.left(7))


def test_reports_out_of_range(around):
    around.report(9, b"Kok\n")
    around.turn()
    assert around.daemon.deliveries.idle


def test_a_lost_spawner_ends_it_all_but_what_the_other_does(around):
    preprocessed(around, 7, local=b"Ta@me\0", remote=b"Tb@far\0")
    around.turn()
    os.close(around.spawners[0][1])
    around.turn()
    assert around.daemon.deliveries.exiting
    assert not around.daemon.over
    around.report(0, b"Kok\n", channel=1)
    around.until(lambda: around.daemon.over)


def test_times_are_kept_for_the_next_start(around):
    preprocessed(around, 7, local=b"Ta@me\0")
    around.turn()
    around.report(0, b"Zlater\n")
    around.turn()
    due = around.daemon.deliveries.waiting[0].first()
    around.daemon.deliveries.keep_times()
    assert around.daemon.files.time("local", 7) == due


def test_a_file_that_cannot_be_removed_is_no_busy_loop(around):
    preprocessed(around, 7, local=b"Da@me\0")
    real, around.daemon.files.remove = around.daemon.files.remove, lambda kind, number: (_ for _ in ()).throw(OSError(5, "io"))
    around.turn()
    around.daemon.files.remove = real
    assert around.daemon.deliveries.waiting[0].first() > around.daemon.now


@pytest.mark.parametrize("info", [None, b"Xs@x\0"])
def test_a_message_without_sender_waits(around, info):
    preprocessed(around, 7, local=b"Ta@me\0")
    os.unlink(around.paths.info(7))
    if info:
        around.put(7, info=info)
    around.turn()
    assert around.orders() == []
    assert around.daemon.deliveries.waiting[0].first() > around.daemon.now
