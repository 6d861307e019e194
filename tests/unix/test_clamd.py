"""Messages on their way through a small clamd that answers, breaks off, or is an old one."""

import os
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.unix.clamd import HELD, Scan
from tests.clamdserver import CLEAN, VIRUS, Clamd
from tests.home import wait_for

LARGE = [bytes([number]) * 65536 for number in range(100)]
SIZE_LIMIT = b"INSTREAM size limit exceeded. ERROR"


def scan(address, pieces=(b"Received: x\n", b"hi\n"), seconds=5):
    return finished(Scan(address, seconds), pieces)


def finished(one, pieces):
    """The verdict, or why there is none."""
    for piece in pieces:
        one.put(piece)
    try:
        return one.verdict()
    except Temporary as problem:
        return problem.text


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("pieces", [[b"hi\n"], [], [b"a", b"", b"b"], LARGE], ids=["one", "none", "three", "large"])
def test_a_message_goes_through_as_it_is(host, pieces):
    with Clamd(VIRUS, CLEAN, host=host) as server:
        assert scan(server.address, pieces) == b"Eicar-Signature"
        assert scan(server.address, pieces) is None
        assert server.scans == [[b"zINSTREAM\0", b"".join(pieces), True]] * 2


@pytest.mark.parametrize(("way", "reason"), [
    (b"stream: bad ERROR", "it says stream: bad ERROR"), (b"what", "it says what"), ("hang up", "it hung up without an answer"), ("unended", "it hung up without an answer"),
    (b"x" * 5000, "it says too much"), (("early", SIZE_LIMIT, 1), "it says INSTREAM size limit exceeded. ERROR"),
])
@pytest.mark.parametrize("pieces", [[b"hi\n"], LARGE], ids=["small", "large"])
def test_no_verdict(way, reason, pieces):
    with Clamd(way) as server:
        assert scan(server.address, pieces) == reason


def test_an_early_ok_is_none():
    with Clamd(("early", CLEAN, 1)) as server:
        assert scan(server.address, LARGE) == "it has not taken all of the message"


def test_a_virus_that_is_found_before_the_end_is_one():
    with Clamd(("early", VIRUS, 1)) as server:
        assert scan(server.address, LARGE) == b"Eicar-Signature"


def test_what_closes_at_once():
    with Clamd("at once") as server:
        assert scan(server.address, LARGE) in ("it hung up without an answer", "connection reset")


def test_nobody_there():
    with Clamd(CLEAN) as server:
        pass
    assert scan(server.address) == "connection refused"


@pytest.mark.parametrize("address", [b"127.0.0.1", b"localhost:3310", b"\xff:1", b"x", b"127.0.0.1:99999"])
def test_no_usable_address(address):
    assert scan(address).startswith("control/clamd names no address and port: ")


@pytest.mark.parametrize(("way", "pieces"), [("silent", [b"hi\n"]), ("deaf", LARGE)])
def test_a_clamd_that_hangs_is_given_up(way, pieces):
    begin = time.monotonic()
    with Clamd(way) as server:
        assert scan(server.address, pieces, seconds=0) == "timed out"  # 0 counts as 1
    assert time.monotonic() - begin < 20


def test_patience_may_be_any_number():
    with Clamd(CLEAN) as server:
        assert scan(server.address, seconds=10 ** 20) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(("verdict", "found"), [(CLEAN, None), (VIRUS, b"Eicar-Signature"), (b"stream: bad ERROR", "it says stream: bad ERROR")])
def test_an_old_clamd_is_spoken_to_in_the_old_way(host, verdict, found):
    with Clamd(("old", verdict), host=host) as server:
        assert scan(server.address, [b"Received: x\n", b"hi\n"]) == found
        assert server.scans[-1] == [b"STREAM\n", b"Received: x\nhi\n", True]


def recognised(server):
    """A scan by an old clamd that has said that it does not know the command."""
    one = Scan(server.address, 5)
    wait_for(one._control.waiting)
    return one


def test_an_old_clamd_gets_what_comes_after_it_was_recognised():
    with Clamd(("old", CLEAN)) as server:
        assert finished(recognised(server), LARGE) is None
        assert server.scans[-1] == [b"STREAM\n", b"".join(LARGE), True]


@pytest.mark.parametrize(("verdict", "found"), [(CLEAN, "it has not taken all of the message"), (VIRUS, b"Eicar-Signature")])
def test_an_old_clamd_that_stops_reading_has_not_seen_all(verdict, found):
    with Clamd(("old", verdict, 1)) as server:
        assert finished(recognised(server), LARGE * 2) == found  # more than buffers hold


def test_what_is_recognised_too_late_is_no_verdict():
    with Clamd(("early", b"UNKNOWN COMMAND", HELD + 1)) as server:
        assert scan(server.address, LARGE) == "it says UNKNOWN COMMAND"
        assert server.number == 1


def test_an_old_clamd_with_an_odd_port():
    with Clamd(("says", b"UNKNOWN COMMAND"), ("says", b"PORT 0")) as server:
        assert scan(server.address) == "it says PORT 0"


def test_a_scan_that_is_given_up_leaves_no_descriptor():
    with Clamd(CLEAN) as server:
        before = os.listdir("/proc/self/fd")
        one = Scan(server.address, 5)
        one.put(b"x")
        one.close()
        one.close()
        one.put(b"y")
        assert len(os.listdir("/proc/self/fd")) <= len(before) + 1  # the server's end of it
