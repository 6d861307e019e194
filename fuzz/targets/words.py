"""Small formats: cipher settings, names in certificates, PEM, utmp, log lines, options, summaries, BATV, quotes in Received, lines (text/*.py).

- Nothing is raised.
- Ciphers: no word is lost; a level is one digit.  A certificate's pattern stands for one label at most.  DH parameters have no negative length.
- What is shown or logged is printable ASCII; an entry for syslog fits into one; in Received nothing that a stranger says ends a word or line.
- A sender that we have signed is found signed, on the same day and by the same key only.
- Lines: the pieces change nothing, and no more than the limit is kept.
"""

from __future__ import annotations

from qmailpy.text import batv, certname, ciphers, lines, loglines, options, pem, received, summary, utmp

from fuzz.promise import deliveries, number_of, promise
from fuzz.worlds import NOW

WORDS = (b"@SECLEVEL=", b"TLS_AES_128_GCM_SHA256", b"DEFAULT", b":", b"*.example", b"-----BEGIN DH PARAMETERS-----\n", b"-----END DH PARAMETERS-----\n",
         b"MAYCAQ0CAQI=", b"warning: ", b"alert: ",
         b"prvs=0", b"prvs=0123abcdef=a@b", b"-f", b"--", b"\x07\0", b"x" * 800)
LINE = 20


def check(data: bytes) -> None:
    asked = ciphers.ciphers(data.split(b"\n"))
    promise(asked.level is None or 0 <= asked.level <= 9, "no such level", asked.level)
    text = data.decode("latin-1")
    pattern, _, host = text.partition(" ")
    if certname.fits(pattern, host):
        promise(pattern.count(".") == host.count("."), "it stands for several labels", pattern, host)
    promise(certname.objection(host, [], pattern).isprintable() or not host.isprintable(), "not printable")
    bits = pem.dh_bits(data)
    promise(bits is None or 0 <= bits <= 8 * len(data), "no such length", bits)
    promise(len(list(utmp.lines_of(b"joe", data))) <= len(data) // 384, "more than there are")
    spoken(data)
    parsed(data)
    signed(data)


def spoken(data: bytes) -> None:
    """What people and logs are shown."""
    for way in deliveries(data):
        log = loglines.LogLines(lambda: "now")
        for part in way:
            for entry in log.feed(part):
                promise(entry.kind in ("info", "warning", "alert") and entry.text.isascii() and entry.text.isprintable(), "no such entry", entry.text)
                promise(len(entry.text) <= loglines.WIDTH + 4, "it does not fit", len(entry.text))
    shown = summary.beginning(summary.value(data), [data, data], 80)
    promise(len(shown) <= 80 and all(32 <= byte <= 126 for byte in shown), "no such line", shown)
    field = received.received(received.protocol(b"", vouched=data), received.Client(ip=data, host=data, info=data, local=data), data, NOW)
    promise(field.count(b"\n") == 3 and field.count(b"\n  ") == 2 and field.count(b"(") - field.count(b")") == 0, "a field in the field", field)


def parsed(data: bytes) -> None:
    """Command lines, and lines."""
    words = data.replace(b"\0", b" ").decode("utf-8", "surrogateescape").split(" ")
    found = options.Options(["program", *words], "af:")
    promise(len(list(found)) <= len(data) + 1 and all(word in words for word in found.rest), "other words", found.rest)
    wanted: list[bytes | None] = [line if len(line) <= LINE else None for line in data.split(b"\n")[:-1]]
    for way in deliveries(data):
        buffer, got = lines.LineBuffer(LINE), list[bytes | None]()
        for part in way:
            buffer.add(part)
            while (line := buffer.next_line()) is not None:
                got.append(line[0])
        promise(got == wanted, "other lines", got, wanted)
        promise(len(buffer.take()) <= LINE, "more is kept than the limit")


def signed(data: bytes) -> None:
    """A sender."""
    day = number_of(data) % 30000
    promise(batv.unsigned(batv.signed(data, b"key", day), b"key", day, 0) == data, "our own mark is none")
    promise(batv.unsigned(batv.signed(data, b"key", day), b"other", day, 0) is None, "another key will do")
    promise(batv.unsigned(batv.signed(data, b"key", day), b"key", day + 8, 7) is None, "a mark of days ago will do")
    found = batv.unsigned(data, b"key", day, 7)
    promise(found is None or data.endswith(b"=" + found), "another address", found)
