"""A .qmail file, and which file it is for an address (text/dotqmail.py).

- Nothing is raised but Temporary; a file that may only forward gives nothing but forwards.
- Instructions have no newline or NUL, and there are no more of them than lines.
- No file that is looked for has a dot or slash of the address in its name, but for slashes of a dash that users/assign says: no address leads to
  another folder.  DEFAULT is the end of the address.
"""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.text.dotqmail import FORWARD, Instruction, candidates, parse

from fuzz.promise import promise

WORDS = (b"./Maildir/\n", b"./mbox\n", b"|program\n", b"&a@b.example\n", b"a@b.example\n", b"#x\n", b"+list\n", b"\0", b" \t\n", b"default", b"-", b"..", b"/")


def check(data: bytes) -> None:
    for forward_only in (False, True):
        found: list[Instruction] = []
        try:
            found.extend(parse(data, forward_only=forward_only))
        except Temporary:
            pass
        promise(len(found) <= data.count(b"\n") + 1, "more than there are lines")
        promise(not forward_only or all(one.kind == FORWARD for one in found), "it does more than to forward")
        promise(all(b"\0" not in one.text and b"\n" not in one.text for one in found), "more than a line")
    extension = data[:200].replace(b"\0", b"")
    files = list(candidates(b"-", extension))
    promise(1 < len(files) <= len(extension) + 2, "no such files", files)
    for file, default in files:
        promise(file.startswith(b".qmail-") and b"." not in file[1:], "it leads elsewhere", file)
        promise(default is None or extension.endswith(default), "another DEFAULT", default)
