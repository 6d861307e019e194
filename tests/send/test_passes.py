"""Going through recipients."""

import os

import pytest

from qmailpy.send.jobs import Job
from qmailpy.send.passes import OddRecord, Pass


def begin(tmp_path, data):
    (tmp_path / "local").write_bytes(data)
    return Pass(Job(1, 0, b"", 0, False), os.open(tmp_path / "local", os.O_RDONLY))


def test_done_and_unfinished_records_are_passed_over(tmp_path):
    under_way = begin(tmp_path, b"Ta\0Db\0Tcc\0Tcut")
    assert under_way.next_recipient() == (b"a", 0)
    assert under_way.next_recipient() == (b"cc", 6)
    assert under_way.next_recipient() is None
    under_way.close()


def test_an_odd_record(tmp_path):
    under_way = begin(tmp_path, b"Ta\0Qb\0")
    under_way.next_recipient()
    with pytest.raises(OddRecord):
        under_way.next_recipient()
    under_way.close()


def test_many_recipients_in_little_memory(tmp_path):
    under_way = begin(tmp_path, b"".join(b"Tuser%d@host.example\0" % number for number in range(50000)))
    count = 0
    while under_way.next_recipient():
        count += 1
    assert count == 50000
    under_way.close()
