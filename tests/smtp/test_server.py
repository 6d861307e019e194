"""The SMTP session: dialogues, smuggling, limits, and that chunking changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.smtp import callback
from qmailpy.smtp.callback import Answer
from qmailpy.smtp.server import LINE_LIMIT, Session
from qmailpy.text.received import Client
from tests.dialogue import play
from tests.smtp.world import FakeWorld, values

STRICT = {"smtpgreeting": b"mx.example", "localiphost": b"mx.example", "rcpthosts": frozenset([b"ours.example", b".sub.example"])}


def session(world=None, relay=None, **given):
    """A session for a stranger, unless `relay` says otherwise."""
    return Session(values(**{**STRICT, **given}), Client(b"192.0.2.7", b"client.example"), world or FakeWorld(), relay)


def run(data, world=None, **given):
    """(all replies, the session) after a client has said everything at once."""
    one = session(world, **given)
    return one.greeting() + b"".join(one.feed(data)), one


MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\n"


def test_a_whole_session():
    world = FakeWorld()
    play(lambda: session(world), """
        S: 220 mx.example ESMTP
        C: EHLO client.example
        S: 250-mx.example
        S: 250-PIPELINING
        S: 250-SIZE 0
        S: 250 8BITMIME
        C: MAIL FROM:<a@b.example> BODY=8BITMIME
        S: 250 ok
        C: RCPT TO:<c@ours.example>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C: Subject: x
        C:
        C: ..dots
        C: .
        S: 250 ok 1000000000 qp 77
        C: QUIT
        S: 221 mx.example
    """)
    assert len(world.queued) == 2  # whole lines, then byte by byte
    sender, recipients, message = world.queued[1]
    assert (sender, recipients) == (b"a@b.example", [b"c@ours.example"])
    assert message == (b"Received: from client.example (192.0.2.7)\n  by unknown with SMTP; 9 Sep 2001 01:46:40 -0000\n"
                       b"Subject: x\n\n.dots\n")
    assert world.queued[0] == world.queued[1]


def test_order_and_refusals():
    play(session, """
        S: 220 mx.example ESMTP
        C: RCPT TO:<a@ours.example>
        S: 503 MAIL first (#5.5.1)
        C: DATA
        S: 503 MAIL first (#5.5.1)
        C: MAIL FROM:<>
        S: 250 ok
        C: DATA
        S: 503 RCPT first (#5.5.1)
        C: RCPT TO:<a@theirs.example>
        S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
        C: RCPT TO:<a@deep.sub.example>
        S: 250 ok
        C: RCPT TO:<a@sub.example>
        S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
        C: FROB
        S: 502 unimplemented (#5.5.1)
        C: vrfy x
        S: 252 send some mail, i'll try my best
        C: rSeT
        S: 250 flushed
        C: RCPT TO:<a@ours.example>
        S: 503 MAIL first (#5.5.1)
        C: HELP
        S: 214 {}
        C: QUIT
        S: 221 mx.example
    """)


def test_a_relay_client_sends_anywhere_with_its_suffix():
    world = FakeWorld()
    _, one = run(b"MAIL FROM:<a@b>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nx\r\n.\r\n", world, relay=b".gw")
    assert world.queued[0][1] == [b"x@far.example.gw"]
    assert one.closing is None


def test_own_address_literals_become_localiphost():
    world = FakeWorld(own=("192.0.2.1", "2001:db8::1"))
    for literal in (b"[192.0.2.1]", b"[IPv6:2001:db8::1]"):
        run(b"MAIL FROM:<>\r\nRCPT TO:<x@" + literal + b">\r\nDATA\r\n.\r\n", world, rcpthosts=frozenset([b"mx.example"]))
    assert [recipients for _, recipients, _ in world.queued] == [[b"x@mx.example"]] * 2
    said, _ = run(b"MAIL FROM:<>\r\nRCPT TO:<x@[192.0.2.2]>\r\n", world)
    assert said.endswith(b"(#5.7.1)\r\n")


def test_sizes():
    said, _ = run(b"EHLO x\r\nMAIL FROM:<> SIZE=11\r\nMAIL FROM:<> SIZE=10\r\n", databytes=10)
    assert b"250-SIZE 10\r\n" in said
    assert said.endswith(b"552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n250 ok\r\n")
    world = FakeWorld()
    said, _ = run(MAIL + b"123456789\r\n.\r\n" + MAIL + b"1234567890\r\n.\r\n" + MAIL + b"1\r\n.\r\n", world, databytes=10)
    assert [message.partition(b"-0000\n")[2] for _, _, message in world.queued] == [b"123456789\n", b"1\n"]
    assert b"\r\n552 sorry, that message size exceeds" in said


def test_hops():
    world = FakeWorld()
    said, _ = run(MAIL + b"Received: x\r\n" * 99 + b"\r\n.\r\n" + MAIL + b"deLivered-to: y\r\n" * 100 + b"\r\n.\r\n", world)
    assert len(world.queued) == 1
    assert said.endswith(b"554 too many hops, this message is looping (#5.4.6)\r\n")


def test_queue_verdicts():
    for verdict, reply in (("Dno thanks (#5.7.1)", b"554 no thanks (#5.7.1)\r\n"), ("Zlater (#4.3.0)", b"451 later (#4.3.0)\r\n")):
        said, one = run(MAIL + b"x\r\n.\r\n", FakeWorld(verdict=verdict))
        assert said.endswith(reply)
        assert one.facts.sender is None
    said, _ = run(b"MAIL FROM:<>\r\nRCPT TO:<x>\r\nDATA\r\n", FakeWorld(broken=True))
    assert said.endswith(b"451 qqt failure (#4.3.0)\r\n")


def test_a_damaged_morercpthosts_ends_the_session():
    said, one = run(b"MAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\nNOOP\r\n", FakeWorld(broken=True))
    assert said.endswith(b"421 unable to read controls (#4.3.0)\r\n")
    assert one.closing == 1


SMUGGLED = {
    "LF . LF": b"\n.\n", "LF . CR LF": b"\n.\r\n", "CR LF . LF": b"\r\n.\n", "CR . CR": b"\r.\r", "CR . CR LF": b"\r.\r\n", "CR LF . CR": b"\r\n.\r",
    "CR CR LF . CR CR LF": b"\r\r\n.\r\r\n", "NUL": b"\r\n.\0\r\n", "VT": b"\x0b.\x0b", "NEL": "\x85.\x85".encode(), "U+2028": "\u2028.\u2028".encode(),
    "CR LF NUL . CR LF": b"\r\n\0.\r\n", "dots": b"\r\n..\r\n",
}


@pytest.mark.parametrize("form", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_only_crlf_dot_crlf_ends_a_message(form):
    """Behind any other form the second message is data, or the session has ended."""
    inner = b"MAIL FROM:<evil@x>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\nsmuggled"
    for step in (1 << 20, 1):
        world = FakeWorld()
        one, data = session(world), MAIL + b"x" + form + inner + b"\r\n.\r\nQUIT\r\n"
        for at in range(0, len(data), step):
            if one.closing is None:
                list(one.feed(data[at:at + step]))
        assert all(sender != b"evil@x" for sender, _, _ in world.queued)
        assert len(world.queued) == (0 if one.closing == 1 else 1)


@pytest.mark.parametrize("command", [b"MAIL FROM:<a\0T@b>", b"MAIL FROM:<a\r@b>", b"RCPT TO:<a@ours.example\0Tevil@x>", b"MAIL FROM:<" + b"x" * 900 + b">"])
def test_addresses_that_would_break_the_envelope(command):
    said, _ = run(b"MAIL FROM:<>\r\n" + command + b"\r\n")
    assert said.endswith(b"555 syntax error (#5.5.4)\r\n")


def test_a_line_without_end_is_not_kept():
    one = session()
    for _ in range(100):
        assert list(one.feed(b"x" * 10000)) == []
        assert len(one.lines._data) <= LINE_LIMIT
    assert b"".join(one.feed(b"\r\nNOOP\r\n")) == b"500 line too long (#5.5.2)\r\n250 ok\r\n"


def test_a_long_path_is_accepted():
    said, _ = run(b"MAIL FROM:<" + b"x" * 899 + b">\r\n")
    assert said.endswith(b"250 ok\r\n")


def test_what_follows_quit_is_not_read():
    said, one = run(b"QUIT\r\nNOOP\r\n")
    assert said.endswith(b"221 mx.example\r\n")
    assert one.closing == 0


def test_a_client_that_goes_leaves_nothing_queued():
    world = FakeWorld()
    _, one = run(MAIL + b"half a message\r\n", world)
    one.abandon()
    assert world.queued == []


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
