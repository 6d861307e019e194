"""A target, and one input judged: neither an exception nor too much time, memory or descriptors."""

from __future__ import annotations

import importlib
import os
import resource
import signal

from fuzz.promise import Broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 4096  # bytes of an input, unless a target says something else
SECONDS = 10.0  # that one input may take
MEMORY = 128 << 10  # KiB by which the process may grow, beyond what it had after the first input


class Endless(BaseException):
    """An input takes too long.  No `except Exception` on the way must take it for an answer."""


class Target:
    """fuzz/targets/NAME.py.

    check    does something with the input; raises Broken, or anything else that must not come
    words    what inputs of this kind are made of
    longest  bytes of an input that make sense
    """

    def __init__(self, name: str) -> None:
        module = importlib.import_module(f"fuzz.targets.{name}")
        self.name = name
        self.check: Callable[[bytes], None] = module.check
        self.words: tuple[bytes, ...] = getattr(module, "WORDS", ())
        self.longest: int = getattr(module, "LONGEST", LONGEST)

    def corpus(self) -> list[bytes]:
        """The inputs that were made by hand, in a fixed order."""
        folder = os.path.join(HERE, "corpus", self.name)
        found = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                found.append(file.read())
        return found


def names() -> list[str]:
    """All targets."""
    return sorted(name.removesuffix(".py") for name in os.listdir(os.path.join(HERE, "targets")) if name.endswith(".py") and name != "__init__.py")


class Judge:
    """Gives inputs to a target one by one, and says what is wrong with how it took them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.runs = 0
        self._memory = self._descriptor = 0

    def judge(self, data: bytes) -> BaseException | None:
        """What was raised for an input; None if all is well."""
        self.runs += 1
        kept = signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            self.target.check(data)
            self._weigh()
        except (Exception, Endless) as problem:  # noqa: BLE001 (whatever comes is a find)
            return problem
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, kept)
        return None

    def _weigh(self) -> None:
        """Raise Broken if memory or descriptors do not come back."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        descriptor = os.dup(2)
        os.close(descriptor)
        if self.runs == 1:
            self._memory, self._descriptor = memory, descriptor
        if memory > self._memory + MEMORY:
            raise Broken(f"the process has grown to {memory} KiB")
        if descriptor > self._descriptor:
            raise Broken("a descriptor is left open")


def too_long(number: int, frame: FrameType | None) -> None:
    """What the alarm does."""
    raise Endless(f"still at it after {SECONDS:.0f} seconds")
