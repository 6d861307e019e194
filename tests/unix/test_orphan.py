"""A process that learns of the end of the one that started it."""

import os
import signal

from qmailpy.unix.orphan import Orphaned, while_read
from tests.home import wait_for
from tests.pools import in_child


def test_rule_14_it_is_told_in_the_middle_of_its_work():
    def work():
        source, target = os.pipe()
        try:
            with while_read(target):
                os.close(source)
                wait_for(lambda: False)
        except Orphaned:
            return "told", signal.getsignal(signal.SIGIO) == signal.SIG_IGN
        return "never", None

    assert in_child(work) == ("told", True)


def test_rule_14_nor_is_an_end_missed_that_came_before():
    def work():
        source, target = os.pipe()
        os.close(source)
        try:
            with while_read(target):
                return "begun"
        except Orphaned:
            return "told"

    assert in_child(work) == "told"


def test_without_an_end_nothing_happens():
    def work():
        source, target = os.pipe()
        with while_read(target):
            os.write(target, b"x")
            os.read(source, 1)
        os.close(source)  # after the block it is nobody's business
        return "done"

    assert in_child(work) == "done"
