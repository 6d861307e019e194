"""The server's side of QMTP and QMQP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.exits import Temporary
from qmailpy.smtp import qmtp as protocol
from qmailpy.smtp.qmtp import LineEnds, QmtpServer, qmqp_message
from qmailpy.text.netstring import Ended, Malformed, Reader, TooLong, encoded
from qmailpy.text.received import Client
from tests.netstrings import qmqp as qmqp_package
from tests.netstrings import qmtp as package
from tests.smtp.world import FakeWorld, values

OK = encoded(b"Kok 1000000000 qp 77")
NO_GATEWAY = encoded(b"Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")


def source(data, step):
    pieces = iter([data[at:at + step] for at in range(0, len(data), step)])
    return Reader(lambda: next(pieces, b""))


def qmtp(data, world=None, step=1 << 20, relay=None, **given):
    given.setdefault("rcpthosts", frozenset([b"ours.example"]))
    world = world or FakeWorld()
    server = QmtpServer(source(data, step), values(**given), Client(ip=b"192.0.2.7"), world, relay)
    said = b""
    try:
        while True:
            for reply in server.message():
                said += reply
    except Ended:
        return said, world


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_message(step):
    said, world = qmtp(package() * 2, step=step)
    assert said == OK * 2
    sender, recipients, message = world.queued[0]
    assert (sender, recipients) == (b"a@b.example", [b"c@ours.example"])
    assert message.startswith(b"Received: from unknown (192.0.2.7)\n  by unknown with QMTP; ")
    assert message.endswith(b"\nSubject: x\n\nbody\n")
    assert len(world.queued) == 2


def test_lines_that_end_in_cr_lf():
    _, world = qmtp(package(b"\ra\r\nb\rc\r\n\r"))
    assert world.queued[0][2].endswith(b"\na\nb\rc\n\r")
    _, world = qmtp(package(b"\na\r\n"))
    assert world.queued[0][2].endswith(b"\na\r\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b""]), max_size=12))
def test_line_ends_do_not_depend_on_pieces(pieces):
    ends = LineEnds()
    assert b"".join(map(ends.feed, pieces)) + ends.finish() == b"".join(pieces).replace(b"\r\n", b"\n")


@pytest.mark.parametrize(("recipients", "replies"), [
    ([b"c@ours.example", b"d@else.example"], OK + NO_GATEWAY), ([b"d@else.example"], NO_GATEWAY), ([b"nohost"], OK), ([], b""),
    ([b"x" * 1000 + b"@ours.example", b"c@ours.example"], encoded(b"Dsorry, I can't handle that recipient (#5.1.3)") + OK),
    ([b"a\nb@ours.example"], encoded(b"Dsorry, I can't handle that recipient (#5.1.3)")),
    ([b"a\0b@ours.example"], encoded(b"Dsorry, I can't handle that recipient (#5.1.3)")),
])
def test_each_recipient_has_its_reply(recipients, replies):
    said, world = qmtp(package(recipients=recipients))
    assert said == replies
    accepted = replies.count(OK)
    assert len(world.queued) == (1 if accepted else 0)
    assert not accepted or len(world.queued[0][1]) == accepted


def test_a_client_that_may_relay_and_the_end_it_adds():
    said, world = qmtp(package(recipients=[b"d@else.example"]), relay=b".via")
    assert (said, world.queued[0][1]) == (OK, [b"d@else.example.via"])


@pytest.mark.parametrize(("body", "said"), [(b"\n12345", OK), (b"\n123456", encoded(b"Dsorry, that message size exceeds my databytes limit (#5.3.4)")),
                                            (b"\r1234\r\n", OK)])
def test_databytes(body, said):
    assert qmtp(package(body), databytes=5)[0] == said


@pytest.mark.parametrize("sender", [b"x" * 1000, b"a\r@b", b"a\n@b", b"a\0"])
def test_senders_that_no_envelope_can_hold(sender):
    said, world = qmtp(package(sender=sender))
    assert (said, world.queued) == (encoded(b"Dunacceptable sender (#5.1.7)"), [])


def test_the_queue_programs_words_go_to_each_recipient():
    said, world = qmtp(package(recipients=[b"c@ours.example", b"e@ours.example"]), FakeWorld(verdict="Dno thanks (#5.7.0)"))
    assert (said, world.queued) == (encoded(b"Dno thanks (#5.7.0)") * 2, [])


HOP = b"Received: from x\n"


@pytest.mark.parametrize(("body", "looping"), [
    (b"\n" + 99 * HOP + b"\nbody\n", False), (b"\n" + 100 * HOP + b"\nbody\n", True), (b"\nx: y\n\n" + 100 * HOP, False),
    (b"\r" + 100 * HOP.replace(b"\n", b"\r\n"), True), (b"\n" + 50 * HOP + 50 * b"Delivered-To: y\n", True),
])
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_a_message_that_goes_round_in_circles(body, looping, step):
    said, world = qmtp(package(body), step=step)
    assert said == (encoded(b"Dtoo many hops, this message is looping (#5.4.6)") if looping else OK)
    assert len(world.queued) == (not looping)


def test_what_is_remembered_of_recipients_has_a_limit(monkeypatch):
    monkeypatch.setattr(protocol, "RECIPIENTS", 2)
    said, world = qmtp(package(recipients=[b"a@else.example", b"b@ours.example", b"c@ours.example", b"d@else.example"]))
    assert said == NO_GATEWAY + OK + encoded(b"Zsorry, too many recipients (#4.5.3)") * 2
    assert world.queued[0][1] == [b"b@ours.example"]


@pytest.mark.parametrize("data", [b"0:,", encoded(b"xbody") + b"1:a,0:,", package()[:-1] + b";", b"5:\nabcd;", package()[:-2] + b"5,"])
def test_malformed_messages_queue_nothing(data):
    world = FakeWorld()
    with pytest.raises(Malformed):
        qmtp(data, world)
    assert world.queued == []
    assert world.abandoned == (data != b"0:,")


@given(st.integers(0, len(package()) - 1))
def test_a_connection_that_breaks_queues_nothing(cut):
    assert qmtp(package()[:cut])[1].queued == []


def test_no_queue():
    with pytest.raises(Temporary):
        qmtp(package(), FakeWorld(broken=True))


NO_MAILBOX = encoded(b"Dsorry, no mailbox here by that name. (#5.1.1)")
ACCOUNTS = {"recipientchk": 1, "locals": frozenset([b"ours.example"])}
TABLES = {"recipientchk": 2, "recipients": [b"r"]}
MIXED = [b"c@ours.example", b"z@ours.example", b"d@else.example", b"a\nb@ours.example"]


@pytest.mark.parametrize("checked", [ACCOUNTS, TABLES], ids=["accounts", "tables"])
def test_a_recipient_without_a_mailbox_is_refused_alone(checked):
    world = FakeWorld(accounts=[b"c"], tables={b"r": [b":c@ours.example"]})
    said, _ = qmtp(package(recipients=MIXED), world, **checked)
    assert said == OK + NO_MAILBOX + NO_GATEWAY + encoded(b"Dsorry, I can't handle that recipient (#5.1.3)")
    assert [recipients for _, recipients, _ in world.queued] == [[b"c@ours.example"]]
    assert (world.logged, world.paused) == ([b"realrcptto 42 192.0.2.7 z@ours.example"], [])


@pytest.mark.parametrize("checked", [ACCOUNTS, TABLES], ids=["accounts", "tables"])
def test_qmailrrtdenyall_refuses_all_recipients_of_that_message_and_of_no_other(checked):
    world = FakeWorld(accounts=[b"c"], tables={b"r": [b":c@ours.example"]}, env={"QMAILRRTDENYALL": "1"})
    said, _ = qmtp(package(recipients=MIXED) + package(), world, **checked)
    assert said == NO_MAILBOX * 4 + OK
    assert [recipients for _, recipients, _ in world.queued] == [[b"c@ours.example"]]


def test_tables_are_not_asked_for_a_client_that_may_relay():
    assert qmtp(package(recipients=[b"z@ours.example", b"x@far.example"]), FakeWorld(tables={b"r": "damaged"}), relay=b"", **TABLES)[0] == OK * 2


@pytest.mark.parametrize(("world", "checked"), [({"accounts": "unable to read cdb user database"}, ACCOUNTS), ({"tables": {b"r": "damaged"}}, TABLES), ({}, TABLES)])
def test_trouble_with_a_recipient_check_ends_the_connection_and_queues_nothing(world, checked):
    world = FakeWorld(**world)
    with pytest.raises(Temporary):
        qmtp(package(), world, **checked)
    assert world.queued == []


def qmqp(data, step=1 << 20, **world):
    world = FakeWorld(**world)
    return qmqp_message(source(data, step), Client(), world), world


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_qmqp_message(step):
    said, world = qmqp(qmqp_package(recipients=[b"c@d", b"e"]), step)
    assert said == OK
    sender, recipients, message = world.queued[0]
    assert (sender, recipients) == (b"a@b.example", [b"c@d", b"e"])
    assert b"with QMQP" in message and message.endswith(b"\nSubject: x\n\nbody\n")


@pytest.mark.parametrize("package", [qmqp_package(sender=b"a\n"), qmqp_package(recipients=[b"c@d", b"x" * 1000]), qmqp_package(recipients=[b"\0"])])
def test_qmqp_addresses_that_no_envelope_can_hold(package):
    said, world = qmqp(package)
    assert (said, world.queued) == (encoded(b"Dsorry, I can't accept addresses like that (#5.1.3)"), [])


@pytest.mark.parametrize(("data", "problem"), [
    (b"x", Malformed), (b"3:0:,,", Malformed), (b"20:1:x,", Ended), (qmqp_package()[:-1] + b";", Malformed), (b"1" * 101, TooLong), (b"0" * 101, Malformed),
])
def test_qmqp_malformed(data, problem):
    with pytest.raises(problem):
        qmqp(data)


def test_a_qmqp_message_that_goes_round_in_circles():
    assert qmqp(qmqp_package(100 * HOP))[0] == encoded(b"Dtoo many hops, this message is looping (#5.4.6)")


def test_qmqp_verdict():
    assert qmqp(qmqp_package(), verdict="Zlater")[0] == encoded(b"Zlater")
