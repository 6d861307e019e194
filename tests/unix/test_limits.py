"""Resource limits."""

import resource

from qmailpy.text.poolwire import CORE, DATA, NOFILE, RESOURCES
from qmailpy.unix import limits
from tests.pools import in_child


def test_all_are_read():
    found = limits.limits()
    assert len(found) == RESOURCES
    assert found[NOFILE] == resource.getrlimit(resource.RLIMIT_NOFILE)


def test_a_soft_limit_is_set_and_set_back():
    def work():
        before = limits.limits()
        limits.set_soft(CORE, 0)
        within = limits.limits()[CORE]
        limits.set_soft(CORE, before[CORE][0])
        return before == limits.limits(), within == (0, before[CORE][1])

    assert in_child(work) == (True, True)


def test_hard_ones_are_set_for_a_program():
    def work():
        wanted = limits.limits()
        wanted[NOFILE] = (20, 30)
        limits.set_all(wanted)
        return limits.limits() == wanted

    assert in_child(work)


def test_rule_8_growth_has_a_bound():
    def work():
        before = limits.limits()[DATA][1]
        limits.limit_growth(64 << 20)
        small = bytearray(1 << 20)
        try:
            large = bytearray(256 << 20)
        except MemoryError:
            large = b""
        return len(small), len(large), limits.limits()[DATA][1] == before

    assert in_child(work) == (1 << 20, 0, True)


def test_private_memory():
    assert limits.private_bytes() > 1 << 20
