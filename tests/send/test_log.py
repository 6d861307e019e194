"""Log lines."""

import os

from qmailpy.send.log import log, safe


def test_safe_words():
    assert safe(b"a b%c\nd\x7f\xff~!") == b"a_b_c/d__~!"
    assert safe(b"cut\0here") == b"cut"


def test_a_line_goes_to_descriptor_0(tmp_path):
    pid = os.fork()
    if not pid:
        fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(fd, 0)
        log("new msg ", 5, b" \xff")
        os.close(0)
        log("nobody hears this")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "log").read_bytes() == b"new msg 5 \xff\n"
