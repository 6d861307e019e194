"""The session's patience and its checks of clients: delays, the greeting phase, the tarpit, lists, and whatever is said with all of it on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp import callback
from qmailpy.smtp.callback import Answer
from qmailpy.smtp.server import Session
from qmailpy.text.received import Client
from tests.dialogue import play
from tests.smtp.test_server import STRICT, run, session
from tests.smtp.world import FakeWorld, values


def test_a_client_that_waits_is_greeted_after_greetdelay():
    for delay, paused in ((0, []), (5, [5])):
        world = FakeWorld()
        assert session(world, greetdelay=delay).greeting() == b"220 mx.example ESMTP\r\n"
        assert world.asked("pause") == paused
        assert world.asked("hear") == []


@pytest.mark.parametrize(("early", "said", "closing", "log"), [
    (None, b"220 mx.example ESMTP\r\n", None, []), (b"HELO x\r\n", b"554 SMTP protocol violation\r\n", 1, [b"before greeting: [192.0.2.7] client sent data"]),
    (b"", b"", 1, [b"before greeting: [192.0.2.7] client hung up"]),
])
@pytest.mark.parametrize(("delay", "watched"), [(5, 5), (0, 1)])
def test_a_client_that_does_not_wait_for_the_greeting(early, said, closing, log, delay, watched):
    world = FakeWorld(early=early)
    one = session(world, greetdelay=delay, databeforegreet=True)
    assert (one.greeting(), one.closing) == (said, closing)
    assert world.done[0] == ("hear", watched)
    assert world.asked("log") == log


DELAYS = {"helodelay": 2, "mfdelay": 3, "rcptdelay": 4}


@pytest.mark.parametrize(("said", "paused"), [
    (b"HELO x\r\n", [2]), (b"EHLO x\r\nEHLO x\r\n", [2, 2]), (b"NOOP\r\nRSET\r\nVRFY x\r\nHELP\r\nFROB\r\n", []), (b"MAIL FROM:<a@b>\r\n", [3]),
    (b"MAIL FROM:<a\0b>\r\n", []), (b"MAIL FROM:<a@b> SIZE=100\r\n", [3]), (b"MAIL FROM:<x@foreign.example>\r\n", [3]), (b"RCPT TO:<a@ours.example>\r\n", []),
    (b"MAIL FROM:<a@b>\r\nRCPT TO:<a@ours.example>\r\nRCPT TO:<a@far.example>\r\nRCPT TO:<a\0b>\r\n", [3, 4, 4]),
])
def test_delays_come_before_every_reply_to_their_command_refusals_too(said, paused):
    world = FakeWorld()
    run(said, world, databytes=10, antispoofing=[b"foreign.example: 10.0.0.1"], **DELAYS)
    assert world.asked("pause") == paused


def test_a_refusal_that_ends_the_session_is_delayed_too():
    world = FakeWorld(broken=True)
    said, one = run(b"MAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\n", world, **DELAYS)
    assert said.endswith(b"421 unable to read controls (#4.3.0)\r\n")
    assert (one.closing, world.asked("pause")) == (1, [3, 4])


def test_a_delay_holds_no_earlier_reply_back():
    """The replies that are yielded before a pause are all those that it does not delay."""
    world = FakeWorld()
    one = session(world, helodelay=2)
    world.pause = lambda seconds: said.append("pause")
    said = []
    for answer in one.feed(b"NOOP\r\nHELO x\r\nNOOP\r\n"):
        said.append(answer.split()[1])
    assert said == [b"ok", "pause", b"mx.example", b"ok"]


GOOD, BAD = b"RCPT TO:<a@ours.example>\r\n", b"RCPT TO:<a@far.example>\r\n"


@pytest.mark.parametrize(("count", "delay", "said", "paused"), [
    (0, 5, GOOD * 5, []), (1, 5, GOOD * 5, [5] * 5), (3, 2, GOOD * 5, [2] * 3), (5, 10, GOOD * 5, [10]), (6, 10, GOOD * 5, []), (3, 0, GOOD * 5, []),
    (2, 4, GOOD + BAD + GOOD * 3, [4] * 3), (2, 4, (GOOD + b"MAIL FROM:<>\r\n") * 5, []), (4, 2, GOOD + BAD * 3 + GOOD, []),
])
def test_the_tarpit(count, delay, said, paused):
    world = FakeWorld()
    run(b"MAIL FROM:<>\r\n" + said, world, tarpitcount=count, tarpitdelay=delay)
    assert world.asked("pause") == paused


def test_rcptdelay_and_the_tarpit_add_up():
    world = FakeWorld()
    run(b"MAIL FROM:<>\r\n" + GOOD + BAD, world, rcptdelay=1, tarpitcount=1, tarpitdelay=2)
    assert world.asked("pause") == [1, 2, 1]


def test_maxrecipients_counts_those_of_one_transaction():
    world = FakeWorld()
    rest = GOOD + BAD + GOOD + GOOD + b"DATA\r\n.\r\n"
    said, _ = run((b"MAIL FROM:<>\r\n" + rest) * 2, world, maxrecipients=2)
    assert [line[:3] for line in said.split(b"\r\n")[1:-1]] == [b"250", b"250", b"553", b"250", b"452", b"354", b"250"] * 2
    assert [recipients for _, recipients, _ in world.queued] == [[b"a@ours.example"] * 2] * 2


def test_a_refused_mail_leaves_the_transaction_as_it_was():
    said, one = run(b"MAIL FROM:<a@b>\r\n" + GOOD + b"MAIL FROM:<x@foreign.example>\r\n", antispoofing=[b"foreign.example: 10.0.0.1"])
    assert said.endswith(b"553 sorry, your envelope sender is not allowed from your IP address (#5.7.1)\r\n")
    assert (one.facts.sender, one.facts.recipients) == (b"a@b", [b"a@ours.example"])


def test_checks_see_localiphost_in_the_place_of_an_own_address():
    world = FakeWorld(own=("192.0.2.1",), domains=(b"mx.example",))
    _, one = run(b"MAIL FROM:<a@[192.0.2.1]>\r\n", world, mfcheck=1)
    assert world.asked("takes_mail") == [b"mx.example"]
    assert one.facts.sender == b"a@mx.example"


def test_the_name_in_helo_is_judged_at_rcpt_and_only_the_last_one_counts():
    play(lambda: session(badheloext=[b"local"]), """
        S: 220 mx.example ESMTP
        C: HELO localhost
        S: 250 mx.example
        C: MAIL FROM:<a@b>
        S: 250 ok
        C: RCPT TO:<a@ours.example>
        S: 553 sorry, your HELO host name has been denied (#5.7.1)
        C: EHLO mx.b.example
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: MAIL FROM:<a@b>
        S: 250 ok
        C: RCPT TO:<a@ours.example>
        S: 250 ok
    """)


def test_lists_see_the_recipient_without_what_is_added_for_relay_clients():
    _, one = run(b"MAIL FROM:<a@b>\r\nRCPT TO:<a@far.example>\r\n", relay=b".gw", badmailtoint=[b".gw"], badmailtoext=[b"far"])
    assert one.facts.recipients == [b"a@far.example.gw"]


PIECES = st.sampled_from([b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@ours.example>\r\n", b"DATA\r\n", b".\r\n", b"\r\n", b"x\r\n", b"..\r\n", b".\r", b"\n", b"\r", b"QUIT\r\n",
                          b"RSET\r\n", b"\0", b"EHLO x\r\n", b"Received: x\r\n", b".", b"HELO \xff\x00bad\r\n", b"HELO\r\n", b"MAIL FROM:<\"a\\\"\xe9\"@spam.example>\r\n",
                          b"MAIL FROM:<b@broken.example> SIZE=11\r\n", b"MAIL FROM:<k@known.example> SIZE=x\r\n", b"MAIL FROM:<u@known.example>\r\n", b"RCPT TO:<bad>\r\n",
                          b"RCPT TO:<endless@ours.example>\r\n"])
EVERYTHING = {
    "databytes": 10, "greetdelay": 1, "helodelay": 1, "mfdelay": 1, "rcptdelay": 1, "tarpitcount": 1, "maxrecipients": 2, "helodnschkext": True, "mfcheck": 2,
    "badheloext": [b"bad"], "badmailfromext": [b"spam"], "badmailtoext": [b"bad"], "badrmhostext": [b"bad"], "antispoofing": [b"b: 192.0.2/255.255.255.0", b"x"],
    "badmailfrom": frozenset([b"b@b"]),
}
SERVERS = {b"k@known.example": Answer(callback.KNOWN), b"u@known.example": Answer(callback.UNKNOWN, b"no\n")}


@pytest.mark.parametrize(("given_settings", "host"), [({}, b"client.example"), (EVERYTHING, b"client.example"), (EVERYTHING, b"bad\r\n\xff")], ids=["none", "all", "host"])
@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=9), max_size=30), st.lists(st.integers(1, 7), min_size=1, max_size=10))
def test_chunking_changes_nothing_and_every_reply_is_one(given_settings, host, pieces, steps):
    data = b"".join(pieces)

    def play_in(sizes):
        world = FakeWorld(hosts=(b"x",), domains=(b"b", b"known.example"), answers=SERVERS)
        one = Session(values(**{**STRICT, **given_settings}), Client(b"192.0.2.7", host), world)
        said, at, turn = one.greeting(), 0, 0
        while at < len(data) and one.closing is None:
            size = sizes[turn % len(sizes)]
            said += b"".join(one.feed(data[at:at + size]))
            at, turn = at + size, turn + 1
        return said, world.queued, one.closing, world.done

    whole = play_in([len(data) or 1])
    assert play_in(steps) == whole
    assert play_in([1]) == whole
    for line in whole[0].split(b"\r\n")[:-1]:
        assert line[:3].isdigit()
        assert line[3:4] in (b" ", b"-")
        assert all(32 <= byte < 127 for byte in line)
