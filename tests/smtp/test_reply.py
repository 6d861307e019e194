"""Replies on the wire."""

from qmailpy.smtp.reply import OK, Reply, of_verdict


def test_one_line_and_several():
    assert OK.wire() == b"250 ok\r\n"
    assert Reply(250, "a", b"b", "c").wire() == b"250-a\r\n250-b\r\n250 c\r\n"


def test_verdicts_of_the_queue():
    assert of_verdict("Dno").wire() == b"554 no\r\n"
    assert of_verdict("Zlater").wire() == b"451 later\r\n"
