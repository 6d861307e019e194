"""qmail-showctl: the report as a whole."""

import json
import os

import pytest

from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def test_what_was_fixed_at_installation(home):
    done = home.run("qmail-showctl")
    uid, gid = os.geteuid(), os.getegid()
    assert done.returncode == 0
    assert done.stdout.decode().startswith(
        f"qmail home directory: {home.path}.\nuser-ext delimiter: -.\npaternalism (in decimal): 2.\n"
        "silent concurrency limit: 120.\nsubdirectory split: 23.\n"
        f"user ids: {', '.join([str(uid)] * 8)}.\ngroup ids: {gid}, {gid}.\n\nantispoofing: (Default.) ")


def test_paragraphs(home):
    home.control(concurrencylocal="7x\n", locals="a\nb\n")
    text = home.run("qmail-showctl").stdout
    assert b"\n\nconcurrencylocal: Local concurrency is 7.\n\n" in text
    assert b"\n\nlocals: \nMessages for a are delivered locally.\nMessages for b are delivered locally.\n\nmaxcommands: " in text
    assert b"\n\nme: My name is me.example.\n\n" in text


def test_files_that_are_no_settings(home):
    (home.path / os.fsdecode(b"control/odd\xff")).write_text("")
    text = home.run("qmail-showctl").stdout
    assert b"\n\nodd\xff: I have no idea what this file does.\n" in text
    assert text.endswith(b"\n\nwarnings:\n  odd\xff: nothing reads this file.\n")


def test_without_anything_to_warn_of_there_are_no_warnings(home):
    assert b"warnings:" not in home.run("qmail-showctl").stdout


def test_json(home):
    home.control(tlsremote="", signkey="very secret\n", smtproutes=":r u very secret\n")
    done = home.run("qmail-showctl", "--json", DATABYTES="9")
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0
    assert (rows["databytes"]["value"], rows["databytes"]["origin"]) == (9, "variable DATABYTES")
    assert rows["tlsremote"]["warnings"]
    assert b"very secret" not in done.stdout + home.run("qmail-showctl").stdout


def test_no_control_folder(home):
    (home.path / "control/me").unlink()
    (home.path / "control").rmdir()
    done = home.run("qmail-showctl")
    assert done.returncode == 111 and done.stdout.endswith(b"\nOops! Unable to chdir to control.\n")


def test_me_that_cannot_be_read(home):
    (home.path / "control/me").unlink()
    (home.path / "control/me").mkdir()
    done = home.run("qmail-showctl")
    assert done.returncode == 111 and done.stdout.endswith(b"\nOops! Trouble reading control/me.\n")
