"""Ask qmail-clean to remove what qmail-send has not the right to (qmail-clean(8))."""

from __future__ import annotations

import os

from qmailpy.send.log import log
from qmailpy.unix.fds import write_all


class Lost(Exception):
    """qmail-clean has gone."""


class Cleaner:
    """Requests on one descriptor, answers on another, in the same order."""

    __slots__ = ("_orders", "_answers")

    def __init__(self, orders: int, answers: int) -> None:
        self._orders, self._answers = orders, answers

    def envelope(self, number: int) -> bool:
        """Have intd/N and todo/N removed; whether they are.  Raises Lost."""
        return self._ask(f"todo/{number}")

    def message(self, number: int) -> bool:
        """Have intd/N and mess/N removed; whether they are.  Raises Lost."""
        return self._ask(f"foop/{number}")

    def _ask(self, request: str) -> bool:
        try:
            write_all(self._orders, request.encode() + b"\0")
            answer = os.read(self._answers, 1)
        except OSError:
            answer = b""
        if not answer:
            raise Lost
        if answer != b"+":
            log("warning: qmail-clean unable to clean up ", request)
        return answer == b"+"
