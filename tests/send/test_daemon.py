"""The loop's parts: taking up a queue, leftovers, what a power cut leaves."""

import os

import pytest

from qmailpy.home import Home
from qmailpy.send.channel import Channel
from qmailpy.send.clean import Cleaner
from qmailpy.send.daemon import OSSIFIED, Daemon
from qmailpy.send.files import Files
from qmailpy.send.finish import Finisher
from qmailpy.send.settings import Settings
from qmailpy.unix.poll import Poll
from qmailpy.unix.signals import HUP
from tests.send.queue import make, put


@pytest.fixture
def daemon(tmp_path):
    (tmp_path / "control").mkdir()
    (tmp_path / "control/me").write_text("me\n")
    (tmp_path / "queue").mkdir()
    files, home = Files(make(tmp_path / "queue")), Home(str(tmp_path))
    orders, answers = os.pipe(), os.pipe()
    os.write(answers[1], b"+" * 1000)
    cleaner, settings = Cleaner(orders[1], answers[0]), Settings(home)
    found = Daemon(files, settings, (Channel("local", 1, 2, 120), Channel("remote", 3, 4, 120)), cleaner, Finisher(home, {}, files, settings, cleaner))
    found.requests = orders[0]
    found.tell_time()
    yield found
    for fd in (*orders, *answers):
        os.close(fd)


def requests(daemon):
    os.set_blocking(daemon.requests, False)
    try:
        return os.read(daemon.requests, 65536)
    except BlockingIOError:
        return b""


def test_a_queue_is_taken_up(daemon):
    put(daemon.files.paths, 7, mess=b"m", info=b"Fs\0", local=b"Ta\0")
    put(daemon.files.paths, 8, mess=b"m", info=b"Fs\0", remote=b"Tb\0")
    put(daemon.files.paths, 9, mess=b"m", info=b"Fs\0")
    put(daemon.files.paths, 10, mess=b"m", info=b"Fs\0", todo=b"")
    for number in (7, 8, 9, 10):
        daemon.take_up(number)
    assert [len(waiting) for waiting in daemon.deliveries.waiting] == [1, 1]
    assert daemon.deliveries.done.take_due(daemon.now) == 9
    assert daemon.deliveries.done.first() is None


@pytest.mark.parametrize(("files", "goes"), [
    ({"info": b"Fs\0", "local": b"Ta\0"}, True), ({"info": b"", "mess": b"m"}, True), ({"info": b"Fs", "mess": b"m", "local": b"Ta\0"}, True), ({"info": b"Fs\0", "mess": b"m", "local": b"Ta\0"}, False),
    ({"local": b"Ta\0"}, True), ({"remote": b"Ta\0"}, True), ({"bounce": b"b"}, True), ({"bounce": b"b", "mess": b"m"}, False), ({"local": b"Ta\0", "todo": b""}, False),
])
def test_what_a_power_cut_may_leave(daemon, files, goes):
    put(daemon.files.paths, 7, **files)
    daemon.take_up(7)
    daemon.remove_orphans()
    left = {kind for kind in ("info", "local", "remote", "bounce") if daemon.files.exists(kind, 7)}
    assert left == (set() if goes else set(files) - {"mess", "todo"})


def test_leftovers_of_a_killed_qmail_queue(daemon):
    for number in (7, 8, 9):
        put(daemon.files.paths, number, mess=b"m")
    old = daemon.now - OSSIFIED - 10
    for number in (7, 9):
        os.utime(daemon.files.paths.mess(number), (old, old))
    put(daemon.files.paths, 9, todo=b"")
    for _ in range(10):
        daemon.clean_up()
    assert requests(daemon) == b"foop/7\0"
    assert daemon.leftovers is None
    assert daemon.cleanup_due > daemon.now


def test_new_mail_is_taken_one_message_a_turn(daemon):

    for number in (7, 8):
        put(daemon.files.paths, number, mess=b"m", todo=b"u1\0p2\0Fs\0Ta@me\0")
    poll = Poll()
    daemon.look_for_mail(False, poll)
    assert requests(daemon) == b"todo/7\0"
    daemon.look_for_mail(False, poll)
    assert requests(daemon) == b"todo/8\0"
    assert len(daemon.deliveries.waiting[0]) == 2
    os.close(daemon.trigger)


def test_todo_without_mess_was_finished(daemon):
    put(daemon.files.paths, 7, todo=b"u1\0p2\0Fs\0Ta@me\0")
    daemon.preprocess(7)
    assert requests(daemon) == b"todo/7\0"
    assert not daemon.files.exists("info", 7)


def test_a_hashed_todo_of_another_layout_is_read(daemon):
    place = daemon.files.todo_names(7)[1]
    os.makedirs(os.path.dirname(place))
    with open(place, "wb") as out:
        out.write(b"u1\0p2\0Fs\0Ta@me\0")
    put(daemon.files.paths, 7, mess=b"m")
    daemon.preprocess(7)
    assert len(daemon.deliveries.waiting[0]) == 1


def test_the_end_is_awaited_without_a_trigger_as_well(daemon):
    daemon.deliveries.exiting = True
    daemon.look_for_mail(False, Poll())
    assert daemon.todo_due == 0


def test_a_hup_with_one_unreadable_file_changes_nothing(daemon, tmp_path):
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
