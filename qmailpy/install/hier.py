"""What a home consists of: folders, queue files, programs, boot scripts, with owners and modes (as C's hier and instcheck)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

FOLDER, FILE, ZEROS, FIFO = "folder", "file", "zeros", "fifo"
TCPTO_SIZE = 1024
SPLIT_FOLDERS = (("mess", "qmailq", 0o750), ("info", "qmails", 0o700), ("local", "qmails", 0o700), ("remote", "qmails", 0o700))
QUEUE_MODE = 0o4711

# Modes of programs that are not 0755.
PROGRAM_MODES = {
    "qmail-queue": QUEUE_MODE,
    **dict.fromkeys(("qmail-lspawn", "qmail-start", "qmail-newu", "qmail-newmrh", "qmail-recipients"), 0o700),
    **dict.fromkeys(("qmail-getpw", "qmail-local", "qmail-remote", "qmail-rspawn", "qmail-clean", "qmail-send", "splogger", "qmail-pw2u", "qmail-popup"),
                    0o711),
}

# Programs of the patch of old that crontabs still call by its names.
OTHER_NAMES = {"update_tmprsadh.sh": "update-tmprsadh", "update_tmprsadh": "update-tmprsadh"}

# What starts the daemons. The scripts with qmail's old names differ in where mail goes by default; +df: a user's .forward comes first.
DELIVERIES = ("home", "proc", "binm1", "binm2", "binm3")
BOOT_SCRIPTS = ("rc", *DELIVERIES, *(f"{name}+df" for name in DELIVERIES))
SERVICES = ("qmail-send", "qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-pop3d", "qmail-pool-servers", "qmail-pool-queue")


class Entry:
    """One thing of a home: its path below the home, what it is, its owner's role, its mode."""

    __slots__ = ("path", "kind", "role", "mode")

    def __init__(self, path: str, kind: str, role: str, mode: int) -> None:
        self.path, self.kind, self.role, self.mode = path, kind, role, mode


BOOT = Entry("queue/lock/boot", FILE, "qmails", 0o644)  # what a queue of C's has not
TOP = Entry("", FOLDER, "root", 0o755)  # the home itself


def folders(home: Home) -> Iterator[Entry]:
    """The home, and its folders beside the queue."""
    yield TOP
    for name in ("control", "users", "bin", "boot", "doc", "man", "man/man1", "man/man5", "man/man7", "man/man8", "lib", "lib/qmailpy"):
        yield Entry(name, FOLDER, "root", 0o755)
    for name in ("run", "run/servers"):
        yield Entry(name, FOLDER, "root", 0o755)
    yield Entry("run/queue", FOLDER, "qmailq", 0o755)
    yield Entry("alias", FOLDER, "alias", 0o2755)


def queue(home: Home) -> Iterator[Entry]:
    """The queue."""
    yield Entry("queue", FOLDER, "qmailq", 0o750)
    for name, mode in (("pid", 0o700), ("intd", 0o700), ("todo", 0o750)):
        yield Entry(f"queue/{name}", FOLDER, "qmailq", mode)
        if home.big_todo and name != "pid":
            yield from (Entry(f"queue/{name}/{number}", FOLDER, "qmailq", mode) for number in range(home.split))
    yield Entry("queue/bounce", FOLDER, "qmails", 0o700)
    for name, role, mode in SPLIT_FOLDERS:
        yield Entry(f"queue/{name}", FOLDER, role, mode)
        yield from (Entry(f"queue/{name}/{number}", FOLDER, role, mode) for number in range(home.split))
    yield Entry("queue/lock", FOLDER, "qmailq", 0o750)
    yield Entry("queue/lock/tcpto", ZEROS, "qmailr", 0o644)
    yield Entry("queue/lock/sendmutex", FILE, "qmails", 0o600)
    yield BOOT
    yield Entry("queue/lock/trigger", FIFO, "qmails", 0o622)


def program_entry(home: Home, name: str) -> Entry:
    """One program."""
    mode = PROGRAM_MODES.get(name, 0o755)
    if home.single:
        mode &= 0o777  # nothing is setuid where there is but one user
    return Entry(f"bin/{name}", FILE, "qmailq" if name == "qmail-queue" else "root", mode)


def boot() -> Iterator[tuple[Entry, str]]:
    """What starts the daemons: (entry, the checkout's file that it is made of), and before them the folders that hold them, made of none."""
    for name in BOOT_SCRIPTS:
        yield Entry(f"boot/{name}", FILE, "root", 0o755), f"boot/{name}"
    folders = ("service", "systemd", *(f"service/{name}{log}" for name in SERVICES for log in ("", "/log")))
    yield from ((Entry(f"boot/{name}", FOLDER, "root", 0o755), "") for name in folders)
    for name in SERVICES:
        yield Entry(f"boot/service/{name}/run", FILE, "root", 0o755), f"boot/service/{name}/run"
        yield Entry(f"boot/service/{name}/log/run", FILE, "root", 0o755), "boot/service/log"
        yield Entry(f"boot/systemd/{name}.service", FILE, "root", 0o644), f"boot/systemd/{name}.service"


def owner(home: Home, entry: Entry) -> tuple[int, int]:
    """The uid and gid that an entry is to have."""
    if home.single:
        return os.geteuid(), os.getegid()
    uid = 0 if entry.role == "root" else home.uid(entry.role)
    return uid, home.gid("qmail")


def layout_of(path: str) -> tuple[int, bool] | None:
    """(split, whether todo is hashed) of an existing queue; None if there is none."""
    try:
        split = sum(name.isdigit() for name in os.listdir(path + "/mess"))
    except OSError:
        return None
    return (split, os.path.isdir(path + "/todo/0")) if split else None
