"""What a Maildir holds, and what is tidied up in it."""

import os

import pytest

from qmailpy.exits import Temporary
from qmailpy.local.scan import LEFT_BEHIND, clean, maildir, messages, unique

NOW = 2_000_000_000


@pytest.fixture
def box(tmp_path):
    """Makes a file of a Maildir, with times of access and change."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()

    def put(name, date=NOW - 1, content=b""):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (date, date))

    put.path = os.fsencode(tmp_path)
    return put


def names(found):
    return [name for _, name, _ in found]


def test_messages_oldest_first(box):
    box("new/b", NOW - 10, b"12345")
    box("cur/a:2,S", NOW - 20)
    box("new/c", NOW - 30.5)
    box("new/a", NOW - 10)
    assert messages(box.path, NOW) == [(NOW - 30.5, b"new/c", 0), (NOW - 20, b"cur/a:2,S", 0), (NOW - 10, b"new/a", 0), (NOW - 10, b"new/b", 5)]
    assert names(messages(box.path, NOW, [b"cur"])) == [b"cur/a:2,S"]


def test_what_has_just_come_is_for_the_next_time(box):
    box("new/now", NOW)
    box("new/later", NOW + 100)
    box("new/before", NOW - 0.5)
    assert names(messages(box.path, NOW)) == [b"new/before"]


def test_what_is_no_message(box):
    box("new/.hidden")
    os.symlink("nowhere", box.path + b"/new/gone")
    box("new/\udcff")
    assert names(messages(box.path, NOW)) == [b"new/\xff"]


def test_a_folder_that_is_not_there(box):
    os.rmdir(box.path + b"/cur")
    with pytest.raises(Temporary) as raised:
        messages(box.path, NOW)
    assert raised.value.text == "unable to scan $MAILDIR/cur: file does not exist"


def test_what_deliveries_have_left_behind_is_removed_when_it_is_old(box):
    box("tmp/old", NOW - LEFT_BEHIND - 1)
    box("tmp/young", NOW - LEFT_BEHIND)
    box("tmp/.old", 0)
    box("new/old", 0)
    clean(box.path, NOW)
    assert sorted(os.listdir(box.path + b"/tmp")) == [b".old", b"young"]
    assert os.listdir(box.path + b"/new") == [b"old"]


def test_what_cannot_be_removed_is_in_nobodys_way(box):
    for name in (b"/tmp/a", b"/tmp/z"):
        os.mkdir(box.path + name)
        os.utime(box.path + name, (0, 0))
        os.symlink("nowhere", box.path + name + b".link")
    box("tmp/m", 0)
    clean(box.path, NOW)
    assert sorted(os.listdir(box.path + b"/tmp")) == [b"a", b"a.link", b"z", b"z.link"]
    clean(box.path + b"/none", NOW)


@pytest.mark.parametrize(("name", "stays"), [(b"new/1.2.host", b"1.2.host"), (b"cur/1.2.host:2,FS", b"1.2.host"), (b"cur/a:b:c", b"a")])
def test_what_stays_of_a_name(name, stays):
    assert unique(name) == stays


def test_the_maildir_of_the_environment(box):
    assert maildir({"MAILDIR": os.fsdecode(box.path)}) == box.path
    assert maildir({"MAILDIR": "."}) == b"."
    with pytest.raises(Temporary, match="^MAILDIR not set$"):
        maildir({})
    box("new/file")
    for name, why in (("/nowhere", "file does not exist"), (os.fsdecode(box.path) + "/new/file", "not a directory")):
        with pytest.raises(Temporary, match=f"^unable to chdir to {name}: {why}$"):
            maildir({"MAILDIR": name})
