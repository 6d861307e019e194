"""clamd's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.exits import Temporary
from qmailpy.text.clamd import END, INSTREAM, address, chunk, is_unknown, line, stream_port, verdict


def test_the_bytes_on_the_wire():
    """aio: clamd, the last example."""
    assert INSTREAM + chunk(b"hi\n") + END == bytes.fromhex("7a 49 4e 53 54 52 45 41 4d 00 00 00 00 03 68 69 0a 00 00 00 00")


@pytest.mark.parametrize(("text", "found"), [
    (b"127.0.0.1:3310", ("127.0.0.1", 3310)), (b"[::1]:3310", ("::1", 3310)), (b"[127.0.0.1]:1", ("127.0.0.1", 1)), (b"127.0.0.1", None), (b"127.0.0.1:", None),
    (b":3310", None), (b"[]:3310", None), (b"::1:3310", None), (b"127.0.0.1:0", None), (b"127.0.0.1:65536", None), (b"127.0.0.1:999999", None),
    (b"127.0.0.1:33x", None), (b"", None),
])
def test_addresses(text, found):
    assert address(text) == found


@pytest.mark.parametrize(("answer", "found"), [(b"", None), (b"stream: O", None), (b"a\0", b"a"), (b"a\n", b"a"), (b"a\0b\n", b"a"), (b"a\nb\0", b"a"), (b"\0", b"")])
def test_an_answer_is_a_line(answer, found):
    assert line(answer) == found


@pytest.mark.parametrize(("answer", "found"), [
    (b"stream: OK", None), (b"stream: Eicar-Signature FOUND", b"Eicar-Signature"), (b"stream: a b FOUND", b"a b"), (b"x: stream: y FOUND", b"stream: y"),
    (b"stream: W\x01\x1b\xe9 FOUND", b"W???"), (b"stream: " + b"x" * 200 + b" FOUND", b"x" * 100),
])
def test_verdicts(answer, found):
    assert verdict(answer) == found


@pytest.mark.parametrize("answer", [b"", b"OK", b"stream: OK ", b"stream: FOUND", b"INSTREAM size limit exceeded. ERROR", b"stream: x ERROR", b"stream: ok", b"\xff" * 999])
def test_no_verdict(answer):
    with pytest.raises(Temporary, match="it says [ -~]{0,200}$"):
        verdict(answer)


def test_the_port_of_an_old_clamd():
    assert stream_port(b"PORT 1234") == 1234
    assert is_unknown(b"UNKNOWN COMMAND")
    for answer in (b"PORT", b"PORT x", b"PORT 0", b"PORT 70000", b"UNKNOWN COMMAND", b"port 1"):
        with pytest.raises(Temporary):
            stream_port(answer)


@given(st.binary(max_size=40))
def test_whatever_it_says_is_a_name_or_nothing_or_trouble(answer):
    try:
        found = verdict(answer)
    except Temporary as problem:
        assert problem.text.isprintable()
        return
    assert answer.endswith(b": OK") if found is None else found.isascii()
