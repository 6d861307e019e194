"""One target under atheris, which watches what code an input reaches: `python3 -m fuzz.guided TARGET COUNTER FOUND [libFuzzer's words]`.

libFuzzer leaves the process by itself, so each target has its own; COUNTER is a descriptor of shared memory, where the runs are counted.
"""

from __future__ import annotations

import mmap
import os
import sys

import atheris

with atheris.instrument_imports(include=["qmailpy"], enable_loader_override=False):
    from fuzz.finds import keep
    from fuzz.target import Judge, Target


def main(words: list[str]) -> None:
    """Fuzz until libFuzzer ends the process, or an input breaks a promise: then exit 1."""
    name, counter, found, *rest = words
    memory = mmap.mmap(int(counter), 8)
    with atheris.instrument_imports(include=["qmailpy"], enable_loader_override=False):
        judge = Judge(Target(name))
        judge.judge(b"")  # what is imported when it is first needed is watched as well

    def one(data: bytes) -> None:
        problem = judge.judge(data)
        memory[:] = judge.runs.to_bytes(8, "little")
        if problem is not None:
            keep(found, name, data, problem)
            os._exit(1)

    atheris.Setup([sys.argv[0], *rest], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
