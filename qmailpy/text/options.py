"""Command lines as qmail's programs read them: one-letter options before the arguments, `--` or a lone `-` ends them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Options:
    """Iterates over (letter, value) of the options in argv; afterwards `rest` holds the arguments.

    letters  the options that exist; a colon after a letter says that it takes a value ("af:")

    A wrong option gives ("?", what is wrong), in the words of other programs, and ends the iteration.
    """

    def __init__(self, argv: Sequence[str], letters: str) -> None:
        self.rest = list(argv[1:])
        self._letters = letters
        self._word = ""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        while self._next_word():
            letter, self._word = self._word[0], self._word[1:]
            at = -1 if letter == ":" else self._letters.find(letter)
            if at < 0:
                yield "?", f"illegal option -- {letter}"
                return
            if self._letters[at + 1:at + 2] != ":":
                yield letter, ""
                continue
            if not self._word and not self.rest:
                yield "?", f"option requires an argument -- {letter}"
                return
            value, self._word = self._word or self.rest.pop(0), ""
            yield letter, value

    def skip(self) -> None:
        """Pass over the rest of the word that the last option stands in."""
        self._word = ""

    def _next_word(self) -> bool:
        """Whether there is a letter to look at; takes the next word of the command line if need be."""
        if self._word:
            return True
        if not self.rest or not self.rest[0].startswith("-") or self.rest[0] == "-":
            return False
        self._word = self.rest.pop(0)[1:]
        return self._word[0] != "-"
