"""Log lines."""

import os

from qmailpy.send.log import ENOUGH, Log, safe


def test_unsafe_bytes():
    assert safe(b"a b%c\nd\x7f\xff~!") == "a_b_c/d__~!"
    assert safe(b"seen\0not seen") == "seen"


def written(work):
    saved, (source, target) = os.dup(0), os.pipe()
    os.dup2(target, 0)
    os.close(target)
    try:
        work()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
    with open(source, "rb") as out:
        return out.read()


def test_lines_wait_until_they_are_flushed():
    log = Log()
    assert written(lambda: log("new msg ", 7, " \udcff")) == b""
    assert written(lambda: (log("status:"), log.flush())) == b"new msg 7 \xff\nstatus:\n"
    assert written(log.flush) == b""


def test_many_lines_do_not_wait():
    log = Log()
    assert written(lambda: [log("x") for _ in range(ENOUGH)]) == b"x\n" * ENOUGH


def test_a_log_that_cannot_be_written_stops_nothing():
    saved = os.dup(0)
    os.close(0)
    try:
        log = Log()
        log("x")
        log.flush()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
