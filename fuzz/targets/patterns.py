"""Subjects against lists of patterns (unix/regex.py): patterns are an administrator's, subjects a stranger's.

- Nothing is raised but Temporary; a search ends within its time.
- For what both understand alike the C library and Python's agree; a ! turns a pattern round; the first line that hits is told.
"""

from __future__ import annotations

import re

from qmailpy.exits import Temporary
from qmailpy.unix.regex import Searcher

from fuzz.promise import promise

WORDS = (b"a@b.example", b"spam", b"@", b".example", b"xxx", b"\xff", b"\0")
LONGEST = 2000
PATTERNS = (b"spam[0-9]+@", b"^x+y?z$", b"(ab|ac)+d", b"@[a-z]*[.]example$", b"[^a-z]{3}")
ALL = [b"!.", b"[bad", b"(unclosed", *PATTERNS]


def check(data: bytes) -> None:
    subject = data.replace(b"\0", b"")
    searcher = Searcher(5.0, lambda line: None)
    try:
        for pattern in PATTERNS:
            if b"\n" in subject:
                continue
            mine = re.search(pattern, subject, re.IGNORECASE) is not None
            theirs = searcher.hit(pattern.decode(), [pattern], subject)
            promise(theirs == (pattern if mine else None), "another answer", pattern, theirs)
            promise(searcher.hit("!" + pattern.decode(), [b"!" + pattern], subject) == (None if mine else b"!" + pattern), "a ! does not turn it round",
                    pattern)
        found = searcher.hit("all", ALL, subject)
        promise(found is None or found in ALL, "no such line", found)
        promise(bool(subject) or found == b"!.", "nothing hits nothing", found)
    except Temporary as problem:
        promise(False, "it takes too long", problem.text)
