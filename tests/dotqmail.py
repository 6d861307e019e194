"""Programs as qmail-local runs them for a line of a .qmail file: the message is a file, variables tell of the delivery."""

import os
import subprocess

MESSAGE = b"Subject: test\n\nbody\n"
LONG = MESSAGE + b"".join(b"line %d\n" % number for number in range(50000))
DELIVERY = {
    "SENDER": "s@x.example", "NEWSENDER": "owner@x.example", "RECIPIENT": "joe@me.example", "LOCAL": "joe", "HOST": "me.example", "USER": "joe",
    "UFLINE": "From s@x.example Thu Jan 01 00:00:00 1970\n", "RPLINE": "Return-Path: <s@x.example>\n", "DTLINE": "Delivered-To: joe@me.example\n",
}
HEAD = (DELIVERY["UFLINE"] + DELIVERY["RPLINE"] + DELIVERY["DTLINE"]).encode()


def run(home, program, *words, message=MESSAGE, without=(), before="", **env):
    """Run a program of a LittleHome on a message, in the middle of a delivery; what subprocess.run gives.

    message  its content, or what is to be descriptor 0: an object with fileno()
    without  variables that are not set; `before`: shell commands before the program, such as redirections by exec
    """
    env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), **{name: value for name, value in DELIVERY.items() if name not in without}, **env}
    command = ["/bin/sh", "-c", f'{before}\nexec "$0" "$@"', home.link(program), *words]
    if not isinstance(message, bytes):
        return subprocess.run(command, stdin=message, env=env, cwd=home.path, capture_output=True, timeout=60)
    (home.path / "message").write_bytes(message)
    with (home.path / "message").open("rb") as opened:
        return subprocess.run(command, stdin=opened, env=env, cwd=home.path, capture_output=True, timeout=60)


def outcome(done):
    """(exit status, standard output, standard error)."""
    return done.returncode, done.stdout, done.stderr
