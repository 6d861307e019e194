"""Mail that would go on for ever, or to those who have not sent it: loops, bounces of bounces, answers to forged senders."""

import pytest

from tests.home import messages
from tests.smtpsink import SmtpSink


@pytest.fixture
def joe(single):
    folder = single.path / "alias"
    single.run("maildirmake", str(folder / "Maildir"))
    (folder / ".qmail-joe").write_text("./Maildir/\n")
    return folder


def test_two_addresses_that_forward_to_each_other(single, joe):
    (joe / ".qmail-one").write_text("&two@test.example\n")
    (joe / ".qmail-two").write_text("&one@test.example\n")
    single.start()
    single.run("qmail-inject", "-f", "joe@test.example", "one@test.example", input=b"Subject: round\n\n")
    single.log.wait("failure: This_message_is_looping:_it_already_has_my_Delivered-To_line._")
    single.log.wait("end msg", count=4)  # one, two, one again, the bounce
    [bounce] = messages(joe / "Maildir")
    assert b"\n<one@test.example>:\nThis message is looping: it already has my Delivered-To line. (#5.4.6)\n" in bounce
    assert single.log.text().count("new msg") == 4
    single.wait_empty()


@pytest.mark.parametrize("sender", ["", "#@[]"])
def test_an_address_that_forwards_to_itself_and_nobody_to_tell(single, joe, sender):
    (joe / ".qmail-postmaster").write_text("&postmaster@test.example\n")
    single.control(doublebouncehost="test.example\n")
    single.start()
    single.run("qmail-inject", "-f", sender, "postmaster@test.example", input=b"Subject: round\n\n")
    single.log.wait("triple bounce: discarding ")
    single.wait_empty()
    assert single.log.text().count("new msg") <= 5
    assert messages(joe / "Maildir") == []


def test_programs_that_send_each_other_mail_end_by_the_number_of_hops(single, joe):
    """They drop the Delivered-To lines; the Received lines go on to count."""
    (joe / ".qmail-one").write_text("|sed /^Delivered-To:/d > once; { for i in $(seq 99); do echo 'Received: again'; done; cat once; } > mail; qmail-smtpd < session\n")
    single.start()
    (joe / "session.head").write_bytes(b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<one@test.example>\r\nDATA\r\n")
    (joe / ".qmail-one").write_text(
        "|{ cat session.head; for i in $(seq 100); do printf 'Received: again\\r\\n'; done; printf '\\r\\n.\\r\\nQUIT\\r\\n'; } | \"$BIN/qmail-smtpd\" | grep -q '554 too many hops' && exit 100\n"
        .replace("$BIN", f"{single.path}/bin"))
    single.run("qmail-inject", "-f", "joe@test.example", "one@test.example", input=b"Subject: round\n\n")
    single.log.wait("delivery 1: failure: ")
    single.log.wait("end msg", count=2)
    assert single.log.text().count("new msg") == 2


def test_one_bounce_to_a_forged_sender_and_none_where_recipients_are_checked(single, joe):
    session = b"HELO c\r\nMAIL FROM:<victim@far.example>\r\nRCPT TO:<%s@test.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"
    with SmtpSink() as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        single.start()
        said = single.run("qmail-smtpd", input=session % b"nobody", env={"RECIPIENTCHK": "1"})
        assert b"550 sorry, no mailbox here by that name. (#5.1.1)" in said and b" qp " not in said
        assert b" qp " in single.run("qmail-smtpd", input=session % b"nobody")
        [(sender, recipients, _)] = sink.wait(1)
        assert (sender, recipients) == (b"", [b"victim@far.example"])
        single.log.wait("end msg", count=2)
    single.wait_empty()
    assert len(sink.messages) == 1


def test_a_bounce_of_a_bounce_goes_to_postmaster_and_that_of_it_to_nobody(single, joe):
    (joe / ".qmail-postmaster").write_text("./Maildir/\n")
    single.control(doublebouncehost="test.example\n")
    single.start()
    session = b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@test.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"
    single.run("qmail-smtpd", input=session)
    single.log.wait("end msg", count=2)
    [double] = messages(joe / "Maildir")
    assert double.startswith(b"Return-Path: <#@[]>\n")
    (joe / ".qmail-postmaster").write_text("|exit 100\n")
    single.run("qmail-smtpd", input=session)
    single.log.wait("triple bounce: discarding ")
    single.log.wait("end msg", count=4)
    assert len(messages(joe / "Maildir")) == 1
    single.wait_empty()
