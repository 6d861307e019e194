"""lock/boot: whether the host was started again, and how far its clock was set forward."""

import pathlib
import time

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
    for text in ("", "00000000-0000-0000-0000-000000000000 5\n", this, this[:-1] + " 5\n", f"{this} 5 5\n"):
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
