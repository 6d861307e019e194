"""Preprocessing one message, and walking todo."""

import os

import pytest

from qmailpy.text.route import LOCAL, REMOTE, Routes
from qmailpy.send.todo import Folder, Preprocessor, Trouble
from tests.send.queue import make, put

ROUTES = Routes(b"me", frozenset([b"me"]), frozenset(), {})


def process(paths, number, envelope):
    put(paths, number, todo=envelope)
    source = os.open(paths.todo(number), os.O_RDONLY)
    try:
        return Preprocessor(paths, ROUTES).process(source, number, 42)
    finally:
        os.close(source)


def content(paths, kind, number):
    try:
        with open(paths.name(kind, number), "rb") as found:
            return found.read()
    except FileNotFoundError:
        return None


def test_recipients_are_sorted_into_their_files(tmp_path):
    paths = make(tmp_path)
    assert process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0Tb@far\0Tc@me\0") == {LOCAL, REMOTE}
    assert content(paths, "info", 7) == b"Fs@x\0"
    assert content(paths, "local", 7) == b"Ta@me\0Tc@me\0"
    assert content(paths, "remote", 7) == b"Tb@far\0"
    assert os.stat(paths.info(7)).st_mode & 0o777 == 0o600


def test_one_channel_and_none(tmp_path):
    paths = make(tmp_path)
    assert process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0") == {LOCAL}
    assert content(paths, "remote", 7) is None
    assert process(paths, 8, b"u1\0p2\0F\0") == set()


def test_what_a_crash_has_left_is_made_anew(tmp_path):
    paths = make(tmp_path)
    put(paths, 7, info=b"Fold\0", local=b"Told@me\0", remote=b"Told@far\0")
    assert process(paths, 7, b"u1\0p2\0Fs@x\0Ta@me\0") == {LOCAL}
    assert (content(paths, "info", 7), content(paths, "local", 7), content(paths, "remote", 7)) == (b"Fs@x\0", b"Ta@me\0", None)


@pytest.mark.parametrize(("envelope", "words"), [(b"u1\0Fs\0Qx\0", "unknown record type in todo/7"), (b"u1\0Fs\0\0", "unknown record type")])
def test_odd_records(tmp_path, envelope, words):
    with pytest.raises(Trouble, match=words):
        process(make(tmp_path), 7, envelope)


def test_missing_folders(tmp_path):
    paths = make(tmp_path)
    os.rmdir(paths.folder("local", 7))
    with pytest.raises(Trouble, match="unable to create local/1/7"):
        process(paths, 7, b"Fs\0Ta@me\0")


def test_many_recipients(tmp_path):
    paths = make(tmp_path)
    envelope = b"u1\0p2\0Fs\0" + b"".join(b"Tuser%d@far\0" % number for number in range(20000))
    process(paths, 7, envelope)
    assert content(paths, "remote", 7) == envelope.partition(b"Fs\0")[2]


@pytest.mark.parametrize("big", [False, True])
def test_a_walk_finds_flat_and_hashed_entries(tmp_path, big):
    paths = make(tmp_path, big_todo=big)
    for number in (5, 100, 7):
        put(paths, number, todo=b"")
    (tmp_path / "todo/x7").write_text("")
    (tmp_path / "todo/99").write_text("")  # flat in a hashed todo: left by another layout
    folder = Folder(str(tmp_path / "todo"))
    assert not folder.walking
    folder.begin()
    found = []
    while (number := folder.next()) is not None:
        found.append(number)
    assert sorted(found) == [5, 7, 99, 100]
    assert not folder.walking
