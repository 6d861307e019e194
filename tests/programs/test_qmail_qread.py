"""qmail-qread."""

import json
import os

from tests.checkout import LittleHome
from tests.send.queue import make, put


def test_messages_and_recipients(tmp_path):
    home = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    paths = make(tmp_path / "queue", split=23)
    assert home.run("qmail-qread").stdout == b""
    put(paths, 7, mess=b"x" * 42, info=b"Fs\n@x\0", local=b"Ta@me\0Db@me\0", remote=b"Tc@far\0", bounce=b"b")
    os.utime(paths.info(7), (1000000000, 1000000000))
    put(paths, 8, info=b"Fs\0")
    done = home.run("qmail-qread")
    assert done.returncode == 0
    assert done.stdout == (b"9 Sep 2001 01:46:40 GMT  #7  42  <s_@x>  bouncing\n\tlocal\ta@me\n  done\tlocal\tb@me\n\tremote\tc@far\n"
                           b"warning: trouble with #8: file does not exist\n")


def test_no_queue(tmp_path):
    done = LittleHome(tmp_path).run("qmail-qread")
    assert (done.returncode, done.stdout) == (111, b"fatal: unable to opendir info: file does not exist\n")


def test_json(tmp_path):
    home = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    paths = make(tmp_path / "queue", split=23)
    put(paths, 7, mess=b"x" * 42, info=b"Fs\xff\"@x\0", local=b"Ta@me\0Db@me\0", remote=b"Tc@far\0", bounce=b"b")
    os.utime(paths.info(7), (1000000000, 1000000000))
    put(paths, 8, info=b"Fs\0")
    put(paths, 9, mess=b"", info=b"F\0")
    done = home.run("qmail-qread", "--json")
    assert done.returncode == 0
    rows = {row["number"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows == {
        7: {"number": 7, "birth": 1000000000, "size": 42, "sender": "s\\xff\"@x", "bouncing": True, "recipients": [
            {"channel": "local", "address": "a@me", "done": False}, {"channel": "local", "address": "b@me", "done": True},
            {"channel": "remote", "address": "c@far", "done": False}]},
        8: {"number": 8, "trouble": "file does not exist"},
        9: {"number": 9, "birth": rows[9]["birth"], "size": 0, "sender": "", "bouncing": False, "recipients": []},
    }


def test_other_words_are_ignored_as_ever(tmp_path):
    home = LittleHome(tmp_path)
    (tmp_path / "queue").mkdir()
    make(tmp_path / "queue", split=23)
    assert home.run("qmail-qread", "-x", "y").returncode == 0


def test_json_keeps_its_output_clean(tmp_path):
    done = LittleHome(tmp_path).run("qmail-qread", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"fatal: unable to opendir info: file does not exist\n")
