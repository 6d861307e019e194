"""Addresses in SMTP commands (RFC 5321 section 4.1.2; C: addrparse)."""

from __future__ import annotations

LIMIT = 900  # bytes: an address in MAIL or RCPT must be shorter
FORBIDDEN = (b"\0", b"\r", b"\n")  # they would end a record of the envelope, or a line of a later dialogue


def path(argument: bytes) -> tuple[bytes, bytes] | None:
    """(address, what follows it) of the argument of MAIL or RCPT; None for a syntax error.

    The address is what stands between < and >, without source route, quotes and backslashes.  Without <, it
    is what follows the first colon, up to a space.  A missing > is not noticed.
    """
    _, bracket, text = argument.partition(b"<")
    end = b">"
    if not bracket:
        end = b" "
        before, colon, text = argument.partition(b":")
        text = (text if colon else argument[len(before):]).lstrip(b" ")
    if text.startswith(b"@"):  # a source route
        text = text.partition(b":")[2]
    if b'"' in text or b"\\" in text:
        address, rest = unquoted(text, end)
    else:
        address, _, rest = text.partition(end)
    if len(address) >= LIMIT or any(byte in address for byte in FORBIDDEN):
        return None
    return address, rest


def unquoted(text: bytes, end: bytes) -> tuple[bytes, bytes]:
    """`text` up to `end` outside quotes, without quotes and backslashes; and what follows `end`."""
    kept = bytearray()
    quoted = escaped = False
    for at, byte in enumerate(text):
        if escaped:
            kept.append(byte)
            escaped = False
        elif byte == end[0] and not quoted:
            return bytes(kept), text[at + 1:]
        elif byte == 0x5C:
            escaped = True
        elif byte == 0x22:
            quoted = not quoted
        else:
            kept.append(byte)
    return bytes(kept), b""


def domain(address: bytes) -> bytes | None:
    """What follows the last @, in lower case; None without one."""
    _, at, host = address.rpartition(b"@")
    return host.lower() if at else None


def literal(host: bytes) -> str | None:
    """The address in [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section 4.1.3); None if `host` is neither in form."""
    if not (host.startswith(b"[") and host.endswith(b"]")):
        return None
    inner = host[1:-1]
    if inner[:5].lower() == b"ipv6:":
        return inner[5:].decode("ascii", "replace")
    parts = inner.split(b".")
    if len(parts) == 4 and all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return None


def parameters(rest: bytes) -> dict[bytes, bytes]:
    """The parameters that follow an address in MAIL or RCPT, {NAME: value} (RFC 5321 section 4.1.1.11)."""
    split = (word.partition(b"=") for word in rest.split())
    return {name.upper(): value for name, _, value in split}
