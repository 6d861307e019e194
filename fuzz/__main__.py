"""Run targets: `python3 -m fuzz [--seconds N] [--runs N] [--seed N] [--plain] [--input FILE] [TARGET ...]`; exit 1 for a broken promise, 2 for a wrong call."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import mmap
import os
import subprocess
import sys
import time
import traceback

from fuzz.finds import keep, tell
from fuzz.mutate import Mutator
from fuzz.target import Judge, Target, names

PLACE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".build", "fuzz")
FOUND, GROWN = os.path.join(PLACE, "found"), os.path.join(PLACE, "corpus")
EVERY = 10.0  # seconds between two lines of progress
LATE = 60.0  # seconds after which a process that should have ended is ended


class Figures:
    """What came of a target: runs, failures, seconds."""

    def __init__(self, runs: int = 0, failures: int = 0, seconds: float = 0.0) -> None:
        self.runs, self.failures, self.seconds = runs, failures, seconds

    def line(self) -> str:
        """In words."""
        return f"runs {self.runs}, {self.runs / max(self.seconds, 0.001):.0f} a second, failures {self.failures}"


def plain(name: str, seed: int, seconds: float, most: int | None = None, found: str = FOUND) -> Figures:
    """The corpus, then inputs made of it, for so many seconds, at most so many runs, or until one breaks a promise."""
    target = Target(name)
    judge, corpus = Judge(target), target.corpus()
    mutator = Mutator(f"{seed} {name}", corpus, target.words, target.longest)
    begin = told = time.monotonic()
    todo = [b"", *corpus]
    while True:
        data = todo.pop(0) if todo else mutator.next()
        problem = judge.judge(data)
        now = time.monotonic()
        if problem is not None:
            keep(found, name, data, problem)
        if problem is not None or (not todo and (now - begin >= seconds or judge.runs == most)):
            return Figures(judge.runs, int(problem is not None), now - begin)
        if now - told >= EVERY:
            told = now
            print(f"{name}: {judge.runs} runs", flush=True)


def guided(name: str, seed: int, seconds: float) -> Figures:
    """The same under atheris, in a process of its own; what it learns is kept for the next time."""
    target, grown = Target(name), os.path.join(GROWN, name)
    os.makedirs(grown, exist_ok=True)
    os.makedirs(FOUND, exist_ok=True)
    dictionary = os.path.join(PLACE, f"{name}.words")
    with open(dictionary, "w", encoding="ascii") as file:
        file.writelines('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words)
    words = [f"-max_total_time={max(1, round(seconds))}", f"-seed={seed or 1}", f"-max_len={target.longest}", f"-dict={dictionary}", "-timeout=0",
             "-verbosity=0", "-rss_limit_mb=2048", f"-artifact_prefix={FOUND}/{name}-", grown, os.path.join(os.path.dirname(__file__), "corpus", name)]
    counter, begin = os.memfd_create("runs"), time.monotonic()
    os.ftruncate(counter, 8)
    try:
        with open(os.path.join(PLACE, f"{name}.log"), "wb") as log, mmap.mmap(counter, 8) as runs:
            command = [sys.executable, "-m", "fuzz.guided", name, str(counter), FOUND, *words]
            process = subprocess.Popen(command, pass_fds=(counter,), stdout=log, stderr=log)
            status = wait(process, name, runs, begin + seconds + LATE)
            figures = Figures(int.from_bytes(runs[:], "little"), int(status != 0), time.monotonic() - begin)
    finally:
        os.close(counter)
    if status:
        report(name, status)
    return figures


def wait(process: subprocess.Popen[bytes], name: str, runs: mmap.mmap, end: float) -> int:
    """Wait for a process, telling how far it is; its exit status."""
    while True:
        try:
            return process.wait(EVERY)
        except subprocess.TimeoutExpired:
            print(f"{name}: {int.from_bytes(runs[:], 'little')} runs", flush=True)
            if time.monotonic() > end:
                process.kill()


def report(name: str, status: int) -> None:
    """Tell what the process has told: its last lines, or the command that repeats the find."""
    with open(os.path.join(PLACE, f"{name}.log"), encoding="utf-8", errors="replace") as log:
        text = log.read()
    lines = text.split("\n")
    told = [line for pair in itertools.pairwise(lines) if pair[1].startswith("  again: ") for line in pair]
    if told:
        print("\n".join(told), file=sys.stderr, flush=True)
        return
    print(text[-2000:], file=sys.stderr)
    for file in sorted(os.listdir(FOUND)):
        if file.startswith((f"{name}-crash-", f"{name}-oom-", f"{name}-timeout-")):
            tell(name, os.path.join(FOUND, file), f"the process has ended with {status}")


def again(name: str, path: str) -> int:
    """Give one input to a target; the exit status."""
    with open(path, "rb") as file:
        problem = Judge(Target(name)).judge(file.read())
    if problem is None:
        print(f"{name}: all is well with {path}")
        return 0
    traceback.print_exception(problem)
    return 1


def main(words: list[str]) -> int:
    """Run, print a line of figures for each target and one for all; the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Hostile input: is every promise kept?")
    parser.add_argument("--seconds", type=float, default=10, metavar="N", help="for each target")
    parser.add_argument("--runs", type=int, metavar="N", help="at most, for each target; not with atheris")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of chance")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--input", metavar="FILE", help="only this input, to one target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    options = parser.parse_args(words)
    if unknown := set(options.targets) - set(names()):
        parser.error(f"no such target: {' '.join(sorted(unknown))}; there are {' '.join(names())}")
    if options.input:
        if len(options.targets) != 1:
            parser.error("an input is for one target")
        return again(options.targets[0], options.input)
    by_itself = options.plain or options.runs is not None or importlib.util.find_spec("atheris") is None
    print("fuzz: inputs " + ("of our own" if by_itself else "by atheris"), flush=True)
    all_of_it = Figures()
    chosen = options.targets or names()
    for name in chosen:
        figures = plain(name, options.seed, options.seconds, options.runs) if by_itself else guided(name, options.seed, options.seconds)
        print(f"{name}: {figures.line()}", flush=True)
        all_of_it.runs += figures.runs
        all_of_it.failures += figures.failures
    print(f"targets {len(chosen)}, runs {all_of_it.runs}, failures {all_of_it.failures}", flush=True)
    return 1 if all_of_it.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
