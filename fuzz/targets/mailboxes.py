"""Messages into an mbox, and names in a Maildir (text/mbox.py, local/scan.py, local/maildir.py); dates and routes.

- Nothing is raised; an mbox is read back, by its own rules, as the same messages: whatever is in one, it has one From_ line, and ends in an empty line.
- The size of blocks changes nothing.
- Files of a Maildir are listed by their names, oldest first, without those that begin with a dot; names are unique up to their first colon.
- Dates are what the system's calendar says, for any second.
- Each address has a route, and a percent hack comes to an end.
"""

from __future__ import annotations

import os
import re
import tempfile
import time

from qmailpy.local.scan import messages, unique
from qmailpy.text.date import asctime, civil, rfc822, stamp
from qmailpy.text.mbox import Quoter, from_line
from qmailpy.text.route import LOCAL, REMOTE, domains, expand_sender

from fuzz.promise import deliveries, number_of, promise
from fuzz.targets.queue_files import FOLDER, ROUTES
from fuzz.worlds import NOW

WORDS = (b"From ", b"\nFrom ", b"\n>From ", b"\n>>>From ", b">" * 1000, b"\n\nFrom x\n", b":2,S", b"new/", b"%", b"@hack.example", b"@virtual.example",
         b"-@[]", b"@", b"\r\n")


def check(data: bytes) -> None:
    mbox(data)
    if not number_of(data) % 8:  # files cost time
        maildir([name for name in data.split(b"\n")[:4] if name and b"/" not in name and b"\0" not in name and name not in (b".", b"..") and len(name) < 200])
    dates(number_of(data) * (1 + len(data) % 3) - (len(data) % 5) * 10 ** 9)
    data = data[:1000]
    channel, address = ROUTES.route(data)
    promise(channel in (LOCAL, REMOTE) and b"@" in address, "no route", address)
    ROUTES.without_prepend(data)
    promise(len(list(domains(data))) <= data.count(b".") + 2, "more suffixes than dots")
    expand_sender(data, b"c@d.example")


def mbox(data: bytes) -> None:
    """The bytes as a message, and as its sender."""
    head = from_line(data, NOW)
    promise(re.fullmatch(rb"From [^ \t\n]+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]+\n", head) is not None, "no such From_ line", head)
    ways = []
    for way in deliveries(data):
        quoter = Quoter()
        ways.append(b"".join([quoter.feed(part) for part in way]) + quoter.finish())
    promise(all(way == ways[0] for way in ways), "it depends on the blocks", *ways)
    entry = ways[0]
    promise(entry.endswith(b"\n") and not re.search(rb"^From ", entry, re.MULTILINE), "it looks like two", entry)
    back = re.sub(rb"^>(>*From )", rb"\1", entry, flags=re.MULTILINE)
    given = data if data.endswith(b"\n") or not data else data + b"\n"
    promise(back == given + b"\n", "it is read back as another one", back)


def maildir(names: list[bytes]) -> None:
    """Files of these names."""
    if not names:
        return
    with tempfile.TemporaryDirectory(prefix="fuzz.", dir=FOLDER) as folder:
        base = os.fsencode(folder)
        for kind in (b"/new", b"/cur"):
            os.mkdir(base + kind)
        for at, name in enumerate(dict.fromkeys(names)):
            path = base + b"/new/" + name
            with open(path, "wb") as file:
                file.write(b"x" * at)
            os.utime(path, (NOW + at, NOW + at))
        found = messages(base, time.time())
        promise([name for _, name, _ in found] == [b"new/" + name for name in dict.fromkeys(names) if not name.startswith(b".")], "other messages", found)
        promise(all(b":" not in unique(name) for _, name, _ in found), "no such unique name", found)


def dates(seconds: int) -> None:
    """A moment."""
    then = time.gmtime(seconds)
    promise(civil(seconds) == tuple(then)[:6], "another date", seconds, civil(seconds))
    promise(asctime(seconds) == time.strftime("%a %b %d %H:%M:%S ", then).encode() + b"%d" % then.tm_year, "another asctime", asctime(seconds))
    promise(rfc822(seconds).endswith(time.strftime(" %H:%M:%S -0000", then).encode()) and stamp(seconds).isdigit(), "another date", rfc822(seconds))
    for offset in (0, 3600, -43200, 1799, -1):
        promise(re.fullmatch(rb"[0-9]{1,2} [A-Z][a-z]{2} [0-9]+ [0-9:]{8} [+-][0-9]{4}", rfc822(seconds, offset)) is not None, "no such date",
                rfc822(seconds, offset))
