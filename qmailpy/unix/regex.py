"""Lists of POSIX regular expressions, searched by the C library within a limited time (regex(7); aio: Regular-expression lists).

Imported only where there is such a list: ctypes costs milliseconds.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import resource
import time

from qmailpy.exits import Temporary, retire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

EXTENDED, IGNORE_CASE, NO_PLACES = 1, 2, 8  # flags of regcomp, the same in all C libraries of Linux
NO_MATCH, NO_MEMORY = 1, 12  # results of regcomp and regexec
WORDS = 32  # of 8 bytes: more than a regex_t has in any of them
CHARACTERS = 1 << 0 | 1 << 3  # LC_CTYPE_MASK and LC_COLLATE_MASK
IDLE = 19  # the lowest priority
LAST = 60  # seconds of processor time that a process has left when a search in it does not end


class Library:
    """What we call in the C library."""

    __slots__ = ("compile", "search", "free", "_new_locale", "_use_locale")

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
        self.compile, self.search, self.free = library.regcomp, library.regexec, library.regfree
        self.compile.argtypes = (pointer, text, number)
        self.search.argtypes = (pointer, text, ctypes.c_size_t, pointer, number)
        self.free.argtypes, self.free.restype = (pointer,), None
        self._new_locale, self._use_locale = library.newlocale, library.uselocale
        self._new_locale.argtypes, self._new_locale.restype = (number, text, pointer), pointer
        self._use_locale.argtypes, self._use_locale.restype = (pointer,), pointer

    def plain_bytes(self) -> None:
        """In this thread, a character is a byte, and only ASCII has letters: as in a C program that does not choose a locale."""
        self._use_locale(self._new_locale(CHARACTERS, b"C", None))


class Pattern:
    """One line of a list, compiled: it hits what its expression fits; behind a `!`, what it does not fit.

    Raises ValueError if it is no expression, MemoryError.
    """

    __slots__ = ("line", "_negated", "_library", "_compiled")

    def __init__(self, library: Library, line: bytes) -> None:
        self.line, self._library = line, library
        self._negated = line.startswith(b"!")
        compiled = (ctypes.c_uint64 * WORDS)()
        result = library.compile(compiled, line.removeprefix(b"!"), EXTENDED | IGNORE_CASE | NO_PLACES)
        self._compiled = None if result else compiled
        if result == NO_MEMORY:
            raise MemoryError
        if result:
            raise ValueError(line)

    def hits(self, subject: bytes) -> bool:
        """Whether it hits.  Raises MemoryError."""
        result = self._library.search(self._compiled, subject, 0, None, 0)
        if result not in (0, NO_MATCH):
            raise MemoryError
        return bool(result) == self._negated

    def __del__(self) -> None:
        if self._compiled is not None:
            self._library.free(self._compiled)


class Search:
    """One search, and what became of it."""

    __slots__ = ("found", "trouble", "thread")

    def __init__(self) -> None:
        self.found: bytes | None = None
        self.trouble: Exception | None = None
        self.thread = 0  # as the kernel numbers it


class Searcher:
    """The lists of one session, each compiled when it is first searched.

    seconds  that one search may take, compiling included
    tell     gets a line for the log about each line of a list that is no expression
    """

    def __init__(self, seconds: float, tell: Callable[[bytes], None]) -> None:
        self._seconds, self._tell = seconds, tell
        self._library = Library()
        self._lists: dict[str, list[Pattern]] = {}
        self._bad: list[bytes] = []
        self._busy = _thread.allocate_lock()

    def hit(self, name: str, lines: list[bytes], subject: bytes) -> bytes | None:
        """The first line of a list that hits the subject; `name` is the list's.

        Raises Temporary if the search takes too long, or an earlier one still does.
        """
        if not self._busy.acquire(blocking=False):
            raise Temporary("an earlier search has not ended")
        search = Search()
        try:
            # Nothing can be done to a call of the C library but not to wait for it any more.
            _thread.start_new_thread(self._run, (search, name, lines, subject))
        except RuntimeError:
            self._busy.release()
            raise Temporary("unable to start a thread") from None
        if not self._busy.acquire(timeout=self._seconds):
            confine(search.thread)
            raise Temporary("the search takes too long")
        self._busy.release()
        while self._bad:
            self._tell(name.encode() + b": bad pattern: " + self._bad.pop(0))
        if search.trouble is not None:
            raise Temporary(f"the search failed: {type(search.trouble).__name__}") from search.trouble
        return search.found

    def _run(self, search: Search, name: str, lines: list[bytes], subject: bytes) -> None:
        """The thread."""
        try:
            search.thread = _thread.get_native_id()
            self._library.plain_bytes()
            if name not in self._lists:
                self._lists[name] = self._compiled(lines)
            search.found = next((pattern.line for pattern in self._lists[name] if pattern.hits(subject)), None)
        except Exception as problem:  # noqa: BLE001 (told where the search is waited for)
            search.trouble = problem
        finally:
            self._busy.release()

    def _compiled(self, lines: list[bytes]) -> list[Pattern]:
        """The patterns of a list; the lines that are none are kept for the log."""
        found = []
        for line in lines:
            try:
                found.append(Pattern(self._library, line))
            except ValueError:
                self._bad.append(line)
        return found


def confine(thread: int) -> None:
    """Let a thread that cannot be stopped run only when nobody else wants to, and its process not for ever."""
    retire("a search that does not end")
    limit = int(time.process_time()) + LAST
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    try:
        os.setpriority(os.PRIO_PROCESS, thread, IDLE)
    except OSError:
        pass  # it has ended at last
