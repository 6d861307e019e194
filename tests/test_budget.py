"""Programs that start once per message import nothing heavy: each import costs milliseconds of every message's life."""

import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAVY = ("dataclasses", "asyncio", "logging", "subprocess", "typing", "argparse", "email", "re", "signal", "enum", "socket", "ssl", "pathlib", "contextlib",
         "functools", "collections", "random", "tempfile", "shutil", "datetime", "threading", "dns", "OpenSSL", "cryptography", "cdblib", "click", "ctypes")
PER_MESSAGE = ("qmail-smtpd", "qmail-queue", "qmail-local", "qmail-remote", "qmail-inject", "sendmail", "qmail-getpw", "qmail-clean", "qmail-lspawn",
               "qmail-rspawn", "qmail-send", "qmail-start", "qmail-qmtpd", "qmail-qmqpd", "qmail-qmqpc", "qmail-pop3d", "qmail-popup", "tcp-env",
               "bouncesaying", "condredirect", "except_", "forward", "preline", "qbiff", "qreceipt", "qsmhook", "mailsubj", "predate", "datemail", "maildirmake")
LOOK = """
import sys
before = set(sys.modules)
sys.path[:0] = [sys.argv[1]]
__import__("qmailpy.exits")
__import__("qmailpy.programs." + sys.argv[2].replace("-", "_"))
print(*sorted(name for name in set(sys.modules) - before))
"""


def imports(program):
    """What importing a program's module imports, in an interpreter as the launcher starts it."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", LOOK, TOP, program], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("program", PER_MESSAGE)
def test_nothing_heavy_is_imported_at_start(program):
    found = [name for name in imports(program) if name.split(".")[0] in HEAVY]
    assert not found


@pytest.mark.parametrize("program", sorted(set(PER_MESSAGE) - {"qmail-send"}))  # which starts once
def test_a_program_needs_few_modules(program):
    assert len(imports(program)) <= 50
