"""What the native launcher executes: `python -I -S boot.py PROGRAM ARGV0 [ARGUMENT...]`.

The launcher hides PATH, the locale and the dynamic linker's variables from the interpreter by a
prefix on their names; here they get their own names back.  Then PROGRAM's main runs.
"""

import gc
import os
import sys

HIDDEN = "QMAILPY_HIDDEN_"
KEYWORDS = {"except": "except_"}  # programs that Python has a word for


def restore(env: dict[str, str]) -> None:
    """Give hidden variables their names back, and drop LC_CTYPE, which the interpreter sets on its own."""
    env.pop("LC_CTYPE", None)
    for name in [name for name in env if name.startswith(HIDDEN)]:
        env[name[len(HIDDEN):]] = env.pop(name)


def spare_future() -> None:
    """Let `from __future__ import annotations` find its name without a search through the standard library: 2 ms of every start."""
    stand_in = type(sys)("__future__")
    stand_in.annotations = None  # type: ignore[attr-defined]  # the compiler has obeyed; nobody looks at the value
    sys.modules.setdefault("__future__", stand_in)


def start() -> None:
    """Run the program that the command line names, and exit."""
    spare_future()
    gc.disable()  # while modules are loaded there is nothing to collect
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        # The link to the current version, resolved once: what is imported later must be of the same one, also after an upgrade.
        top = os.path.join(os.path.dirname(top), os.readlink(top))
    except OSError:
        pass  # no link: a checkout
    sys.path[:0] = [top]
    sys.path.append(top + "/site")
    program, argv = sys.argv[1], sys.argv[2:]
    env = dict(os.environ)
    restore(env)
    from qmailpy.exits import run
    from qmailpy.unix.process import die_of_interrupts, name_process

    name_process(program)
    die_of_interrupts()
    module = __import__("qmailpy.programs." + KEYWORDS.get(program, program.replace("-", "_")), fromlist=["main"])
    gc.enable()
    run(module.main, argv, env)


if __name__ == "__main__":
    start()
