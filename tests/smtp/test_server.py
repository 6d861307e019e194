"""The SMTP session: dialogues, smuggling, limits, and that chunking changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.settings.table import SETTINGS
from qmailpy.smtp.facts import Secured
from qmailpy.smtp.server import Session
from qmailpy.text.batv import signed
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
        assert len(one.lines._data) <= SETTINGS["maxline"].default
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


LOCAL = {"recipientchk": 1, "locals": frozenset([b"ours.example"]), "recipientchkdelay": 2}


def test_a_recipient_without_a_mailbox_is_refused_alone():
    world = FakeWorld(accounts=[b"c"])
    play(lambda: session(world, **LOCAL), """
        S: 220 mx.example ESMTP
        C: MAIL FROM:<a@b.example>
        S: 250 ok
        C: RCPT TO:<z@ours.example>
        S: 550 sorry, no mailbox here by that name. (#5.1.1)
        C: RCPT TO:<c@ours.example>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C: .
        S: 250 ok 1000000000 qp 77
    """)
    assert [recipients for _, recipients, _ in world.queued] == [[b"c@ours.example"]] * 2
    assert world.paused == [2, 2]


def test_qmailrrtdenyall_refuses_at_data_and_the_next_message_begins_anew():
    world = FakeWorld(accounts=[b"c"], env={"QMAILRRTDENYALL": "1"})
    play(lambda: session(world, **LOCAL), """
        S: 220 mx.example ESMTP
        C: MAIL FROM:<a@b.example>
        S: 250 ok
        C: RCPT TO:<c@ours.example>
        S: 250 ok
        C: RCPT TO:<z@ours.example>
        S: 250 ok
        C: DATA
        S: 554 sorry, no mailbox here by that name. (#5.1.1)
        C: DATA
        S: 503 MAIL first (#5.5.1)
        C: MAIL FROM:<a@b.example>
        S: 250 ok
        C: RCPT TO:<c@ours.example>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C: .
        S: 250 ok 1000000000 qp 77
    """)
    assert [recipients for _, recipients, _ in world.queued] == [[b"c@ours.example"]] * 2


@pytest.mark.parametrize(("world", "given", "said"), [
    ({"accounts": "unable to read cdb user database"}, LOCAL, b"421 unable to read cdb user database (#4.3.0)\r\n"),
    ({"tables": {}}, {"recipientchk": 2, "recipients": [b"x"]}, b"421 unable to check recipients (#4.3.0)\r\n"),
    ({"env": {"RCPTCHECK": "/rc"}, "programs": {"/rc": 111}}, {}, b"421 unable to verify recipient (#4.3.0)\r\n"),
])
def test_trouble_with_recipients_ends_the_session(world, given, said):
    heard, one = run(b"MAIL FROM:<>\r\nRCPT TO:<c@ours.example>\r\nNOOP\r\n", FakeWorld(**world), **given)
    assert heard.endswith(said)
    assert one.closing == 1


def test_a_program_judges_what_the_envelope_will_say():
    """Tags are off, the suffix of relay clients is not on, and other checks have passed."""
    day = 20123
    world = FakeWorld(now=day * 86400, env={"RCPTCHECK": "/rc"}, programs={"/rc": lambda sender, recipient: 100 if recipient.startswith(b"z") else 0})
    tagged = [signed(address, b"k", day) for address in (b"s@x.example", b"c@ours.example", b"z@ours.example")]
    said, _ = run(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\nRCPT TO:<q@far.example>\r\n" % tuple(tagged), world, signkey=b"k")
    assert [line[:3] for line in said.splitlines()] == [b"220", b"250", b"250", b"553", b"553"]
    assert world.asked("program") == [("/rc", b"s@x.example", b"c@ours.example"), ("/rc", b"s@x.example", b"z@ours.example")]


def test_the_order_of_the_checks_of_a_recipient():
    """aio: RCPT, steps 10 to 13."""
    world = FakeWorld(now=20123 * 86400, accounts=[b"c"], env={"RCPTCHECK": "/rc"}, programs={"/rc": 100})
    good, bad = (signed(address, b"k", 20123) for address in (b"c@ours.example", b"z@ours.example"))
    said, _ = run(b"MAIL FROM:<>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % one for one in (b"z@far.example", b"z@ours.example", bad, good)), world, signkey=b"k", **LOCAL)
    assert said.splitlines()[2:] == [b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", b"553 Not our message (#5.7.1)",
                                     b"550 sorry, no mailbox here by that name. (#5.1.1)", b"553 sorry, no mailbox here by that name. (#5.1.1)"]


def test_a_valid_tag_is_taken_off_whatever_the_message_is():
    world, day = FakeWorld(now=20123 * 86400), 20123
    for sender, recipient in ((b"a@b", b"c@ours.example"), (b"", b"c@ours.example")):
        run(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n.\r\n" % (sender and signed(sender, b"k", day), signed(recipient, b"k", day)), world, signkey=b"k")
        assert world.queued[-1][:2] == (sender, [recipient])
    run(b"MAIL FROM:<prvs=0123xxxxxx=a@b>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\n.\r\n", world, signkey=b"k")
    assert world.queued[-1][0] == b"prvs=0123xxxxxx=a@b"


@pytest.mark.parametrize("active", [{"databytesmf": {}}, {"databytesrcpt": {}}, {"databytesmf": {b"a@b": b"1"}, "databytesrcpt": {}}])
def test_size_is_neither_announced_nor_heeded_where_limits_differ(active):
    said, _ = run(b"EHLO x\r\nMAIL FROM:<> SIZE=5000\r\n", databytes=10, **active)
    assert b"SIZE" not in said
    assert said.endswith(b"250 ok\r\n")


def test_only_accepted_recipients_set_the_limit_and_each_message_has_its_own():
    world, rows = FakeWorld(), {b"c@ours.example": b"5", b"z@far.example": b"1"}

    def message(recipients, body):
        return b"MAIL FROM:<>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % one for one in recipients) + b"DATA\r\n" + body + b"\r\n.\r\n"

    run(message([b"z@far.example", b"c@ours.example"], b"1234") + message([b"c@ours.example"], b"12345") + message([b"d@ours.example"], b"123456"), world, databytesrcpt=rows)
    assert [text.partition(b"-0000\n")[2] for _, _, text in world.queued] == [b"1234\n", b"123456\n"]
    run(message([b"c@ours.example"], b"1234"), world, relay=b".gw", databytesrcpt=rows)
    assert world.queued[-1][1] == [b"c@ours.example.gw"]


def test_clamd_sees_what_is_queued_and_speaks_before_the_envelope():
    world = FakeWorld(scan=b"Eicar")
    said, one = run(MAIL + b"..dots\r\n.\r\nNOOP\r\n" + MAIL + b"x\r\n.\r\n", world, clamd=b"here")
    assert said.count(b"554 sorry, your message contains a virus: Eicar (#5.7.1)\r\n") == 2
    assert world.queued == []
    assert [scan.data.partition(b"-0000\n")[2] for scan in world.scans] == [b".dots\n", b"x\n"]
    assert world.scans[0].data.startswith(b"Received: ")
    assert one.closing is None
    world.scan = None
    run(MAIL + b"x\r\n.\r\n", world, clamd=b"here")
    assert world.queued[0][2] == world.scans[2].data


@pytest.mark.parametrize(("body", "limit", "reply"), [
    (b"Received: x\r\n" * 100, 5, b"554 too many hops"), (b"123456\r\n", 5, b"552 "), (b"123\r\n", 5, b"554 sorry, your message contains a virus"),
])
def test_hops_come_before_size_and_size_before_viruses_and_they_before_the_queue(body, limit, reply):
    world = FakeWorld(scan=b"Eicar", verdict="Zlater")
    said, _ = run(MAIL + body + b".\r\n", world, clamd=b"here", databytes=limit)
    assert said.splitlines()[-1].startswith(reply)
    assert world.scans[0].closed


@pytest.mark.parametrize("end", [b"half a message\r\n", b"a\nb\r\n"])
def test_a_scan_ends_with_the_session(end):
    world = FakeWorld()
    _, one = run(MAIL + end, world, clamd=b"here")
    one.abandon()
    assert world.scans[0].closed
    assert world.queued == []


PIECES = st.sampled_from([b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@ours.example>\r\n", b"DATA\r\n", b".\r\n", b"\r\n", b"x\r\n", b"..\r\n", b".\r", b"\n", b"\r", b"QUIT\r\n",
                          b"RSET\r\n", b"\0", b"EHLO x\r\n", b"Received: x\r\n", b"."])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30), st.lists(st.integers(1, 7), min_size=1, max_size=10))
def test_chunking_changes_nothing(pieces, steps):
    data = b"".join(pieces)

    def play_in(sizes):
        world = FakeWorld()
        one = session(world)
        said, at, turn = one.greeting(), 0, 0
        while at < len(data) and one.closing is None:
            size = sizes[turn % len(sizes)]
            said += b"".join(one.feed(data[at:at + size]))
            at, turn = at + size, turn + 1
        return said, world.queued, one.closing

    whole = play_in([len(data) or 1])
    assert play_in(steps) == whole
    for line in whole[0].split(b"\r\n")[:-1]:
        assert line[:3].isdigit()
        assert line[3:4] in (b" ", b"-")


TAGGED = [signed(address, b"k", 11574) for address in (b"a@b", b"c@ours.example", b"z@ours.example")]
MORE = st.sampled_from([b"MAIL FROM:<>\r\n", b"RCPT TO:<z@ours.example>\r\n", b"RCPT TO:<t@ours.example>\r\n", b"RCPT TO:<c>\r\n", b"MAIL FROM:<%s>\r\n" % TAGGED[0],
                        b"RCPT TO:<%s>\r\n" % TAGGED[1], b"RCPT TO:<%s>\r\n" % TAGGED[2], b"MAIL FROM:<a@b> SIZE=99\r\n", b"RCPT TO:<x-y@v.example>\r\n", b"12345678\r\n",
                        MAIL, b"RCPT TO:<t@ours.example>\r\nDATA\r\n", b"RCPT TO:<z@ours.example>\r\nDATA\r\n", b"\r\n.\r\n", b"x\r\n.\r\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, MORE), max_size=40), st.sampled_from([None, b"Eicar", "gone"]), st.sampled_from([{}, {"QMAILRRTDENYALL": "1"}]),
       st.sampled_from([1, 2]), st.sampled_from([None, b"", b".gw"]))
def test_with_all_checks_on_chunking_changes_nothing(pieces, scan, variables, recipientchk, relay):
    """And nothing is queued that a check refuses, whatever the client says and however it comes."""
    data = b"".join(pieces)
    checks = {"recipientchk": recipientchk, "envnoathost": b"ours.example", "locals": frozenset([b"ours.example"]), "virtualdomains": {b"v.example": b"v"},
              "rcpthosts": frozenset([b"ours.example", b"v.example"]), "recipients": [b"r"], "signkey": b"k", "databytesmf": {b"a@b": b"20"},
              "databytesrcpt": {b"c@ours.example": b"10"}, "clamd": b"here", "clamdfailreject": True}

    def play_in(step):
        world = FakeWorld(scan=scan, now=11574 * 86400, accounts=[b"c", b"v-x-y"], tables={b"r": [b":c@ours.example", b":c@localhost", b":x@v.example"]},
                          env={"RCPTCHECK": "/rc", **variables}, programs={"/rc": lambda sender, recipient: 111 if recipient.startswith(b"t") else 0})
        one = session(world, relay, **checks)
        said, at = one.greeting(), 0
        while at < len(data) and one.closing is None:
            said += b"".join(one.feed(data[at:at + step]))
            at += step
        one.abandon()
        assert all(scan.closed for scan in world.scans)
        return said, world.queued, one.closing, world.logged, world.paused

    whole = play_in(len(data) or 1)
    assert play_in(1) == whole
    said, queued, *_ = whole
    assert all(line[:3].isdigit() and line[3:4] in (b" ", b"-") for line in said.split(b"\r\n")[:-1])
    assert not queued or scan is None
    for sender, recipients, message in queued:
        body = message.partition(b"-0000\n")[2]
        assert not any(address.startswith(b"prvs=") for address in (sender, *recipients))
        assert (recipientchk == 2 and relay is not None) or not any(address.startswith((b"t", b"z")) for address in recipients)
        assert len(body) <= 10 or not any(address.startswith(b"c@ours") for address in recipients)
        assert len(body) <= 20 or sender != b"a@b"


@pytest.mark.parametrize("step", [1, 1 << 20])
def test_a_session_ends_with_one_command_too_many(step):
    one, commands = session(maxcommands=3), b"NOOP\r\n" * 5
    said = b"".join(answer for at in range(0, len(commands), step) for answer in one.feed(commands[at:at + step]))
    assert said == b"250 ok\r\n" * 3 + b"421 too many commands in one session (#4.7.0)\r\n"
    assert (one.closing, one.limits.commands) == (1, 4)


def test_a_session_ends_with_one_error_too_many():
    world = FakeWorld()
    one = session(world, maxerrors=3)
    assert b"".join(one.feed(b"WHAT\r\n" * 9)) == b"502 unimplemented (#5.5.1)\r\n" * 3 + b"421 too many errors in one session (#4.7.0)\r\n"
    assert one.closing == 1
    assert world.logged == [b"limit: too many errors in one session (#4.7.0) at 192.0.2.7"]


def test_a_message_in_between_forgives_errors():
    world = FakeWorld()
    one, mail = session(world, maxerrors=3), b"MAIL FROM:<a@b>\r\nRCPT TO:<x@ours.example>\r\nDATA\r\nx\r\n.\r\n"
    for _ in range(5):
        said = b"".join(one.feed(b"WHAT\r\n" * 3 + mail))
        assert said.count(b"502 ") == 3
    assert (len(world.queued), one.closing) == (5, None)


def test_recipients_over_the_limit_are_no_errors():
    one = session(maxrecipients=1, maxerrors=1)
    said = b"".join(one.feed(b"MAIL FROM:<a@b>\r\n" + b"RCPT TO:<x@ours.example>\r\n" * 50 + b"DATA\r\nx\r\n.\r\nQUIT\r\n"))
    assert said.count(b"452 ") == 49 and said.endswith(b" qp 77\r\n221 mx.example\r\n")


@pytest.mark.parametrize(("maxline", "taken"), [(2000, 2000), (5, 1000), (0, 1000), (12288, 12288)])
def test_the_longest_command(maxline, taken):
    for size, code in ((taken, b"250 ok"), (taken + 1, b"500 line too long (#5.5.2)")):
        said, _ = run(b"NOOP ".ljust(size - 1, b"x") + b"\r\n", maxline=maxline)
        assert said.endswith(code + b"\r\n")


RESTING = (b"", b"HELO x\r\n", b"EHLO x\r\nRSET\r\nNOOP\r\n", MAIL + b"x\r\n.\r\n", b"nonsense\r\n", b"RCPT TO:<a@b>\r\n", b"x" * 20000 + b"\r\n")
BUSY = (b"NO", b"MAIL FROM:<>\r\n", MAIL, MAIL + b"x\r\n", b"QUIT\r\n", b"x" * 20000)


@pytest.mark.parametrize("data", RESTING)
def test_a_session_that_waits_for_a_command_is_at_rest(data):
    assert run(data)[1].at_rest


@pytest.mark.parametrize("data", BUSY)
def test_a_session_with_something_under_way_is_not(data):
    assert not run(data)[1].at_rest


@pytest.mark.parametrize("what", [{"tls": Secured(b"x")}, {"user": b"bob"}])
def test_a_session_with_a_secret_is_not_at_rest(what):
    one = session()
    for name, value in what.items():
        setattr(one.facts, name, value)
    assert not one.at_rest


AFTERWARDS = b"NOOP\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nRCPT TO:<c@theirs.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"


@pytest.mark.parametrize("before", RESTING)
@pytest.mark.parametrize("relay", [None, b"", b"@x.example"])
def test_a_session_at_rest_goes_on_elsewhere_as_if_it_had_stayed(before, relay):
    checks = {"badhelo" + side: [b"bad.example"] for side in ("ext", "int")}
    worlds = [FakeWorld(hosts=(b"x",)) for _ in range(2)]
    stays, leaves = (session(world, relay, **checks) for world in worlds)
    for one in (stays, leaves):
        one.greeting()
        list(one.feed(before))
    comes = session(worlds[1], relay, **checks)
    comes.resume(leaves.rest())
    assert [*stays.feed(AFTERWARDS)] == [*comes.feed(AFTERWARDS)]
    assert worlds[0].queued == worlds[1].queued
    assert worlds[0].done == worlds[1].done
    assert (stays.doing, stays.closing) == (comes.doing, comes.closing)


def test_what_a_session_is_at_rest():
    world = FakeWorld()
    world.log_once(b"a line")
    one = session(world)
    one.greeting()
    list(one.feed(b"EHLO here.example\r\n"))
    one.facts.helo_known = False
    rest = one.rest()
    assert (rest.pid, rest.helo, rest.helo_known, rest.told, rest.doing, rest.counts) == (42, b"here.example", False, (b"a line",), "EHLO", (1, 0))
    other = session(FakeWorld())
    other.resume(rest)
    assert (other.facts.helo, other.facts.helo_known, other.doing, other.limits.commands) == (b"here.example", False, "EHLO", 1)
