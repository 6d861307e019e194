"""qmail-qread."""

import json
import os
import re
import shutil

import pytest

from tests.checkout import LittleHome
from tests.send.queue import Restless, make, put


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    found.paths = make(tmp_path / "queue", split=23)
    return found


def listed(home, *options):
    done = home.run("qmail-qread", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_messages_and_recipients(home):
    assert listed(home) == b""
    put(home.paths, 7, mess=b"x" * 42, info=b"Fs\n@x\0", local=b"Ta@me\0Db@me\0", remote=b"Tc\xff@far\0", bounce=b"b")
    os.utime(home.paths.info(7), (1000000000, 1000000000))
    put(home.paths, 8, info=b"Fs\0")
    assert listed(home) == (b"9 Sep 2001 01:46:40 GMT  #7  42  <s_@x>  bouncing\n\tlocal\ta@me\n  done\tlocal\tb@me\n\tremote\tc_@far\n"
                            b"warning: trouble with #8: file does not exist\n")


@pytest.mark.parametrize(("local", "shown"), [
    (b"Ta@me\0Qodd\0\0Db@me\0", b"\tlocal\ta@me\n  done\tlocal\tb@me\n"), (b"Ta@me\0Tcut@m", b"\tlocal\ta@me\n"), (b"", b""), (b"T" + b"x" * 70000 + b"\0", b"\tlocal\t" + b"x" * 70000 + b"\n"),
])
def test_records(home, local, shown):
    put(home.paths, 7, mess=b"", info=b"F\0", local=local)
    assert listed(home).partition(b"  <> \n")[2] == shown


def test_a_channel_that_cannot_be_read_hides_nothing_else(home):
    put(home.paths, 7, mess=b"", info=b"F\0", remote=b"Tc@far\0")
    os.mkdir(home.paths.local(7))
    assert listed(home).split(b"\n")[1:] == [b"warning: trouble with #7: is a directory", b"\tremote\tc@far", b""]
    assert json.loads(listed(home, "--json"))["recipients"] == [{"channel": "remote", "address": "c@far", "done": False}]
    assert json.loads(listed(home, "--json"))["trouble"] == "is a directory"


def test_json(home):
    put(home.paths, 7, mess=b"x" * 42, info=b"Fs\xff\"@x\0", local=b"Ta@me\0Db@me\0", remote=b"Tc@far\0", bounce=b"b")
    os.utime(home.paths.info(7), (1000000000, 1000000000))
    put(home.paths, 8, info=b"Fs\0")
    put(home.paths, 9, mess=b"", info=b"F\0")
    rows = {row["number"]: row for row in map(json.loads, listed(home, "--json").splitlines())}
    assert rows == {
        7: {"number": 7, "birth": 1000000000, "size": 42, "sender": "s\\xff\"@x", "bouncing": True, "recipients": [
            {"channel": "local", "address": "a@me", "done": False}, {"channel": "local", "address": "b@me", "done": True},
            {"channel": "remote", "address": "c@far", "done": False}]},
        8: {"number": 8, "trouble": "file does not exist"},
        9: {"number": 9, "birth": rows[9]["birth"], "size": 0, "sender": "", "bouncing": False, "recipients": []},
    }


def test_other_words_are_ignored_as_ever(home):
    assert listed(home, "-x", "y") == b""


def test_messages_may_come_and_go_meanwhile(home):
    """Each message that stays is listed, once and whole; what moves is listed, or left out, or in one line of trouble."""
    staying = range(0, 230, 10)
    for number in staying:
        put(home.paths, number, mess=b"m", info=b"Fstays@x\0", local=b"Tstays@me\0", remote=b"Dstays@far\0")
    moving = re.compile(rb"(.* GMT  #[12]\d\d\d  1  <(moving@x)?> |\tlocal\tmoving@me|warning: trouble with #[12]\d\d\d: file does not exist|)")
    with Restless(home.paths, range(1000, 2900)) as others:
        for _ in range(5):
            text = re.sub(rb".* GMT  #(\d+)  1  <stays@x> \n\tlocal\tstays@me\n  done\tremote\tstays@far\n", rb"\1!", listed(home))
            assert sorted(map(int, re.findall(rb"(\d+)!", text))) == list(staying)
            assert all(moving.fullmatch(line) for line in re.sub(rb"\d+!", b"", text).split(b"\n"))
            rows = [json.loads(line) for line in listed(home, "--json").splitlines()]
            assert sorted(row["number"] for row in rows if row.get("sender") == "stays@x" and len(row["recipients"]) == 2) == list(staying)
    assert others.rounds


@pytest.mark.parametrize(("gone", "words"), [("", b"unable to chdir: file does not exist"), ("info/5", b"unable to opendir info/5: file does not exist")])
def test_no_queue(home, gone, words):
    """Plain, it is told on standard output, as ever; with --json that stays clean."""
    put(home.paths, 1, mess=b"", info=b"F\0")
    shutil.rmtree(home.path / "queue" / gone)
    done = home.run("qmail-qread")
    assert (done.returncode, done.stdout.split(b"\n")[-2], done.stderr) == (111, b"fatal: " + words, b"")
    done = home.run("qmail-qread", "--json")
    assert (done.returncode, done.stderr) == (111, b"qmail-qread: fatal: " + words + b"\n")
    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == ([1] if gone else [])
