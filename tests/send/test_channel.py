"""Talking to a spawner over pipes."""

import os

import pytest

from qmailpy.send.channel import REPORT_LIMIT, Channel, Lost


@pytest.fixture(params=[120, 1000])
def ends(request):
    orders, reports = os.pipe(), os.pipe()
    channel = Channel("local", orders[1], reports[0], request.param)
    os.write(reports[1], request.param.to_bytes(channel.width, "little"))
    assert channel.hello(20)
    yield channel, orders[0], reports[1]
    for fd in (*orders, *reports):
        try:
            os.close(fd)
        except OSError:
            pass


def number(channel, slot):
    return slot.to_bytes(channel.width, "little")


def test_hello_bounds_the_concurrency():
    read, write = os.pipe()
    os.write(write, b"\5")
    channel = Channel("local", write, read, 120)
    assert channel.hello(20)
    assert channel.slots.limit == 5
    os.close(write)
    assert not Channel("local", 1, read, 120).hello(20)
    os.close(read)


def test_orders(ends):
    channel, orders, _ = ends
    assert channel.ready
    channel.order(3, "0/46", b"s@x", b"r@y")
    channel.order(4, "0/46", b"", b"q@y")
    assert channel.ready and channel.pending
    channel.write()
    assert os.read(orders, 100) == number(channel, 3) + b"0/46\0s@x\0r@y\0" + number(channel, 4) + b"0/46\0\0q@y\0"
    assert channel.ready and not channel.pending


def test_a_spawner_that_does_not_read_holds_nobody_up(ends):
    channel, orders, _ = ends
    long = b"x" * 200000
    channel.order(1, "0/46", long, b"r")
    channel.write()
    assert channel.pending and not channel.ready
    got = b""
    while channel.pending:
        got += os.read(orders, 65536)
        channel.write()
    assert (got + os.read(orders, 65536)).count(b"x") == 200000


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_reports_in_pieces(ends, size):
    channel, _, reports = ends
    data = number(channel, 0) + b"Kfine\n\0" + number(channel, 7) + b"\0" + number(channel, 2) + b"Zlater\0"
    found = []
    for at in range(0, len(data), size):
        os.write(reports, data[at:at + size])
        found += channel.read()
    assert found == [(0, b"Kfine\n"), (7, b""), (2, b"Zlater")]


def test_a_report_without_end_is_cut(ends):
    channel, _, reports = ends
    found = []
    for piece in (number(channel, 1) + b"Z", *[b"x" * 5000] * 10, b"\0", number(channel, 2) + b"K\0"):
        os.write(reports, piece)
        found += channel.read()
    assert [(slot, len(text)) for slot, text in found] == [(1, REPORT_LIMIT - channel.width), (2, 1)]


def test_a_spawner_that_has_gone(ends):
    channel, orders, reports = ends
    os.close(reports)
    with pytest.raises(Lost):
        list(channel.read())
    os.close(orders)
    with pytest.raises(Lost):
        channel.order(0, "0/1", b"", b"")
        channel.write()
