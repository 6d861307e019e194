"""lock/boot: whether the host was started again, and how far its clock was set forward."""

import os
import pathlib
import time

import pytest

from qmailpy.queue.boot import BOOT_ID, Boot


def test_the_file_is_of_this_run_once_it_is_kept(tmp_path):
    path = tmp_path / "boot"
    path.touch()
    first = Boot(str(path))
    assert not first.same
    assert first.keep() and first.same
    assert path.read_bytes().split()[0] == pathlib.Path(BOOT_ID).read_bytes().strip()
    written = path.read_bytes()
    second = Boot(str(path))
    assert second.same and second.keep()
    assert path.read_bytes() == written


def test_other_contents_are_of_another_run(tmp_path):
    path = tmp_path / "boot"
    this = pathlib.Path(BOOT_ID).read_text().strip()
    for text in ("", "00000000-0000-0000-0000-000000000000 5\n", this, this[:-1] + " 5\n", f"{this} 5 5\n", f"\n{this} 5\n"):
        path.write_text(text)
        assert not Boot(str(path)).same


def test_a_queue_without_the_file(tmp_path):
    boot = Boot(str(tmp_path / "boot"))
    assert not boot.same and not boot.keep()
    assert not (tmp_path / "boot").exists()
    assert boot.ahead <= 1


def test_a_clock_that_is_set_forward_also_before_a_restart(tmp_path, monkeypatch):
    path = tmp_path / "boot"
    path.touch()
    boot, real = Boot(str(path)), time.time
    boot.keep()
    monkeypatch.setattr(time, "time", lambda: real() + 100000)
    assert 99998 <= boot.ahead <= 100002
    assert 99998 <= Boot(str(path)).ahead <= 100002
    monkeypatch.setattr(time, "time", lambda: real() - 100000)
    assert boot.ahead == 0


def kept(path):
    path.touch()
    boot = Boot(str(path))
    boot.keep()
    return boot


def test_what_was_noted_is_found_in_the_same_run(tmp_path):
    path = tmp_path / "boot"
    first = kept(path)
    places = [first.note(b"%d 2 3" % number) for number in range(3)]
    assert places == [1, 2, 3]
    first.free(2)
    assert first.note(b"7 2 3") == 2
    second = Boot(str(path))
    assert second.same and second.ahead <= 1
    assert [second.place(stamp) for stamp in (b"0 2 3", b"7 2 3", b"2 2 3", b"1 2 3", b"0 2 4")] == [1, 2, 3, 0, 0]


def test_after_the_host_was_started_again_nothing_is_noted(tmp_path):
    path = tmp_path / "boot"
    kept(path).note(b"7 2 3")
    path.write_text(path.read_text().replace(path.read_text()[:36], "00000000-0000-0000-0000-000000000000"))
    second = Boot(str(path))
    assert not second.same and not second.place(b"7 2 3")
    second.keep()
    assert path.read_bytes().count(b"\n") == 1


def test_places_of_messages_that_have_gone_are_free(tmp_path):
    path = tmp_path / "boot"
    first = kept(path)
    for number in range(4):
        first.note(b"%d 2 3" % number)
    second = Boot(str(path))
    second.forget_others({1, 3})
    assert sorted(second.note(b"%d 5 6" % number) for number in range(9, 12)) == [1, 3, 5]
    third = Boot(str(path))
    assert third.place(b"1 2 3") == 2 and third.place(b"3 2 3") == 4


def test_a_place_is_empty_when_its_message_has_gone(tmp_path):
    """The number may be another message's from then on."""
    path = tmp_path / "boot"
    first = kept(path)
    places = [first.note(b"%d 2 3" % number) for number in (7, 8)]
    first.free(places[0])
    second = Boot(str(path))
    assert not second.place(b"7 2 3") and second.place(b"8 2 3")
    assert second.note(b"9 2 3") == places[0]
    third = Boot(str(path))
    third.forget_others(())
    assert not Boot(str(path)).place(b"8 2 3") and not Boot(str(path)).place(b"9 2 3")


def test_a_place_that_cannot_be_made_empty_is_not_used_again(tmp_path, monkeypatch):
    boot = kept(tmp_path / "boot")
    place = boot.note(b"7 2 3")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, offset: 5)
        boot.free(place)
    assert boot.note(b"8 2 3") != place


def test_a_file_without_room_for_it_behind_its_first_line(tmp_path):
    """As it was before there were places."""
    path = tmp_path / "boot"
    path.write_text(pathlib.Path(BOOT_ID).read_text().strip() + " 5\n")
    boot = Boot(str(path))
    assert boot.same and boot.keep()
    assert boot.note(b"7 2 3") == 1
    second = Boot(str(path))
    assert second.same and second.place(b"7 2 3") == 1


def test_a_note_that_cannot_be_written_takes_no_place(tmp_path, monkeypatch):
    boot = kept(tmp_path / "boot")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, offset: 5)
        with pytest.raises(OSError, match="whole"):
            boot.note(b"7 2 3")
    assert boot.note(b"8 2 3") == 1


@pytest.mark.parametrize("rest", [b"\0" * 1000, b"x" * 1000, b"\n" * 300, b"-1 2 3" + b" " * 300])
def test_odd_places(tmp_path, rest):
    path = tmp_path / "boot"
    kept(path)
    with path.open("ab") as out:
        out.write(rest)
    boot = Boot(str(path))
    assert boot.same
    boot.forget_others({7})
    assert not boot.place(b"7 2 3")
    place = boot.note(b"7 2 3")
    assert Boot(str(path)).place(b"7 2 3") == place
