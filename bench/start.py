"""What starting a program for one message costs, beside the interpreter's own start."""

import os
import subprocess
import sys

from bench.homes import BODY
from bench.rounds import Contender, Figure

TIMES = 10  # starts in one round
SMTP = (b"HELO bench.example\r\nMAIL FROM:<a@bench.example>\r\nRCPT TO:<b@bench.example>\r\nDATA\r\n" + BODY.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n")


def repeated(work):
    """`work`, several times."""
    def run():
        for _ in range(TIMES):
            work()
        return TIMES

    return run


def queue_one(home):
    """Hand one message to qmail-queue."""
    source, target = os.pipe()
    os.write(target, b"Fa@bench.example\0Tb@bench.example\0\0")
    os.close(target)
    read, write = os.pipe()
    os.write(write, BODY)
    os.close(write)
    try:
        subprocess.run([home.program("qmail-queue")], stdin=read, stdout=source, env=home.env, check=True)
    finally:
        os.close(source)
        os.close(read)


def deliver_one(home, path):
    """Have qmail-local put one message into a Maildir."""
    with open(path, "rb") as message:
        subprocess.run([home.program("qmail-local"), "alias", str(home.path / "alias"), "b", "", "", "bench.example", "a@bench.example", "./Maildir/"],
                       stdin=message, stdout=subprocess.DEVNULL, env=home.env, check=True)


def figure(home):
    """A bare interpreter against each program that starts for a message, with one whole message."""
    message = home.path / "message"
    message.write_bytes(BODY)
    accept = {"QMAILQUEUE": "/bin/true", "TCPREMOTEIP": "127.0.0.1"}
    return Figure("start", "one cold start with one whole message, against a bare interpreter", [
        Contender("bare interpreter", repeated(lambda: subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True))),
        Contender("qmail-smtpd (queue: /bin/true)", repeated(lambda: home.run("qmail-smtpd", data=SMTP, env=accept))),
        Contender("qmail-queue", repeated(lambda: queue_one(home))),
        Contender("qmail-local", repeated(lambda: deliver_one(home, message))),
    ])
