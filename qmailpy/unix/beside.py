"""Work that waits for a disk or a child, done beside a loop that must not wait: in threads, whose results the loop takes when it likes."""

from __future__ import annotations

import _thread
import os

from qmailpy.unix.fds import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

STACK = 1 << 18  # bytes; the default is as large as the limit of the process, and counts where memory is limited


class Beside:
    """Work under way; `fd` has something to read when some of it has ended."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._ended: list[Callable[[], None]] = []
        self._under_way = 0
        self._lock = _thread.allocate_lock()  # a descriptor that was given back may be another file's by now
        self._closed = False
        _thread.stack_size(STACK)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and all results were taken."""
        return not self._under_way

    def do(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Have `work` done; `take` calls `then` with what it returns.  Where there can be no thread it is done at once."""
        self._under_way += 1
        try:
            _thread.start_new_thread(self._run, (work, then))
        except RuntimeError:
            self._run(work, then)

    def _run(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        try:
            result = work()
        except BaseException as problem:  # noqa: BLE001 (it is raised in the loop, where somebody hears of it)
            unforeseen = problem

            def end() -> None:
                raise unforeseen
        else:
            def end() -> None:
                then(result)
        with self._lock:
            if self._closed:
                return
            self._ended.append(end)
            try:
                os.write(self._write, b"\0")
            except OSError:
                pass  # it is full, and so there is something to read

    def take(self) -> None:
        """Call `then` of all work that has ended.  Raises what the work has raised."""
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            pass
        while self._ended:
            end = self._ended.pop(0)
            self._under_way -= 1
            end()

    def close(self) -> None:
        """Give the descriptors back.  Nobody hears of work that is still under way."""
        with self._lock:
            self._closed = True
            close_quietly(self.fd, self._write)
