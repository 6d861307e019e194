"""Replies on the wire."""

from qmailpy.exits import Temporary
from qmailpy.smtp.reply import OK, Reply, end_of_session, of_verdict, virus


def test_one_line_and_several():
    assert OK.wire() == b"250 ok\r\n"
    assert Reply(250, "a", b"b", "c").wire() == b"250-a\r\n250-b\r\n250 c\r\n"


def test_verdicts_of_the_queue():
    assert of_verdict("Dno").wire() == b"554 no\r\n"
    assert of_verdict("Zlater").wire() == b"451 later\r\n"


def test_what_a_session_ends_with():
    answer = end_of_session(Temporary("unable to x", "4.3.0"))
    assert (answer.wire(), answer.closing) == (b"421 unable to x (#4.3.0)\r\n", 1)


def test_a_virus_has_a_name():
    assert virus(b"W").wire() == b"554 sorry, your message contains a virus: W (#5.7.1)\r\n"
