"""start."""

import sys

import pytest

from qmailpy.bench.figures import start
from qmailpy.bench.measure import Failed


def test_a_program_gets_its_descriptors_and_must_succeed(tmp_path):
    script = f"cat > {tmp_path}/message; cat <&1 > {tmp_path}/envelope"
    assert start.starting(["/bin/sh", "-c", script], {}, b"message", b"envelope")() > 0
    assert (tmp_path / "message").read_bytes() == b"message"
    assert (tmp_path / "envelope").read_bytes() == b"envelope"
    with pytest.raises(Failed, match="/bin/sh: exit 3"):
        start.starting(["/bin/sh", "-c", "exit 3"], {})()


def test_a_bare_interpreter():
    assert start.starting([sys.executable, "-I", "-S", "-c", "pass"], {})() > 0


def test_messages_can_be_rewound():
    assert start.starting([sys.executable, "-c", "import sys; sys.stdin.read(); sys.stdin.seek(0); assert sys.stdin.read() == 'x'"], {}, b"x")() > 0
