"""What exit codes of queue programs mean."""

import pytest

from qmailpy.queue.exitcodes import text_of


@pytest.mark.parametrize(("code", "letter", "words"), [
    (11, "D", "address too long"), (115, "D", "address too long"), (31, "D", "permanently rejected"), (51, "Z", "out of memory"), (52, "Z", "timeout"),
    (53, "Z", "write error"), (54, "Z", "read error"), (55, "Z", "configuration"), (56, "Z", "network"), (61, "Z", "home directory"), (62, "Z", "creating files"),
    (66, "Z", "creating files"), (71, "Z", "temporarily rejected"), (72, "Z", "timed out"), (73, "Z", "rejected"), (74, "Z", "communication"), (81, "Z", "bug"),
    (91, "Z", "bug"), (120, "Z", "exec"), (12, "D", "permanent problem"), (40, "D", "permanent problem"), (41, "Z", "temporary problem"), (1, "Z", "temporary problem"),
    (255, "Z", "temporary problem"), (-9, "Z", "crashed"), (82, "Z", "temporary problem"),
])
def test_codes(code, letter, words):
    text = text_of(code)
    assert text.startswith(letter)
    assert words in text


def test_success_is_no_text():
    assert text_of(0) == ""
    assert text_of(0, b"Dcustom") == ""


@pytest.mark.parametrize(("custom", "text"), [
    (b"Dno spam (#5.7.1)", "Dno spam (#5.7.1)"), (b"Dno spam (#5.7.1)\n", "Dno spam (#5.7.1)"), (b"Zlater", "Zlater"), (b"Hello world", "Zello world"), (b"later", "Zater"),
    (b"Da\r\nb\x07", "Da??b?"), (b"D", None), (b"D\n\n", None), (b"", None), (b"Dx", None), (b"Dx\n", "Dx"), (b"D" + b"x" * 400, "D" + "x" * 254),
])
def test_custom_texts(custom, text):
    assert text_of(82, custom) == (text or "Zqq temporary problem (#4.3.0)")
    assert text_of(31, custom).startswith("Dmail server")
