"""What the benchmark's client says, and its server answers."""

import pytest

from qmailpy.bench.dialogue import BODY, WIRE, Sink, commands


@pytest.mark.parametrize("step", [1, 1000000], ids=["byte by byte", "at once"])
def test_the_sink_answers_each_command_and_counts_messages(step):
    session, said = Sink(), b"".join(command for command, _ in commands("a@b.example")[:-1]) * 2 + b"QUIT\r\nIGNORED\r\n"
    answers = b"".join(session.feed(said[at:at + step]) for at in range(0, len(said), step))
    codes = [line[:3] for line in answers.split(b"\r\n")[:-1]]
    assert codes == [b"250", b"250", b"250", b"354", b"250"] * 2 + [b"221"]
    assert (session.taken, session.closed) == (2, True)


@pytest.mark.parametrize(("data", "taken"), [(b".\r\n", 1), (b"\r\n.\r\n", 1), (b"a\r\n..\r\nb\r\n.\r\n", 1), (b"a\n.\n", 0), (b"DATA\r\n.\r\n", 1)])
def test_where_a_message_ends(data, taken):
    session = Sink()
    session.feed(b"data\r\n" + data)
    assert session.taken == taken


def test_a_client_knows_what_it_wants_to_hear():
    assert [wanted for _, wanted in commands("a@b.example")] == [b"2", b"2", b"2", b"2", b"3", b"2", b"2"]
    assert commands("a@b.example")[0][0] == b"" and commands("a@b.example")[3][0] == b"RCPT TO:<a@b.example>\r\n"
    assert WIRE.endswith(b"\r\n.\r\n") and WIRE.replace(b"\r\n", b"\n") == BODY + b".\n"
