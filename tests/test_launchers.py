"""Launchers with their settings filled in."""

import pathlib

import pytest

from qmailpy.launchers import MARKER, ROOM, Unusable, filled, is_launcher, moved

BUILT = b"\x7fELF..." + MARKER + bytes(ROOM + 1) + b"rest"


def test_settings_are_filled_in_and_nothing_else_changes():
    made = filled(BUILT, "qmail-queue", "/var/qmail", "/usr/bin/python3.11")
    assert len(made) == len(BUILT)
    assert made.startswith(b"\x7fELF..." + MARKER + b"qmail-queue\0/var/qmail/bin/qmail-queue\0/usr/bin/python3.11\0/var/qmail/lib/qmailpy/current/boot.pyc\0\0")
    assert made.endswith(b"\0rest")
    assert is_launcher(made)


def test_what_cannot_be_filled():
    with pytest.raises(Unusable, match="no marker"):
        filled(b"something else", "x", "/h", "/p")
    with pytest.raises(Unusable, match="too long"):
        filled(BUILT, "x", "/" + "h" * ROOM, "/p")


def test_a_launcher_moves_to_another_home():
    made = filled(BUILT, "qmail-queue", "/var/qmail", "/usr/bin/python3.11")
    assert moved(made, "/var/qmail", "/tmp/other") == filled(BUILT, "qmail-queue", "/tmp/other", "/usr/bin/python3.11")
    with pytest.raises(Unusable, match="too long"):
        moved(made, "/var/qmail", "/" + "h" * ROOM)


def test_the_source_agrees_on_marker_and_room():
    source = pathlib.Path(__file__).resolve().parents[1].joinpath("launcher/launcher.c").read_text()
    assert f'#define MARKER "{MARKER.decode()}"' in source
    assert f"#define ROOM {ROOM}" in source
