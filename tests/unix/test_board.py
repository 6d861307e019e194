"""The board that a pool's processes share."""

import os
import time

from qmailpy.unix.board import BUSY, EMPTY, IDLE, Board


def test_it_is_empty_at_first():
    assert Board(3).count(EMPTY) == 3


def test_what_one_process_writes_all_read():
    board = Board(4)
    board.put(0, IDLE)
    if (pid := os.fork()) == 0:
        board.put(2, BUSY, 4294967294)
        os._exit(0)
    os.waitpid(pid, 0)
    assert [board.state(slot) for slot in range(4)] == [IDLE, EMPTY, BUSY, EMPTY]
    assert (board.count(BUSY), board.busy_for(4294967294), board.busy_for(0)) == (1, 1, 0)
    assert (board.first(EMPTY), board.first(BUSY)) == (1, 2)
    board.put(2, IDLE)
    assert (board.busy_for(4294967294), board.first(BUSY)) == (0, None)


def test_how_many_have_begun_lately():
    board = Board(2)
    before = time.monotonic()
    assert board.begun_since(before) == 0
    board.put(1, BUSY)
    board.put(0, IDLE)
    assert (board.begun_since(before), board.begun_since(time.monotonic())) == (1, 0)
    board.put(1, IDLE)
    board.put(0, BUSY)
    assert board.begun_since(before) == 2


def test_a_slot_more_is_not_counted():
    board = Board(2)
    board.put(2, BUSY, 7)
    assert (board.count(EMPTY), board.count(BUSY), board.busy_for(7), board.parks) == (2, 0, 0, False)


def test_whether_sessions_may_be_parked_is_read_by_all():
    board = Board(1)
    assert not board.parks
    if (pid := os.fork()) == 0:
        board.park(True)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.parks
    assert board.state(0) == EMPTY
