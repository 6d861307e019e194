"""A listener that does TLS for us."""

import os

import pytest

from qmailpy.unix.fds import close_quietly
from qmailpy.unix.ucspi_tls import begin, offered

NUMBERS = {"SSLCTLFD": "7", "SSLREADFD": "8", "SSLWRITEFD": "9"}


@pytest.mark.parametrize(("env", "there"), [
    ({}, False), (NUMBERS, False), ({"UCSPITLS": "", **NUMBERS}, True), ({"UCSPITLS": "1", **NUMBERS}, True), ({"UCSPITLS": "!", **NUMBERS}, True),
    ({"UCSPITLS": "-", **NUMBERS}, False), ({"UCSPITLS": ""}, False), ({"UCSPITLS": "", **NUMBERS, "SSLREADFD": "x"}, False),
    ({"UCSPITLS": "", **NUMBERS, "SSLREADFD": "-1"}, False),
])
def test_whether_it_is_offered(env, there):
    assert offered(env) == there


def test_the_session_moves_to_other_descriptors():
    ends = [end for _ in range(5) for end in os.pipe()]
    (old_read, _, old_hear, old_write), (control, ask), (read, say), (hear, write) = ends[:4], ends[4:6], ends[6:8], ends[8:10]
    begin({"SSLCTLFD": str(ask), "SSLREADFD": str(read), "SSLWRITEFD": str(write)}, old_read, old_write)
    assert os.read(control, 10) == b"y"
    os.write(say, b"EHLO x")
    assert os.read(old_read, 10) == b"EHLO x"
    os.write(old_write, b"250 ok")
    assert os.read(hear, 10) == b"250 ok"
    close_quietly(write, old_write)
    assert os.read(old_hear, 10) == b""  # nobody can write there any more
    close_quietly(*ends)


def test_a_listener_that_has_gone():
    control, ask = os.pipe()
    os.close(control)
    with pytest.raises(OSError):
        begin({"SSLCTLFD": str(ask), "SSLREADFD": "0", "SSLWRITEFD": "1"}, 0, 1)
    os.close(ask)
