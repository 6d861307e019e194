"""What is tried when."""

from hypothesis import given
from hypothesis import strategies as st

from qmailpy.send.schedule import Schedule, next_retry


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=20), st.integers(0, 50))
def test_the_earliest_due_comes_first(entries, now):
    schedule = Schedule()
    for when, number in entries:
        schedule.add(when, number)
    taken = []
    while (number := schedule.take_due(now)) is not None:
        taken.append(number)
    due = sorted(entry for entry in entries if entry[0] <= now)
    assert taken == [number for _, number in due]
    assert sorted(schedule.drain()) == sorted(entry for entry in entries if entry[0] > now)
    assert schedule.first() is None and len(schedule) == 0


def test_all_at_once():
    schedule = Schedule()
    for number in range(5):
        schedule.add(1000 + number, number)
    assert schedule.take_due(10) is None
    schedule.hasten(10)
    assert schedule.first() == 10
    assert sorted(filter(lambda n: n is not None, (schedule.take_due(10) for _ in range(6)))) == [0, 1, 2, 3, 4]


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.sampled_from([0, 1]))
def test_the_next_try_lies_ahead_by_at_least_the_first_pause(birth, age, channel):
    skip = (10, 20)[channel]
    after = next_retry(birth, birth + age, channel)
    assert after - (birth + age) >= skip * skip
    root = 0
    while (root + 1) * (root + 1) <= age and root < 1100:
        root += 1
    assert after == birth + (root + skip) ** 2


def test_a_message_from_the_future_counts_as_new():
    assert next_retry(1000, 500, 0) == 1100
    assert next_retry(1000, 1000, 1) == 1400
