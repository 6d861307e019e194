"""The stand-in that tests use offers what a session may ask for, and so does the real one."""

import inspect

from qmailpy.programs.qmail_smtpd import World
from qmailpy.queue.client import QueueProcess
from tests.smtp.world import FakeQueue, FakeWorld

ASKED = ("now", "is_own_address", "in_more_rcpthosts", "open_queue", "log", "pause", "stamp", "authenticate", "introduce", "prepare_tls", "start_tls")
QUEUE = ("put", "fail", "envelope", "recipient", "close")


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_both_worlds_answer_the_same_questions():
    for name in ASKED:
        assert parameters(getattr(World, name)) == parameters(getattr(FakeWorld, name))
    for name in QUEUE:
        assert parameters(getattr(QueueProcess, name)) == parameters(getattr(FakeQueue, name))
