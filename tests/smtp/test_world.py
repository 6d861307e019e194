"""The stand-in that tests use offers what a session may ask for, and so does the real one."""

import inspect

from qmailpy.serve.world import SmtpWorld
from qmailpy.queue.client import QueueProcess
from qmailpy.unix.clamd import Scan
from tests.smtp.world import FakeQueue, FakeScan, FakeWorld

ASKED = ("now", "variable", "log", "log_once", "pause", "is_own_address", "in_more_rcpthosts", "has_account", "in_table", "ask_program", "open_queue", "open_scan",
         "hear", "search", "exists", "takes_mail", "call_back", "stamp", "authenticate", "introduce", "prepare_tls", "start_tls")
SCAN = ("put", "verdict", "close")
QUEUE = ("put", "fail", "envelope", "recipient", "close", "abandon")


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_both_worlds_answer_the_same_questions():
    for name in ASKED:
        assert parameters(getattr(SmtpWorld, name)) == parameters(getattr(FakeWorld, name))
    for name in QUEUE:
        assert parameters(getattr(QueueProcess, name)) == parameters(getattr(FakeQueue, name))
    for name in SCAN:
        assert parameters(getattr(Scan, name)) == parameters(getattr(FakeScan, name))
