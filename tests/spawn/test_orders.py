"""Orders to a spawner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.spawn.orders import Order, OrderReader, encode

TEXT = st.binary(max_size=8).filter(lambda text: b"\0" not in text)


@given(st.lists(st.tuples(st.integers(0, 119), TEXT, TEXT, TEXT), max_size=6), st.integers(1, 9), st.sampled_from([120, 1000]))
def test_orders_come_out_as_they_went_in(orders, size, limit):
    data = b"".join(encode(number, limit) + b"\0".join(strings) + b"\0" for number, *strings in orders)
    reader, found = OrderReader(limit), []
    for at in range(0, len(data), size):
        found += reader.feed(data[at:at + size])
    assert [(order.number, order.message, order.sender, order.recipient) for order in found] == orders


def test_numbers_have_two_bytes_above_255():
    assert encode(3, 255) == b"\3"
    assert encode(3, 256) == b"\3\0"
    assert encode(999, 1000) == b"\xe7\3"


@pytest.mark.parametrize(("name", "recipient", "words"), [
    (b"0/46", b"a@b", ""), (b"46", b"a@b", ""), (b"0/4x", b"a@b", "nonnumerics"), (b"/46", b"a@b", "nonnumerics"), (b"../46", b"a@b", "nonnumerics"),
    (b"1" * 100, b"a@b", "too long"), (b"1" * 99, b"a@b", ""), (b"", b"a@b", "too short"), (b"0/46", b"ab", "must include host name"),
])
def test_senseless_orders(name, recipient, words):
    wrong = Order(0, name, b"s", recipient).wrong()
    assert words in wrong
    assert bool(wrong) == bool(words)


def test_an_order_without_end_is_not_kept_for_ever():
    reader = OrderReader(120)
    with pytest.raises(ValueError, match="without end"):
        for _ in range(100):
            list(reader.feed(b"x" * 65536))
