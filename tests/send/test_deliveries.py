"""Deliveries begun and reported, with pipes in the place of spawners."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.send.channel import Channel
from qmailpy.send.deliveries import Deliveries
from qmailpy.send.files import Files
from qmailpy.send.settings import Settings
from tests.send.queue import make, put

NOW = 1000000


class Ends:
    """Deliveries of a queue, and the other ends of the pipes."""

    def __init__(self, place, limit=3):
        (place / "control").mkdir()
        (place / "control/me").write_text("me\n")
        (place / "queue").mkdir()
        self.files, self.pipes, channels = Files(make(place / "queue")), [], []
        for name in ("local", "remote"):
            orders, reports = os.pipe(), os.pipe()
            self.pipes.append((orders[0], reports[1]))
            channels.append(Channel(name, orders[1], reports[0], 120))
            os.write(reports[1], bytes([limit]))
            channels[-1].hello(20)
        self.deliveries = Deliveries(self.files, Settings(Home(str(place))), tuple(channels))
        self.deliveries.now = NOW

    def message(self, number, age=0, **files):
        put(self.files.paths, number, mess=b"m", info=b"Fs@x\0", **files)
        self.files.set_time("info", number, NOW - age)
        for channel, kind in enumerate(("local", "remote")):
            if kind in files:
                self.deliveries.waiting[channel].add(NOW, number)

    def begin(self, times=10):
        for _ in range(times):
            self.deliveries.begin()

    def report(self, slot, text, channel=0):
        os.write(self.pipes[channel][1], bytes([slot]) + text + b"\0")
        self.deliveries.read_reports(self.deliveries.channels[channel])

    def content(self, kind, number):
        with open(self.files.paths.name(kind, number), "rb") as found:
            return found.read()


@pytest.fixture
def ends(tmp_path):
    return Ends(tmp_path)


def test_success_ends_the_message(ends):
    ends.message(7, local=b"Ta@me\0Tb@me\0")
    ends.begin()
    assert os.read(ends.pipes[0][0], 100) == b"\x001/7\0s@x\0a@me\0" + b"\x011/7\0s@x\0b@me\0"
    ends.report(0, b"Kok\n")
    assert ends.content("local", 7) == b"Da@me\0Tb@me\0"
    ends.report(1, b"Kok\n")
    assert not ends.files.exists("local", 7)
    assert ends.deliveries.done.take_due(NOW) == 7


def test_a_deferral_waits_for_its_next_try(ends):
    ends.message(7, local=b"Ta@me\0")
    ends.begin()
    ends.report(0, b"Zlater\n")
    assert ends.deliveries.waiting[0].first() == NOW + 100
    assert ends.content("local", 7) == b"Ta@me\0"


def test_a_failure_is_noted_before_it_is_marked(ends):
    ends.message(7, local=b"Ta@me\0")
    ends.begin()
    ends.report(0, b"Dno\n")
    assert ends.content("bounce", 7) == b"<a@me>:\nno\n\n"
    assert ends.deliveries.done.first() is not None


def test_a_failure_that_cannot_be_noted_is_tried_again(ends):
    ends.message(7, local=b"Ta@me\0")
    ends.begin()
    os.rmdir(ends.files.paths.folder("bounce", 7))
    ends.report(0, b"Dno\n")
    assert ends.content("local", 7) == b"Ta@me\0"
    assert ends.deliveries.waiting[0].first() is not None


def test_an_old_message_fails_at_its_next_deferral(ends):
    ends.message(7, age=700000, local=b"Ta@me\0")
    ends.begin()
    ends.report(0, b"Zlater\n")
    assert ends.content("bounce", 7).startswith(b"<a@me>:\nlater\nI'm not going to try again")


def test_the_limit_holds(ends):
    ends.message(7, local=b"".join(b"Tu%d@me\0" % number for number in range(9)))
    ends.begin(30)
    assert len(ends.deliveries.channels[0].slots) == 3
    assert ends.deliveries.wakeup() is None
    ends.report(1, b"Kok\n")
    ends.begin(30)
    assert len(ends.deliveries.channels[0].slots) == 3


def test_both_channels_must_be_done(ends):
    ends.message(7, local=b"Ta@me\0", remote=b"Tb@far\0")
    ends.begin()
    ends.report(0, b"Kok\n")
    assert ends.deliveries.done.first() is None
    ends.report(0, b"Kok\n", channel=1)
    assert ends.deliveries.done.first() is not None


def test_reports_out_of_range(ends):
    ends.report(9, b"Kok\n")
    assert ends.deliveries.idle


def test_a_lost_spawner_ends_it_all_but_what_the_other_does(ends):
    ends.message(7, local=b"Ta@me\0", remote=b"Tb@far\0")
    ends.begin()
    os.close(ends.pipes[0][1])
    ends.deliveries.read_reports(ends.deliveries.channels[0])
    assert ends.deliveries.exiting
    assert not ends.deliveries.idle
    ends.report(0, b"Kok\n", channel=1)
    assert ends.deliveries.idle


def test_times_are_kept_for_the_next_start(ends):
    ends.message(7, local=b"Ta@me\0")
    ends.begin()
    ends.report(0, b"Zlater\n")
    ends.deliveries.keep_times()
    assert ends.files.time("local", 7) == NOW + 100


def test_a_file_that_cannot_be_removed_is_no_busy_loop(ends):
    ends.message(7, local=b"Da@me\0")
    real, ends.files.remove = ends.files.remove, lambda kind, number: (_ for _ in ()).throw(OSError(5, "io"))
    ends.begin()
    ends.files.remove = real
    assert ends.deliveries.waiting[0].first() > NOW
