"""What the sender is to be told."""

import os
import resource

import pytest

from qmailpy.send.notes import Notes, append
from tests.send.queue import make


class Rounds:
    """Syncs that end when they are told to."""

    def __init__(self):
        self.wanted = []

    def want(self, paths, then, number):
        self.wanted.append((set(paths), lambda good: then(number, good)))


@pytest.fixture
def notes(tmp_path):
    found = Notes(make(tmp_path), Rounds())
    found.heard = []
    return found


def content(notes):
    with open(notes._paths.bounce(7), "rb") as found:
        return found.read()


def add(notes, text):
    notes.add(7, text, lambda good: notes.heard.append((text, good)))


def test_a_note_is_noted_when_it_is_synced_its_name_as_well(notes):
    add(notes, b"one\n")
    [(paths, end)] = notes._syncs.wanted
    assert paths == {notes._paths.bounce(7), notes._paths.folder("bounce", 7)}
    assert content(notes) == b"one\n" and not notes.heard and not notes.idle
    end(True)
    assert notes.heard == [(b"one\n", True)] and notes.idle


def test_what_comes_meanwhile_waits_and_is_written_together(notes):
    for text in (b"one\n", b"two\n", b"three\n"):
        add(notes, text)
    assert content(notes) == b"one\n"
    notes._syncs.wanted[0][1](True)
    assert content(notes) == b"one\ntwo\nthree\n"
    assert notes._syncs.wanted[1][0] == {notes._paths.bounce(7)}
    notes._syncs.wanted[1][1](True)
    assert notes.heard == [(b"one\n", True), (b"two\n", True), (b"three\n", True)]


def test_what_cannot_be_synced_is_cut_off(notes):
    add(notes, b"one\n")
    notes._syncs.wanted[0][1](True)
    add(notes, b"two\n")
    add(notes, b"three\n")
    notes._syncs.wanted[1][1](False)
    assert content(notes) == b"one\nthree\n"
    notes._syncs.wanted[2][1](True)
    assert notes.heard == [(b"one\n", True), (b"two\n", False), (b"three\n", True)]


def test_what_cannot_be_written_is_not_noted(notes):
    os.rmdir(notes._paths.folder("bounce", 7))
    add(notes, b"one\n")
    assert notes.heard == [(b"one\n", False)] and notes.idle


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = str(tmp_path / "bounce")
    assert append(path, b"one\n") == 0
    assert append(path, b"two\n") == 4
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError):
            append(path, b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "bounce").read_bytes() == b"one\ntwo\n"
