"""The names of a message's files in the queue (INTERNALS: The queue)."""

from __future__ import annotations

SPLIT_FOLDERS = ("mess", "info", "local", "remote")


class Paths:
    """Absolute names below one queue folder.

    queue     the queue folder
    split     how many subfolders mess, info, local and remote have
    big_todo  todo and intd are split as well
    """

    __slots__ = ("queue", "split", "big_todo")

    def __init__(self, queue: str, split: int, big_todo: bool = False) -> None:
        self.queue, self.split, self.big_todo = queue, split, big_todo

    def folder(self, kind: str, number: int) -> str:
        """The folder that holds a message's file of one kind."""
        if kind in SPLIT_FOLDERS or (self.big_todo and kind in ("todo", "intd")):
            return f"{self.queue}/{kind}/{number % self.split}"
        return f"{self.queue}/{kind}"

    def name(self, kind: str, number: int) -> str:
        """A message's file of one kind."""
        return f"{self.folder(kind, number)}/{number}"

    def short(self, path: str) -> str:
        """A file's name as the log has it: below the queue folder."""
        return path[len(self.queue) + 1:]

    def mess(self, number: int) -> str:
        """The message itself."""
        return f"{self.queue}/mess/{number % self.split}/{number}"

    def info(self, number: int) -> str:
        """Sender and birth."""
        return f"{self.queue}/info/{number % self.split}/{number}"

    def local(self, number: int) -> str:
        """Local recipients."""
        return f"{self.queue}/local/{number % self.split}/{number}"

    def remote(self, number: int) -> str:
        """Remote recipients."""
        return f"{self.queue}/remote/{number % self.split}/{number}"

    def bounce(self, number: int) -> str:
        """Permanent failures to tell the sender about."""
        return f"{self.queue}/bounce/{number}"

    def todo(self, number: int) -> str:
        """The complete envelope of an accepted message."""
        return self.name("todo", number)

    def intd(self, number: int) -> str:
        """The envelope while it is being written."""
        return self.name("intd", number)

    def pid(self, name: str) -> str:
        """A message's file while it has no number yet."""
        return f"{self.queue}/pid/{name}"

    def lock(self, name: str) -> str:
        """trigger, sendmutex, boot or tcpto."""
        return f"{self.queue}/lock/{name}"

    def split_name(self, number: int) -> str:
        """What the pipes call a message: its name below mess/."""
        return f"{number % self.split}/{number}"
