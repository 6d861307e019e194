"""A message as POP3 sends it: CR LF line ends, doubled dots, an end; or its header and first lines only (RFC 1939 section 3, TOP)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

END = b"\r\n.\r\n"


def wire(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes for the client: each LF is CR LF, a dot that begins a line is doubled; CRs are left alone."""
    at_start = True
    for block in blocks:
        if not block:
            continue
        dot = b"." if at_start and block.startswith(b".") else b""
        at_start = block.endswith(b"\n")
        yield dot + block.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
    yield END if at_start else b"\r\n" + END


def top(blocks: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """The header, the empty line, and so many lines behind it."""
    in_header = at_start = True
    for block in blocks:
        at = 0
        while at < len(block):
            if at_start and not in_header:
                if not lines:
                    yield block[:at]
                    return
                lines -= 1
            end = block.find(b"\n", at) + 1
            if at_start and end == at + 1:
                in_header = False
            at_start = end > 0
            at = end or len(block)
        yield block
