"""Programs of ours that a spawner has loaded: a child calls their main in the place of executing them, which saves an interpreter's start.

The child has by then what an executed program would have: its descriptors, folder, identity, and no signal of its parent's.
"""

from __future__ import annotations

import gc
import os

from qmailpy.exits import outcome
from qmailpy.unix.ours import Program
from qmailpy.unix.process import ignore_as_interpreter, name_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qmailpy.home import Home


class Warm:
    """One program, loaded if it is ours.

    later  what its main imports when it needs it
    """

    def __init__(self, home: Home, name: str, later: Iterable[str] = ()) -> None:
        self.home, self.name = home, name
        self.program = Program(home, name)
        if self.program.known:
            self._load(later)

    def _load(self, later: Iterable[str]) -> None:
        for module in (self._module, *later):
            try:
                __import__(module)
            except (ImportError, MemoryError, OSError):
                pass  # the child meets the same, and tells it as the program would

    @property
    def _module(self) -> str:
        return "qmailpy.programs." + self.name.replace("-", "_")

    @property
    def stands(self) -> bool:
        """Whether the program in the home's bin is ours, and unchanged."""
        return self.program.is_at(self.program.path)

    def name_child(self) -> None:
        """Give this process, a child, the program's name.  To be called before it becomes somebody else: then it may not any more."""
        name_process(self.name)

    def run(self, argv: Sequence[bytes], env: Mapping[str, str]) -> int:
        """Be the program; its exit status."""
        ignore_as_interpreter()
        main = __import__(self._module, fromlist=["main"]).main
        return outcome(lambda words, variables: main(words, variables, self.home), [os.fsdecode(word) for word in argv], dict(env))


def settle() -> None:
    """Keep the collector from what is loaded: it would only make memory that the children share their own."""
    gc.collect()
    gc.freeze()
