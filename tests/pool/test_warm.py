"""What a supervisor does before it forks."""

import subprocess
import sys

from qmailpy.pool import warm
from tests.pool.test_worker import TOP

CHECK = """
import sys
sys.path[:0] = [{top!r}, {top!r} + "/.build/site"]
from qmailpy.home import here
from qmailpy.pool.kind import KINDS
from qmailpy.pool.warm import warm
import gc
warm(here(), KINDS[{kind!r}])
print(gc.get_freeze_count() > 10000, gc.isenabled(), *(name in sys.modules for name in ("dns.resolver", "OpenSSL.SSL", "cdblib", "qmailpy.serve.mailboxes", "qmailpy.queue.put")))
"""


def warmed(kind):
    done = subprocess.run([sys.executable, "-I", "-S", "-c", CHECK.format(top=str(TOP), kind=kind)], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


def test_rule_13_everything_is_imported_and_frozen():
    assert warmed("servers") == ["True"] * 7


def test_rule_13_a_queue_needs_little():
    assert warmed("queue")[2:] == ["False", "False", "False", "False", "True"]


def test_every_module_of_the_packages_is_among_them():
    assert {"qmailpy.unix.tls_server", "qmailpy.smtp.checks.order", "qmailpy.text.ciphers"} <= set(warm.modules())


def test_a_session_in_tls_works():
    warm.shake_hands()
