"""The listener's rules: keys for a client, records, whole tables; ident's answers (text/tcprules.py, unix/listen.py).

- Nothing is raised but Temporary, for a damaged table.
- For any client the keys end with the empty one, and there are not many more than dots and colons; what is logged of a name is printable, without blanks.
- The user that ident tells has no NUL, blank or line end.
- A record gives variables without NUL, and a client is denied if and only if a word begins with D.
"""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.text.ip import packed
from qmailpy.text.tcprules import keys, safe, verdict
from qmailpy.unix.cdb import Reader, build
from qmailpy.unix.listen import ident_user

from fuzz.promise import file_of, promise
from fuzz.targets.ip import written

WORDS = (b"+RELAYCLIENT=\0", b"+A=B", b"D\0", b"+=", b"+", b"\0", b"192.0.2.7", b"2001:db8::7", b"=.example", b"info@", b"::", b"host.x.example")


def check(data: bytes) -> None:
    ip = written(data[:16].ljust(16, b"\0")) if len(data) > 30 else written(data[:4].ljust(4, b"\0"))
    host, info = data[:100].replace(b"\0", b""), data[100:150]
    found = list(keys(ip, host or None, info or None))
    promise(found[-1] == b"" and len(found) <= 14 + host.count(b".") and packed(ip.encode()) is not None, "no such keys", found)
    promise(safe(data).isascii() and safe(data).isprintable() and " " not in safe(data), "not for a log", safe(data))
    for answer in (data, b"1025 , 25 : USERID : UNIX : " + data):
        user = ident_user(answer)
        promise(user is None or (user != b"" and not any(byte in b"\0\n\r \t" for byte in user)), "no such user", user)
    denied, variables = verdict(data)
    promise(denied == any(word.startswith(b"D") for word in data.split(b"\0")), "denied, or not, by mistake")
    promise(all(b"\0" not in name + value and b"=" not in name for name, value in variables), "no such variable", variables)
    with file_of(build([(b"192.0.2.", data), (b"", b"D")])) as path:
        promise(Reader(path).get(b"192.0.2.") == data, "another record")
    with file_of(data) as path:
        try:
            Reader(path).get(b"")
        except Temporary:
            pass
