"""What kills and power cuts leave in the queue."""

import os

import pytest

from qmailpy.queue import leftovers
from qmailpy.queue.leftovers import OSSIFIED, Survey, is_old, numbers
from tests.send.queue import make, put


class Clock:
    ahead = 0


def test_only_time_that_has_passed_makes_old():
    clock = Clock()
    assert is_old(0, OSSIFIED + 1, clock)
    assert not is_old(0, OSSIFIED, clock)
    clock.ahead = 100000
    assert not is_old(0, OSSIFIED + 99999, clock)
    assert is_old(0, OSSIFIED + 100001, clock)


@pytest.mark.parametrize("big", [False, True])
def test_numbers_in_flat_and_split_folders(tmp_path, big):
    paths = make(tmp_path, big_todo=big)
    for number in (3, 4, 50):
        put(paths, number, info=b"", todo=b"")
    (tmp_path / "todo/junk").write_text("")
    assert sorted(numbers(paths.queue, "info")) == sorted(numbers(paths.queue, "todo")) == [3, 4, 50]


def left(paths, number):
    return {kind for kind in ("mess", "todo", "info", "local", "remote", "bounce") if os.path.exists(paths.name(kind, number))}


@pytest.mark.parametrize(("files", "stays"), [
    ({"mess": b"m", "info": b"Fs\0", "local": b"Ta\0", "bounce": b"b"}, {"mess", "info", "local", "bounce"}),
    ({"mess": b"m", "info": b"", "local": b"Ta\0"}, {"mess"}),
    ({"mess": b"m", "info": b"Fs", "bounce": b"b"}, {"mess"}),
    ({"mess": b"m", "info": b"", "todo": b"e"}, {"mess", "info", "todo"}),
    ({"info": b"Fs\0", "local": b"Ta\0", "remote": b"Ta\0", "bounce": b"b"}, set()),
    ({"bounce": b"b"}, set()),
    ({"mess": b"m", "local": b"Ta\0"}, {"mess", "local"}),  # its number is in use; whoever uses it removes the file
    ({"local": b"Ta\0", "todo": b"e"}, {"local", "todo"}),
])
def test_what_belongs_to_no_message_goes_with_one_line_and_synced(tmp_path, monkeypatch, files, stays):
    paths, told, synced, real = make(tmp_path), [], set(), leftovers.sync_folder
    monkeypatch.setattr(leftovers, "sync_folder", lambda path: synced.add(path) or real(path))
    put(paths, 7, **files)
    messages = Survey(paths).sweep(told.append)
    assert left(paths, 7) == stays
    assert told == [7] * (stays != set(files))
    assert synced == {paths.folder(kind, 7) for kind in set(files) - stays}
    assert messages == ({7} if "info" in stays and "todo" not in stays else set())


def test_after_a_power_cut_nothing_that_was_made_of_an_envelope_is_believed(tmp_path):
    paths = make(tmp_path)
    put(paths, 7, mess=b"m", todo=b"e", info=b"Fs\0", local=b"Da\0", bounce=b"b")
    put(paths, 8, mess=b"m", info=b"Fs\0", local=b"Da\0")
    survey = Survey(paths)
    survey.sweep(lambda number: None)
    survey.distrust()
    assert left(paths, 7) == {"mess", "todo"}
    assert left(paths, 8) == {"mess", "info", "local"}
