"""Whether a program is still the one that setup put there."""

import os
import shutil

import pytest

from qmailpy.home import Home
from qmailpy.unix import ours
from qmailpy.unix.ours import Program


@pytest.fixture
def home(tmp_path):
    """A home with one program, recorded, and a link to the library that this test has loaded."""
    found = Home(str(tmp_path))
    for folder in ("bin", "lib/qmailpy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin/work").write_text("launcher")
    (tmp_path / "bin/work").chmod(0o711)
    os.symlink(ours.LOADED, found.at(ours.CURRENT))
    write_record(found, {b"work": ours.fingerprint(os.stat(found.at("bin/work")))})
    return found


def write_record(home, programs):
    with open(home.at(ours.RECORD), "wb") as out:
        out.write(ours.record(programs))


def touch(home, path):
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))


def write_into(home, path):
    times = os.stat(path)
    with open(path, "r+") as out:
        out.write("another!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def copy(home, path):
    shutil.copy2(path, path + ".new")
    os.rename(path + ".new", path)


def away_and_back(home, path):
    os.rename(path, path + ".away")
    os.rename(path + ".away", path)


def another_library(home, path):
    os.unlink(home.at(ours.CURRENT))
    os.symlink("0.0-another", home.at(ours.CURRENT))


def mode(bits):
    return lambda home, path: os.chmod(path, bits)


@pytest.mark.parametrize(("change", "ours_again"), [
    (touch, False), (copy, False), (mode(0o644), False), (mode(0o4711), False), (another_library, False), (away_and_back, True), (mode(0o755), True),
    (lambda home, path: os.unlink(path), False),
])
def test_what_has_changed_is_not_ours_and_what_is_as_recorded_is_again_at_the_next_start(home, change, ours_again):
    before = Program(home, "work")
    assert before.is_at(before.path)
    change(home, before.path)
    assert not before.is_at(before.path)
    after = Program(home, "work")
    assert (after.known, after.is_at(after.path)) == (ours_again, ours_again)


def test_a_file_written_into_is_seen_by_its_ctime_even_if_its_mtime_was_set_back(home):
    before = Program(home, "work")
    write_into(home, before.path)
    assert not before.is_at(before.path)


@pytest.mark.parametrize("record", [b"", b"work\n", b"work 1 2 3\n", b"work x y z\n", b"other 1 2 3\n", b"\0\xff\n\n"])
def test_what_is_not_recorded_is_not_ours(home, record):
    with open(home.at(ours.RECORD), "wb") as out:
        out.write(record)
    assert not Program(home, "work").known


def test_without_record_or_program_nothing_is_ours(home):
    assert not Program(home, "none").known
    os.unlink(home.at(ours.RECORD))
    found = Program(home, "work")
    assert not found.known and not found.is_at(found.path) and not found.is_found("work", {"PATH": home.at("bin")}, "/")


def test_the_first_of_its_name_in_path_counts(home, tmp_path):
    for name in ("empty", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other/work").write_text("somebody else's")
    found, bin_ = Program(home, "work"), home.at("bin")
    assert found.is_found("work", {"PATH": f"{tmp_path}/none:{bin_}/work:{tmp_path}/empty:{bin_}"}, "/")
    assert not found.is_found("work", {"PATH": f"{tmp_path}/other:{bin_}"}, "/")
    assert not found.is_found("work", {"PATH": str(tmp_path / "empty")}, "/")
    assert not found.is_found("work", {}, "/")
    assert found.is_found("work", {"PATH": "."}, bin_) and not found.is_found("work", {"PATH": ":" + bin_}, str(tmp_path / "other"))


def test_the_record_can_be_read_again():
    programs = {b"b": (1, 2, 3), b"a": (4, 5, 6)}
    assert ours.record(programs) == b"a 4 5 6\nb 1 2 3\n"
    assert ours.parse(ours.record(programs)) == programs
