"""Header fields: their names, their tokens, lists of addresses, folding (RFC 822; qmail-header(5))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Token = tuple[int, bytes]  # kind, and the text without quotes, brackets and backslashes

SPECIAL, ATOM, QUOTED, LITERAL, COMMENT = range(5)
WORDS = (ATOM, QUOTED, LITERAL)
DOT, COMMA, AT, LEFT, RIGHT, COLON, SEMICOLON = ((SPECIAL, b"%c" % byte) for byte in b".,@<>:;")
SPECIALS = {token[1][0]: token for token in (DOT, COMMA, AT, LEFT, RIGHT, COLON, SEMICOLON)}
PHRASE = (AT, DOT)  # specials that may stand in the name before <address>
ENDS = {QUOTED: (b'"', b'"'), LITERAL: (b"[", b"]"), COMMENT: (b"(", b")")}
OPENERS = {ends[0][0]: kind for kind, ends in ENDS.items()}

BLANKS = frozenset(b" \t\r\n")
ATOM_ENDS = frozenset(b" \t\r\n([\"<>;:@,.")
BACKSLASH = 0x5C
ESCAPED = frozenset(b'"[]()\\\r\n')
ATOMIC = frozenset(byte for byte in range(33, 127) if byte not in b')]<>@,;:\\.')  # what is left of ( [ and " can be escaped

WIDTH = 80  # of a line, the newline and the blank of the next line counted


class Unparsable(ValueError):
    """A field whose tokens or addresses make no sense."""


def name(line: bytes) -> bytes:
    """The name of a header field in lower case; b"" if the line is no header field."""
    head, colon, _ = line.partition(b":")
    head = head.rstrip(b" \t")
    if not colon or not all(32 < byte < 127 for byte in head):
        return b""
    return head.lower()


def tokens(text: bytes) -> list[Token]:
    """The tokens of a field or an address, in order.  Raises Unparsable."""
    found: list[Token] = []
    at, end = 0, len(text)
    while at < end:
        byte = text[at]
        if byte in BLANKS:
            at += 1
        elif byte in SPECIALS:
            found.append(SPECIALS[byte])
            at += 1
        elif byte in OPENERS:
            token, at = enclosed(text, at, OPENERS[byte])
            found.append(token)
        elif byte in b")]":
            raise Unparsable(text)
        else:
            token, at = atom(text, at)
            found.append(token)
    return found


def atom(text: bytes, at: int) -> tuple[Token, int]:
    """The atom that begins at `at`, and where it ends; one that could not stand as it is counts as quoted."""
    kept, end = bytearray(), len(text)
    while at < end:
        if text[at] == BACKSLASH:
            at += 1
            if at >= end:
                break
        kept.append(text[at])
        at += 1
        if at < end and text[at] in ATOM_ENDS:
            break
    if not kept:  # nothing but a backslash
        raise Unparsable(text)
    return (ATOM if ATOMIC.issuperset(kept) else QUOTED, bytes(kept)), at


def enclosed(text: bytes, at: int, kind: int) -> tuple[Token, int]:
    """The quoted string, literal or comment that begins at `at`, and where it ends.  Comments nest."""
    (opener,), (closer,) = ENDS[kind]
    kept, end, depth = bytearray(), len(text), 0
    while at < end:
        byte = text[at]
        at += 1
        if byte == closer and depth:
            depth -= 1
            if not depth:
                return (kind, bytes(kept)), at
        elif byte == opener and (kind == COMMENT or not depth):
            depth += 1
        elif byte == BACKSLASH and at < end:
            kept.append(text[at])
            at += 1
        else:
            kept.append(byte)
    raise Unparsable(text)


def plain(address: Iterable[Token]) -> bytes:
    """An address as it stands in envelopes: no quotes, no comments, no folds.

    Raises Unparsable for a CR or NUL in it: no envelope can hold the one, and no SMTP command the other.
    """
    parts = (b"[%s]" % text if kind == LITERAL else text for kind, text in address if kind != COMMENT)
    found = b"".join(parts).replace(b"\r\n", b"").replace(b"\n", b"")
    if b"\r" in found or b"\0" in found:
        raise Unparsable(found)
    return found


def escaped(token: Token) -> bytes:
    """A token as it stands in a field."""
    kind, text = token
    if not ESCAPED.isdisjoint(text):
        text = b"".join(b"\\%c" % byte if byte in ESCAPED else b"%c" % byte for byte in text)
    before, after = ENDS.get(kind, (b"", b""))
    return before + text + after


def spaced(before: Token, after: Token) -> bool:
    """Whether a blank goes between two tokens."""
    return before in (COLON, COMMA) or after == LEFT or (before[0] != SPECIAL and after[0] != SPECIAL)


def field(line: Sequence[Token], width: int = WIDTH) -> bytes:
    """The field that consists of these tokens, newline included; folded after commas, as late as the width allows."""
    rows, row = [], b""
    part: list[bytes] = []
    before: Token | None = None
    begun = False

    def close(part: bytes) -> None:
        nonlocal row, begun
        if begun and len(row) + 2 + len(part) > width and part:
            rows.append(row)
            row = b" " + part
        else:
            row += part
        begun = True

    for token in line:
        if before and spaced(before, token):
            part.append(b" ")
        part.append(escaped(token))
        before = token
        if token == COMMA:
            close(b"".join(part))
            part.clear()
    close(b"".join(part))
    return b"\n".join([*rows, row, b""])


class AddressList:
    """Goes through the addresses of a field from right to left, the direction in which RFC 822 lists are easy to read.

    change  given the tokens of each address, gives those that replace them

    Missing commas are put in.  Recipients come out in this order, so that the last one of a field is the first in the envelope.
    """

    def __init__(self, line: Sequence[Token], change: Callable[[list[Token]], list[Token]]) -> None:
        self._line, self._change = line, change
        self._at = len(line) - 1
        self._done: list[Token] = []  # both from right to left
        self._address: list[Token] = []
        self._in_group, self._word_fits = False, True

    def changed(self) -> list[Token]:
        """The tokens of the whole field.  Raises Unparsable."""
        while self._at >= 2:  # before that, the field's name and colon
            self._step(self._line[self._at])
        self._flush()
        return [*self._line[:2], *self._done[::-1]]

    def _step(self, token: Token) -> None:
        if token == RIGHT:
            self._angle()
        elif token == COLON:
            self._group_name()
        elif token == SEMICOLON:
            self._flush(comma=True)
            if self._in_group:
                raise Unparsable
            self._in_group = self._word_fits = True
            self._pass()
        elif token == COMMA:
            self._flush()
            self._word_fits = True
            self._pass()
        elif token[0] == COMMENT:
            self._pass()
        else:
            self._part(token)

    def _part(self, token: Token) -> None:
        """A word, @ or dot of an address without angle brackets; two words in a row belong to two addresses."""
        word = token[0] in WORDS
        if word and not self._word_fits:
            self._flush(comma=True)
        self._word_fits = not word
        self._address.append(token)
        self._at -= 1

    def _angle(self) -> None:
        """<address> and the name before it."""
        self._flush(comma=True)
        self._pass()
        while self._at >= 2 and self._line[self._at] != LEFT:
            self._address.append(self._line[self._at])
            self._at -= 1
        self._take()  # also if it is empty: <>
        if self._at < 2:
            raise Unparsable
        self._pass()
        while self._at >= 2 and (self._line[self._at][0] in (COMMENT, ATOM, QUOTED) or self._line[self._at] in PHRASE):
            self._pass()
        self._word_fits = False

    def _group_name(self) -> None:
        """The colon after a group's name, and the name."""
        self._flush()
        if not self._in_group:
            raise Unparsable
        self._in_group = False
        while self._at >= 2 and self._line[self._at] != COMMA:
            self._pass()
        if self._at >= 2:
            self._pass()
        self._word_fits = True

    def _pass(self) -> None:
        self._done.append(self._line[self._at])
        self._at -= 1

    def _flush(self, *, comma: bool = False) -> None:
        if self._address:
            self._take()
            if comma:
                self._done.append(COMMA)

    def _take(self) -> None:
        self._done.extend(reversed(self._change(self._address[::-1])))
        self._address = []
