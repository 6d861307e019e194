"""Ask qmail-clean to remove what qmail-send has not the right to (qmail-clean(8))."""

from __future__ import annotations

import os

from qmailpy.unix.fds import BLOCK, set_nonblocking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.send.log import Log

    Then = Callable[[int, bool], None]


class Lost(Exception):
    """qmail-clean has gone."""


class Cleaner:
    """Requests on one descriptor, answers on another, in the same order; any number of them under way.

    answers  the descriptor to read answers from
    alive    False after Lost: nothing is asked any more
    """

    __slots__ = ("orders", "answers", "alive", "_log", "_out", "_asked")

    def __init__(self, orders: int, answers: int, log: Log) -> None:
        self.orders, self.answers, self._log = orders, answers, log
        self.alive = True
        self._out = b""
        self._asked: list[tuple[str, Then, int]] = []
        set_nonblocking(orders)

    @property
    def idle(self) -> bool:
        """Whether no answer is awaited."""
        return not self._asked

    @property
    def pending(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    def envelope(self, number: int, then: Then) -> None:
        """Have intd/N and todo/N removed; `then` is called with the number and whether they are."""
        self._ask(f"todo/{number}", then, number)

    def message(self, number: int, then: Then) -> None:
        """Have intd/N and mess/N removed."""
        self._ask(f"foop/{number}", then, number)

    def _ask(self, request: str, then: Then, number: int) -> None:
        self._asked.append((request, then, number))
        self._out += request.encode() + b"\0"

    def flush(self) -> None:
        """Write what waits, as far as it goes.  Raises Lost."""
        if not self._out or not self.alive:
            return
        try:
            self._out = self._out[os.write(self.orders, self._out):]
        except BlockingIOError:
            pass
        except OSError:
            self._lose()

    def read(self) -> None:
        """Take the answers that have come.  Raises Lost."""
        try:
            data = os.read(self.answers, BLOCK)
        except OSError:
            data = b""
        if not data:
            self._lose()
        for answer in data[:len(self._asked)]:
            request, then, number = self._asked.pop(0)
            if answer != 0x2B:
                self._log("warning: qmail-clean unable to clean up ", request)
            then(number, answer == 0x2B)

    def _lose(self) -> None:
        self.alive = False
        raise Lost
