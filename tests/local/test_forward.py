"""Forwards."""

import os

import pytest

from qmailpy.exits import Permanent, Temporary
from qmailpy.home import Home
from qmailpy.local.forward import deliver


@pytest.fixture
def send(tmp_path):
    def run(code=0):
        program = tmp_path / "queue"
        program.write_text(f"#!/bin/sh\ncat > message; cat <&1 > envelope; exit {code}\n")
        program.chmod(0o755)
        (tmp_path / "text").write_bytes(b"Subject: x\n\nno newline")
        fd = os.open(tmp_path / "text", os.O_RDONLY)
        try:
            env = {"QMAILQUEUE": str(program), "PATH": os.environ["PATH"]}
            return deliver(Home(str(tmp_path)), env, b"Delivered-To: me\n", fd, b"s@x", [b"a@b", b"c@d"])
        finally:
            os.close(fd)

    return run


def test_a_forward(send, tmp_path):
    assert send() > 0
    assert (tmp_path / "message").read_bytes() == b"Delivered-To: me\nSubject: x\n\nno newline"
    assert (tmp_path / "envelope").read_bytes() == b"Fs@x\0Ta@b\0Tc@d\0\0"


@pytest.mark.parametrize(("code", "kind", "words"), [(31, Permanent, "permanently rejected"), (53, Temporary, "disk full"), (11, Permanent, "too long")])
def test_refusals(send, code, kind, words):
    with pytest.raises(kind, match=f"Unable to forward message: .*{words}"):
        send(code)
