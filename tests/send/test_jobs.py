"""Slots."""

import random

from qmailpy.send.jobs import Delivery, Job, Slots


def test_the_lowest_free_number_and_the_limit():
    slots, used = Slots(10), {}
    source = random.Random(1)
    for _ in range(2000):
        if slots.available and source.random() < 0.6:
            number = slots.put(Delivery(None, 0, 0, b""))
            assert number == min(set(range(10)) - set(used))
            used[number] = True
        elif used:
            number = source.choice(list(used))
            assert slots.take(number) is not None
            del used[number]
        assert len(slots) == len(used)
        assert slots.available == (len(used) < 10)
    assert slots.take(99) is None
    assert slots.get(99) is None


def test_a_job_is_complete_when_all_was_read_and_none_is_left():
    job = Job(1, 0, b"", 0, False)
    assert not job.complete
    job.left, job.read_whole = 1, True
    assert not job.complete
    job.left = 0
    assert job.complete
