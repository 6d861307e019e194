"""Inputs that break a promise: kept in a folder, with what came of them, and how to see it again."""

from __future__ import annotations

import hashlib
import os
import sys
import traceback


def keep(folder: str, target: str, data: bytes, problem: BaseException) -> None:
    """Keep an input and tell of it."""
    path = os.path.join(folder, f"{target}-{hashlib.sha256(data).hexdigest()[:12]}")
    os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    with open(path + ".why", "w", encoding="utf-8") as file:
        traceback.print_exception(problem, file=file)
    tell(target, path, f"{type(problem).__name__}: {problem}"[:500])


def tell(target: str, path: str, why: str) -> None:
    """Say what was found, and the command that repeats it."""
    print(f"{target}: {why}\n  again: make fuzz TARGETS={target} INPUT={os.path.relpath(path)}", file=sys.stderr, flush=True)
