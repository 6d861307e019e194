"""users/assign, and the look-ups in what qmail-newu makes of it (text/assign.py, text/passwd.py); what qmail-getpw says.

- Nothing is raised but BadLine for the file, ValueError for a table without wildcards, and never for a number however long.
- The account of an address is that of its own line, else of the longest + line that it begins with.
- A line of passwd makes lines that users/assign takes.
"""

from __future__ import annotations

from qmailpy.text import passwd
from qmailpy.text.assign import FIELDS, BadLine, account, find, records

from fuzz.promise import promise

WORDS = (b"=a:u:1:2:/h:-:e:\n", b"+a-:u:1:2:/h:-:p:\n", b"+:alias:3:4:/a:-::\n", b".\n", b":", b"9" * 5000, b"=", b"+", b"u:x:1:2:Name:/h:/bin/sh\n", b"A-b",
         b"\0")


def check(data: bytes) -> None:
    account(data)
    lines_of_passwd(data)
    try:
        table: dict[bytes, bytes] = {}
        for key, value in records(data):
            table.setdefault(key, value)
    except BadLine:
        return
    rows = data.split(b"\n")
    rows = rows[:next(at for at, row in enumerate(rows) if row.startswith(b"."))]
    if any(row.startswith(b"+") and row.partition(b":")[0][-1:].isupper() for row in rows):
        return  # such a line is written as C writes it, and hits nothing
    names = {row.split(b":")[0][1:] for row in rows}
    for local in [*sorted(names)[:5], *(name + b"x-Y" for name in sorted(names)[:5]), b"", b"zzz"]:
        found = find(local, table.get)
        wanted = by_lines(rows, local)
        promise(found == wanted, "another account", local, found, wanted)
        if found is not None:
            assert account(found) is not None


def by_lines(rows: list[bytes], local: bytes) -> bytes | None:
    """The fields of an address, found by reading the lines."""
    best: tuple[int, bytes] | None = None
    for row in rows:
        key, *fields = row.split(b":")
        value = b"\0".join(fields[:FIELDS])
        if not key.startswith(b"+"):
            if key[1:].lower() == local.lower():
                return value
        elif local.lower().startswith(key[1:].lower()) and (best is None or len(key) > best[0]):
            best = len(key), value + local[len(key) - 1:]
    return best[1] if best else None


def lines_of_passwd(data: bytes) -> None:
    """Lines of passwd and subusers."""
    writer, known = passwd.Writer(b"-"), dict[bytes, passwd.Account]()
    for line in data.split(b"\n"):
        found = passwd.account(line)
        if found is None:
            continue
        known[found.user] = found
        promise(found.number >= 0, "no such uid", found.uid)
        made = b"".join(writer.user(found, found.user)) + writer.catch_all(found) + b".\n"
        promise(len(list(records(made))) == made.count(b"\n"), "lines that are not taken", made)
        try:
            made = b"".join(writer.subuser(line, known))
        except KeyError:
            continue
        list(records(made + b".\n"))
