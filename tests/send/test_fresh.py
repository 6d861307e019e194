"""The lazy way: what is done with a message while its todo/N stands."""

import contextlib
import os

import pytest

from tests.send.queue import Around

ALL = {"mess", "intd", "todo", "info", "local", "remote"}
NO_FILES = {"mess", "intd", "todo"}  # of what qmail-send makes


def begun(around, number, *recipients):
    """A message whose deliveries have begun."""
    if not around.daemon.fresh.lazy:
        around.start()
    around.mail(number, *recipients)
    around.pull()
    around.turn()


@contextlib.contextmanager
def no_folder(folder):
    """A folder is not there for a while."""
    os.rename(folder, folder + ".away")
    yield
    os.rename(folder + ".away", folder)


def synced(around, *names):
    """Have what is synced by both kinds of syncs written down; None fails."""
    found = []

    def sync(paths):
        found.append(set(paths))
        return set()

    around.daemon.syncs._disk.sync = sync
    return found


def test_what_is_done_at_once_never_has_files_and_todo_goes_first(around):
    found = synced(around)
    begun(around, 7, b"a@me")
    assert around.orders() == [(0, b"1/7", b"s@x", b"a@me")]
    assert around.left(7) == NO_FILES
    around.report(0, b"Kok\n")
    around.turn(clean=False)
    assert around.asked == [b"todo/7"]
    assert around.left(7) == NO_FILES
    assert found == []
    around.obey(around.asked[0])
    around.until(lambda: not around.left(7))
    assert around.asked == [b"todo/7", b"foop/7"]
    assert found == [{around.paths.folder("todo", 7)}]


def test_some_recipients_that_are_done_together_need_no_files(around):
    begun(around, 7, b"a@me", b"b@far", b"c@me")
    for slot, channel in ((0, 0), (1, 0), (0, 1)):
        around.report(slot, b"Kok\n", channel)
    around.turn(clean=False)
    assert around.asked == [b"todo/7"]
    assert around.left(7) == NO_FILES


def test_a_failure_makes_files_before_it_is_noted(around):
    begun(around, 7, b"a@me", b"b@me")
    around.report(0, b"Dno\n")
    around.turn()
    assert around.left(7) == ALL - {"remote"} | {"bounce"}
    around.until(lambda: around.content("local", 7) == b"Da@me\0Tb@me\0")


def test_files_that_cannot_be_made_are_made_later(around):
    begun(around, 7, b"a@me", b"b@far")
    with no_folder(around.paths.folder("local", 7)):
        around.report(0, b"Kok\n")
        around.turn()
    assert "warning: unable to create local/1/7" in around.log.lines
    assert around.left(7) >= {"mess", "todo"}
    around.report(0, b"Zlater\n", channel=1)
    around.until(lambda: not around.daemon.fresh)
    assert around.left(7) == {"mess", "info", "remote"}


def test_what_was_made_of_files_that_cannot_be_made_goes_with_the_message(around):
    begun(around, 7, b"a@me", b"b@far")
    with no_folder(around.paths.folder("local", 7)):
        around.report(0, b"Kok\n")
        around.turn()
    assert around.left(7) == NO_FILES | {"info"}
    around.report(0, b"Kok\n", channel=1)
    around.until(lambda: not around.left(7))


def test_a_second_try_reads_the_file_not_what_was_in_memory(around):
    begun(around, 7, b"a@me", b"b@me")
    around.report(0, b"Zlater\n")
    around.report(1, b"Kok\n")
    around.until(lambda: not around.daemon.fresh)
    assert around.content("local", 7) == b"Ta@me\0Db@me\0"
    around.orders()
    around.daemon.deliveries.hasten()
    around.until(lambda: around.daemon.channels[0].slots)
    assert [recipient for _, _, _, recipient in around.orders()] == [b"a@me"]


def test_that_a_message_is_done_is_noted_before_the_log_says_so(around):
    begun(around, 7, b"a@me")
    around.report(0, b"Kok\n")
    seen, real = [], around.daemon.boot.note
    around.daemon.boot.note = lambda stamp: seen.append(any("success" in line for line in around.log.lines)) or real(stamp)
    around.turn(clean=False)
    assert seen == [False]
    assert any("success" in line for line in around.log.lines)


def test_where_that_cannot_be_noted_there_are_files_with_done_marks(around, monkeypatch):
    begun(around, 7, b"a@me")
    around.report(0, b"Kok\n")
    monkeypatch.setattr(around.daemon.boot, "note", lambda stamp: (_ for _ in ()).throw(OSError))
    around.turn(clean=False)
    assert around.content("local", 7) == b"Da@me\0"
    around.obey(around.asked[0])
    around.until(lambda: not around.left(7))


def test_places_in_lock_boot_are_used_again(around):
    around.start()
    for number in (7, 8, 9):
        begun(around, number, b"a@me")
        around.report(0, b"Kok\n")
        around.until(lambda number=number: not around.left(number))
    with open(around.paths.lock("boot"), "rb") as kept:
        assert kept.read().count(b"\n") == 2


def test_a_channel_that_is_done_keeps_its_file_while_todo_stands(around):
    begun(around, 7, b"a@me", b"b@far")
    around.report(0, b"Kok\n")
    around.turn()
    assert around.content("local", 7) == b"Da@me\0"
    around.report(0, b"Kok\n", channel=1)
    around.until(lambda: not around.left(7))


def test_a_deferral_makes_an_ordinary_message_of_it(around):
    begun(around, 7, b"a@me", b"b@far")
    around.report(0, b"Kok\n", channel=1)
    around.turn()
    around.report(0, b"Zlater\n")
    around.until(lambda: not around.daemon.fresh)
    assert around.asked == [b"todo/7"]
    assert around.left(7) == {"mess", "info", "local"}


def test_so_does_time(around):
    begun(around, 7, b"a@me")
    around.until(lambda: not around.daemon.fresh)
    assert around.left(7) == {"mess", "info", "local"}
    around.report(0, b"Kok\n")
    around.until(lambda: not around.left(7))


def test_info_local_and_remote_are_synced_before_todo_goes(around):
    begun(around, 7, b"a@me", b"b@far")
    found = synced(around)
    around.until(lambda: around.asked)
    kinds = ("info", "local", "remote")
    assert found == [{around.paths.name(kind, 7) for kind in kinds} | {around.paths.folder(kind, 7) for kind in kinds}]


def test_many_messages_share_their_syncs(around):
    for number in range(10, 19):
        around.mail(number, b"a@me")
    around.start()
    around.daemon.channels[0].slots.limit = 20
    found = synced(around)
    around.until(lambda: len(around.asked) == 9)
    assert len(found) <= 4  # as many as there were messages, if they did not share
    assert len(set().union(*found)) == 9 * 2 + 3 * 2


def test_without_a_boot_id_all_is_synced_before_it_is_delivered(tmp_path):
    around = Around(tmp_path)
    (tmp_path / "queue/lock/boot").unlink()
    around.start()
    around.mail(7, b"a@me")
    around.pull()
    around.turn(clean=False)
    assert around.orders() == []
    around.until(lambda: around.asked)
    around.until(lambda: around.orders())
    assert around.left(7) == {"mess", "info", "local"}
    around.close()


def test_a_failed_sync_keeps_todo_and_nobody_believes_the_rest(around):
    begun(around, 7, b"a@me", b"b@far")
    around.daemon.syncs._disk.sync = set  # all fails
    around.report(0, b"Zlater\n")
    around.until(lambda: "warning: trouble fsyncing info/1/7" in around.log.lines)
    assert around.left(7) == ALL - {"info"}
    assert around.asked == []
    around.report(0, b"Kok\n", channel=1)
    around.daemon.deliveries.hasten()
    around.turn()
    around.turn()
    around.daemon.last_syncs._disk.sync = lambda paths: set()
    around.report(0, b"Kok\n")
    around.until(lambda: not around.left(7))
    assert around.asked == [b"todo/7", b"foop/7"]


@pytest.mark.parametrize("done", [True, False])
def test_todo_that_cannot_be_cleaned_is_tried_again(around, done):
    begun(around, 7, b"a@me")
    around.report(0, b"Kok\n" if done else b"Zlater\n")
    while not around.asked:
        around.turn(clean=False)
    os.write(around.answers, b"!")
    around.turn()
    assert around.left(7) == ALL - {"remote"}
    assert around.content("local", 7) == (b"D" if done else b"T") + b"a@me\0"
    assert around.daemon.fresh._messages[7].due > around.daemon.moment + 100
    around.daemon.fresh._messages[7].due = 0
    around.daemon.fresh._due[:] = [(0, 7)]
    around.until(lambda: not around.daemon.fresh)
    assert "todo" not in around.left(7)


def restarted(around, tmp_path, boot=None):
    """Another qmail-send after this one was killed; after a power cut, if `boot` is what lock/boot has."""
    if boot is not None:
        (tmp_path / "queue/lock/boot").write_text(boot)
    return Around(tmp_path).start()


def test_a_restart_goes_on_where_a_kill_has_stopped_it(around, tmp_path):
    begun(around, 7, b"a@me", b"c@me")
    around.report(0, b"Kok\n")
    around.turn()
    other = restarted(around, tmp_path)
    other.turn()
    assert [recipient for _, _, _, recipient in other.orders()] == [b"c@me"]
    other.until(lambda: not other.daemon.fresh)
    assert other.left(7) == {"mess", "info", "local"}
    other.close()


def test_after_a_power_cut_all_is_made_again(around, tmp_path):
    begun(around, 7, b"a@me", b"c@me")
    around.put(7, bounce=b"old")
    around.report(0, b"Kok\n")
    around.turn()
    other = restarted(around, tmp_path, "00000000-0000-0000-0000-000000000000 0\n")
    assert other.left(7) == {"mess", "intd", "todo"}
    other.turn()
    assert [recipient for _, _, _, recipient in other.orders()] == [b"a@me", b"c@me"]
    other.close()


def test_a_message_that_was_done_when_the_kill_came_ends(around, tmp_path):
    begun(around, 7, b"a@me")
    around.report(0, b"Kok\n")
    around.turn(clean=False)
    other = restarted(around, tmp_path)
    other.until(lambda: not other.left(7))
    assert not any("starting delivery" in line for line in other.log.lines)
    other.close()
