"""Delivery to a Maildir: written in tmp/, synced, linked into new/ (maildir(5))."""

from __future__ import annotations

import os
import time

from qmailpy.exits import Temporary, is_temporary
from qmailpy.unix.fds import BLOCK, close_quietly, write_all
from qmailpy.unix.files import sync_file
from qmailpy.unix.signals import deadline

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
TRIES = 3
PATIENCE = 86400  # seconds; readers remove what has been in tmp for longer than 36 hours


class TooSlow(Exception):
    """The delivery takes a day."""


def host_name() -> str:
    """This host's name as it may stand in a file's name."""
    return os.uname().nodename.replace("/", "\\057").replace(":", "\\072")


def deliver(folder: bytes, head: bytes, message: int) -> None:
    """Deliver what descriptor `message` gives, behind `head`.  It lasts when this returns.  Raises Temporary; then nothing is left."""
    try:
        place = os.open(folder, FOLDER)
    except OSError as problem:
        if is_temporary(problem.errno):
            raise failed() from None
        raise Temporary("Unable to chdir to maildir. (#4.2.1)") from None
    try:
        with deadline(PATIENCE, too_slow):
            store(place, head, message)
    except TooSlow:
        raise Temporary("Timeout on maildir delivery. (#4.3.0)") from None
    except OSError:
        raise failed() from None
    finally:
        os.close(place)


def too_slow() -> None:
    """What the time limit does."""
    raise TooSlow


def failed() -> Temporary:
    """What is said of any other trouble."""
    return Temporary("Temporary error on maildir delivery. (#4.3.0)")


def store(place: int, head: bytes, message: int) -> None:
    """Write and sync tmp/NAME, link it to new/NAME, sync new.  Raises OSError, Temporary."""
    name, fd = create(place)
    try:
        try:
            write_all(fd, head)
            copy(message, fd)
            sync_file(fd)
        finally:
            close_quietly(fd)
        os.link("tmp/" + name, "new/" + name, src_dir_fd=place, dst_dir_fd=place)
        sync_new(place, name)
    finally:
        try:
            os.unlink("tmp/" + name, dir_fd=place)
        except OSError:
            pass  # what has been delivered is; readers remove what stays in tmp


def create(place: int) -> tuple[str, int]:
    """A new file in tmp/: its name and descriptor.  Raises OSError."""
    for attempt in range(TRIES):
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        # Several deliveries of one process may come in one second.
        name = f"{seconds}.M{nanoseconds // 1000}P{os.getpid()}.{host_name()}"
        try:
            return name, os.open("tmp/" + name, NEW, 0o600, dir_fd=place)
        except FileExistsError:
            if attempt == TRIES - 1:
                raise
    raise AssertionError("not reached")


def copy(source: int, target: int) -> None:
    """Copy the message.  Raises OSError; Temporary if it cannot be read."""
    while True:
        try:
            data = os.read(source, BLOCK)
        except OSError:
            raise Temporary("Unable to read message. (#4.3.0)") from None
        if not data:
            return
        write_all(target, data)


def sync_new(place: int, name: str) -> None:
    """Make the new name last; if that cannot be, it must go, since the message will be delivered again.  Raises OSError."""
    new = os.open("new", FOLDER, dir_fd=place)
    try:
        sync_file(new)
    except OSError:
        os.unlink(name, dir_fd=new)
        raise
    finally:
        os.close(new)
