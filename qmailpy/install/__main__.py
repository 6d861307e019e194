"""`python -m qmailpy.install setup|check|rollback|users|demo ...`: what the Makefile runs."""

from __future__ import annotations

import argparse
import os
import sys

from qmailpy import launchers
from qmailpy.home import first_line
from qmailpy.install import interpreter, people
from qmailpy.install.check import problems
from qmailpy.install.pools import renew
from qmailpy.install.setup import Setup, describe, rollback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    commands = argparse.ArgumentParser(prog="qmailpy.install", description=__doc__)
    commands.add_argument("command", choices=("setup", "check", "rollback", "users", "demo"))
    commands.add_argument("--home", default=first_line(TOP + "/conf-home"), help="the home folder")
    commands.add_argument("--single", action="store_true", help="a home where everything belongs to one user")
    commands.add_argument("--programs", default="", help="install only these programs, separated by blanks")
    commands.add_argument("--once", action="store_true", help="demo: end after the delivery")
    commands.add_argument("--port", type=int, default=2525, help="demo: where SMTP is served on 127.0.0.1")
    return commands


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    chosen = parser().parse_args(argv)
    if chosen.command == "users":
        return people.create(chosen.home, TOP)
    if chosen.command == "demo":
        from qmailpy.install.demo import demo

        return demo(TOP, chosen.port, once=chosen.once)
    if not chosen.single and os.geteuid():
        return complain("a multi-user home needs root; SINGLE=1 makes a home of your own")
    try:
        return carry_out(chosen)
    except (people.Missing, launchers.Unusable) as problem:
        return complain(str(problem))
    except OSError as problem:
        return complain(f"{problem.strerror}: {problem.filename}")


def carry_out(chosen: argparse.Namespace) -> int:
    """setup, check or rollback.  Raises OSError, people.Missing, launchers.Unusable."""
    found = interpreter.choose()
    if found is None:
        return complain("no interpreter that every user can execute: Python 3.11 or newer is needed (on Debian, apt-get install python3)")
    home = describe(chosen.home, TOP, single=chosen.single)
    setup = Setup(home, TOP, found, tuple(chosen.programs.split()))
    if chosen.command == "setup":
        os.umask(0o022)
        setup.run()
        running = renew(home)
        print(f"{home.path}: installed, {'for one user' if home.single else 'for many users'}, running with {found}"
              + (f"; {running} running pools are to use it" if running else ""))
        return 0
    if chosen.command == "rollback":
        names = rollback(home)
        print(f"{home.path}: {len(names)} files put back" + "".join(f"\n  {name}" for name in names))
        return 0
    wrong = list(problems(setup))
    for line in wrong:
        print(f"{home.path}: {line}")
    print(f"{home.path}: {'checked' if not wrong else f'{len(wrong)} problems'}")
    return 1 if wrong else 0


def complain(text: str) -> int:
    """Say what is wrong; the exit status for it."""
    print(f"qmailpy.install: fatal: {text}", file=sys.stderr)
    return 111


if __name__ == "__main__":
    sys.exit(main())
