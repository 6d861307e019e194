"""Signals: waiting for them, surviving them, time limits, and that all is as before behind each block."""

import os
import select
import signal

import pytest

from qmailpy.unix.signals import CHLD, HUP, TERM, MISCELLANEOUS, Wakeup, deadline, interruptible, on_bug, shielded


class Late(Exception):
    pass


def late():
    raise Late


def handlers():
    return {number: signal.getsignal(number) for number in (*MISCELLANEOUS, HUP, TERM, CHLD, signal.SIGALRM, signal.SIGABRT)}


@pytest.fixture(autouse=True)
def nothing_changes():
    before = handlers()
    yield
    assert handlers() == before


def test_a_wakeup_tells_what_came():
    wakeup = Wakeup([HUP, TERM])
    try:
        assert wakeup.take() == set()
        os.kill(os.getpid(), HUP)
        os.kill(os.getpid(), TERM)
        assert select.select([wakeup.fd], [], [], 10)[0] == [wakeup.fd]
        assert wakeup.take() == {HUP, TERM}
        assert wakeup.take() == set()
    finally:
        wakeup.close()


def test_a_signal_that_was_blocked_by_the_caller_comes():
    signal.pthread_sigmask(signal.SIG_BLOCK, [HUP])
    wakeup = Wakeup([HUP])
    try:
        os.kill(os.getpid(), HUP)
        select.select([wakeup.fd], [], [], 10)
        assert wakeup.take() == {HUP}
    finally:
        wakeup.close()


def test_shielded_programs_survive():
    with shielded():
        for number in MISCELLANEOUS:
            os.kill(os.getpid(), number)


def test_a_deadline_breaks_in():
    read, write = os.pipe()
    with pytest.raises(Late), deadline(0.05, late):
        os.read(read, 1)
    os.close(read)
    os.close(write)


def test_a_deadline_that_is_kept_rings_no_more():
    with deadline(30, late):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_bug_is_told():
    with pytest.raises(Late), on_bug(late):
        os.kill(os.getpid(), signal.SIGABRT)


@pytest.mark.parametrize("number", [TERM, HUP])
def test_what_ends_a_program_interrupts_it(number):
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
