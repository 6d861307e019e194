"""A second message in the first one: whatever a stranger hides in a message, one host after the other sees one message."""

import contextlib
import socket
import threading

import pytest

from tests.home import PATIENCE
from tests.smtpsink import SmtpSink

EVIL = b"MAIL FROM:<boss@bank.example>%sRCPT TO:<victim@far.example>%sDATA%sSubject: smuggled%s%spay%s.%s"
LINE_ENDS = {"CR LF": b"\r\n", "LF": b"\n", "CR": b"\r", "CR CR LF": b"\r\r\n", "LF CR": b"\n\r", "NUL LF": b"\0\n", "VT": b"\x0b", "FF": b"\x0c", "NEL": b"\x85", "NEL in UTF-8": "\x85".encode(),
             "U+2028": "\u2028".encode(), "U+2029": "\u2029".encode(), "FS": b"\x1c"}


class LaxReceiver:
    """A next host that takes a CR, an LF and their pairs each for a line's end, and any dot between two of them for a message's: `messages` that it has taken."""

    def __init__(self):
        self.messages = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self.thread = threading.Thread(target=self.meet, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.listener.close()
        self.thread.join(PATIENCE)

    def meet(self):
        with contextlib.suppress(OSError):  # a client hangs up when it likes
            self.serve()

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"220 lax\r\n")
            line, message = b"", None
            while byte := stream.read(1):
                if byte not in b"\r\n":
                    line += byte
                    continue
                if byte == b"\n" and not line and self.after_cr:
                    self.after_cr = False
                    continue
                self.after_cr = byte == b"\r"
                message, answer = self.take(line, message)
                line = b""
                if answer:
                    connection.sendall(answer + b"\r\n")
                if answer.startswith(b"221"):
                    return

    after_cr = False

    def take(self, line, message):
        """(the message under way, the answer) when a line has come."""
        if message is None:
            verb = line[:4].upper()
            return ([], b"354 go") if verb == b"DATA" else (None, b"221 bye" if verb == b"QUIT" else b"250 ok")
        if line == b".":
            self.messages.append(message)
            return None, b"250 taken"
        return [*message, line], b""


def test_no_form_of_an_end_that_a_client_may_send_makes_two_messages_at_the_next_host(single):
    """In by qmail-smtpd and out by qmail-remote, to a host that takes anything for a line's end."""
    single.control(rcpthosts="far.example\n")
    single.start()
    for before in LINE_ENDS.values():
        for after in (before, b"\r\n"):
            if b"\r\n.\r\n" in before + b"." + after:
                continue  # that is the end of a message, for everybody
            with LaxReceiver() as lax:
                single.control(smtproutes=f":[127.0.0.1]:{lax.port}\n")
                text = b"Subject: first\r\n\r\nx" + before + b"." + after + EVIL % ((after,) * 7) + b"\r\n.\r\n"
                said = single.run("qmail-smtpd", input=b"HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@far.example>\r\nDATA\r\n" + text, status=None).splitlines()
                taken = sum(line.startswith(b"250 ok 1") or b" qp " in line for line in said)
                if not taken:
                    assert said[-1].startswith(b"451 See ")
                    with socket.create_connection(("127.0.0.1", lax.port)) as nobody:
                        nobody.sendall(b"QUIT\r\n")
                    continue
                lax.thread.join(PATIENCE)
                assert not lax.thread.is_alive()
            assert taken == 1
            [message] = lax.messages
            assert b"MAIL FROM:<boss@bank.example>" in b"\n".join(message)


@pytest.mark.parametrize("end", LINE_ENDS.values(), ids=LINE_ENDS.keys())
def test_no_file_in_the_queue_makes_two_messages_at_the_next_host(single, end):
    """The same for what a user of this host hands in, in which a bare LF is a line's end and nothing is refused."""
    with LaxReceiver() as lax:
        single.control(smtproutes=f":[127.0.0.1]:{lax.port}\n")
        single.start()
        single.run("qmail-inject", "c@far.example", input=b"Subject: first\n\nx" + end + b"." + end + EVIL % ((end,) * 7) + end)
        single.log.wait("delivery 1: success: 127.0.0.1_accepted_message./Remote_host_said:_250_taken/")
    assert len(lax.messages) == 1


def test_nothing_but_cr_lf_leaves(single):
    every_byte = bytes(range(256)) * 2 + b"\r\r\n\n\r.\r.\n.\r\n..\r"
    with SmtpSink() as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        single.start()
        single.run("qmail-inject", "c@far.example", input=b"Subject: bytes\n\n" + every_byte + b"\n")
        [(_, _, data)] = sink.wait(1)
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
