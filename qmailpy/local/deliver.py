"""Find the .qmail file of an address, and obey it (qmail-local(8), dot-qmail(5))."""

from __future__ import annotations

import os
import stat

from qmailpy.errnotext import wording
from qmailpy.exits import Permanent, Temporary, is_temporary
from qmailpy.local import command, forward, maildir, mbox
from qmailpy.text import dotqmail
from qmailpy.unix.fds import BLOCK, read_all, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.home import Home
    from qmailpy.local.delivery import Delivery


class Found:
    """A .qmail file: its content, whether it has the x bit set, and what DEFAULT is."""

    __slots__ = ("data", "executable", "default")

    def __init__(self, data: bytes, executable: bool, default: bytes | None) -> None:
        self.data, self.executable, self.default = data, executable, default


class Local:
    """One run of qmail-local, in the user's home folder, with the message on descriptor 0.

    dry  only say what would be done
    """

    def __init__(self, home: Home, env: Mapping[str, str], delivery: Delivery, *, dry: bool) -> None:
        self.home, self.env, self.delivery, self.dry = home, env, delivery, dry
        self.counts = dict.fromkeys((dotqmail.MBOX, dotqmail.FORWARD, dotqmail.PROGRAM), 0)
        self.forwards: list[bytes] = []
        self.default: bytes | None = None

    def run(self) -> None:
        """Deliver.  Raises Temporary, Permanent, command.Refused."""
        self.check_home()
        if not self.dry:
            self.check_loop()
        found = self.find()
        if found is None and self.delivery.dash:
            raise Permanent("Sorry, no mailbox here by that name. (#5.1.1)")
        self.delivery.new_sender = self.owner()
        self.default = found.default if found else None
        if found and found.data:
            self.obey(found.data, found.executable)
        else:
            self.obey(self.delivery.default, False)

    def check_home(self) -> None:
        """A home that others may write, or a sticky one, holds mail."""
        try:
            mode = os.stat(".").st_mode
        except OSError as problem:
            raise Temporary(f"Unable to stat home directory: {wording(problem.errno)}. (#4.3.0)") from None
        if mode & self.home.forbidden:
            raise Temporary("Uh-oh: home directory is writable. (#4.7.0)")
        if mode & stat.S_ISVTX:
            if not self.dry:
                raise Temporary("Home directory is sticky: user is editing his .qmail file. (#4.2.1)")
            write_all(2, b"Warning: home directory is sticky.\n")

    def check_loop(self) -> None:
        """A message that has been here already has our Delivered-To line in its header."""
        mine, line = self.delivery.delivered_to, b""
        self.rewind()
        while True:
            try:
                data = os.read(0, BLOCK)
            except OSError as problem:
                raise Temporary(f"Unable to read message: {wording(problem.errno)}. (#4.3.0)") from None
            if not data:
                return
            *lines, line = (line + data).split(b"\n")
            for one in lines:
                if not one:
                    return
                if one + b"\n" == mine:
                    raise Permanent("This message is looping: it already has my Delivered-To line. (#5.4.6)")
            line = line[:len(mine) + 1]  # longer than ours is as good as whole

    def rewind(self) -> int:
        """Go to the message's start; its descriptor."""
        try:
            os.lseek(0, 0, os.SEEK_SET)
        except OSError:
            raise Temporary("Unable to rewind message. (#4.3.0)") from None
        return 0

    def find(self) -> Found | None:
        """The first .qmail file that is there; None if none is."""
        for name, default in dotqmail.candidates(self.delivery.dash, self.delivery.extension):
            if (found := self.open(name, default)) is not None:
                return found
        return None

    def open(self, name: bytes, default: bytes | None) -> Found | None:
        """Read a .qmail file; None if there is no regular file of this name."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as problem:
            if is_temporary(problem.errno) or isinstance(problem, PermissionError):
                raise self.unopenable(name, problem) from None
            return None
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return None
            if found.st_mode & self.home.forbidden:
                raise Temporary("Uh-oh: .qmail file is writable. (#4.7.0)")
            return Found(read_all(fd), bool(found.st_mode & stat.S_IXUSR), default)
        except OSError as problem:
            raise self.unopenable(name, problem) from None
        finally:
            os.close(fd)

    def unopenable(self, name: bytes, problem: OSError) -> Temporary:
        """What is said of a .qmail file that may be there."""
        return Temporary(f"Unable to open {os.fsdecode(name)}: {wording(problem.errno)}. (#4.3.0)")

    def owner(self) -> bytes:
        """The sender of forwards: with a file .qmail-EXT-owner, the list's owner; with .qmail-EXT-owner-default too, one for each recipient."""
        delivery = self.delivery
        name = b".qmail" + delivery.dash + dotqmail.safe(delivery.extension) + b"-owner"
        if not delivery.may_have_owner or not self.exists(name):
            return delivery.sender
        if self.exists(name + b"-default"):
            return delivery.local + b"-owner-@" + delivery.host + b"-@[]"
        return delivery.local + b"-owner@" + delivery.host

    def exists(self, name: bytes) -> bool:
        """Whether a file is there."""
        try:
            os.stat(name)
        except OSError as problem:
            if is_temporary(problem.errno):
                raise self.unopenable(name, problem) from None
            return False
        return True

    def obey(self, data: bytes, forward_only: bool) -> None:
        """Carry out the instructions in order; the forwards together, at the end."""
        for instruction in dotqmail.parse(data, forward_only=forward_only):
            kind = dotqmail.MBOX if instruction.kind == dotqmail.MAILDIR else instruction.kind
            self.counts[kind] += 1
            if self.dry:
                write_all(1, instruction.line + b"\n")
            elif not self.carry_out(instruction):
                break
        queued = self.forward() if self.forwards else None
        report = "did " + "+".join(str(count) for count in self.counts.values()) + "\n"
        write_all(1, (report + (f"qp {queued}\n" if queued else "")).encode())

    def carry_out(self, instruction: dotqmail.Instruction) -> bool:
        """One instruction; whether to go on with the next."""
        text = instruction.text
        if instruction.kind == dotqmail.FORWARD:
            self.forwards.append(text)
        elif instruction.kind == dotqmail.PROGRAM:
            from qmailpy.settings.alone import number

            self.rewind()
            return command.deliver(text, self.delivery.home, self.variables(), number(self.home, "timeoutdelivery"))
        elif instruction.kind == dotqmail.MAILDIR:
            maildir.deliver(text, self.delivery.return_path + self.delivery.delivered_to, self.rewind())
        else:
            mbox.deliver(text, self.delivery.from_line + self.delivery.return_path + self.delivery.delivered_to, self.rewind())
        return True

    def variables(self) -> Mapping[str, str]:
        """What programs see.  Many deliveries need none, so it is made when it is asked for."""
        found = {name: value for name, value in self.env.items() if name != "DEFAULT"}
        return found | self.delivery.variables(self.default)

    def forward(self) -> int:
        """Send the forwards."""
        return forward.deliver(self.home, self.variables(), self.delivery.delivered_to, self.rewind(), self.delivery.new_sender, self.forwards)
