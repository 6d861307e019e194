"""Files of users that lead elsewhere: links, folders that change under a delivery, mailboxes that many write and some die over."""

import mailbox
import os
import pathlib
import random
import signal
import stat
import tempfile
import threading

import pytest

from qmailpy.local import mbox
from tests.home import messages

JOE, ANN = 54321, 54322  # nobody's uids on a usual machine
SECRET = b"From root Thu Jan  1 00:00:00 1970\nSECRET\n\n"


class People:
    """joe, who is up to no good; ann, who is not; root's own files.  All below one folder that each can reach."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.place.chmod(0o755)
        self.joe, self.ann, self.root = (self.folder(name, uid) for name, uid in (("joe", JOE), ("ann", ANN), ("root", 0)))
        self.secrets = [self.secret(self.root, 0), self.secret(self.ann, ANN)]

    def folder(self, name, uid):
        path = self.place / name
        path.mkdir(mode=0o755)
        for part in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            (path / part).mkdir(mode=0o700)
        for found, _, _ in os.walk(path):
            os.chown(found, uid, uid)
        return path

    @staticmethod
    def secret(folder, uid):
        path = folder / "secret"
        path.write_bytes(SECRET)
        path.chmod(0o600)
        os.chown(path, uid, uid)
        return path

    def unharmed(self):
        """Whether nothing of the others has changed, and everything that is new belongs to joe."""
        assert [path.read_bytes() for path in self.secrets] == [SECRET, SECRET]
        for folder, owner in ((self.root, 0), (self.ann, ANN)):
            found = [path for path in folder.rglob("*") if path.is_file()]
            assert found == [folder / "secret"] and found[0].stat().st_uid == owner
        for path in self.joe.rglob("*"):
            assert path.lstat().st_uid == JOE or path.name == "given", path
        return True


@pytest.fixture
def people(multi):
    with tempfile.TemporaryDirectory(prefix="qmailpy-people-") as place:
        found = People(place)
        multi.assign(joe=(found.joe, JOE, JOE), ann=(found.ann, ANN, ANN))
        yield found


def hand(path, uid=JOE):
    os.chown(path, uid, uid, follow_symlinks=False)


def send(multi, count=1):
    """A message to joe, and what became of it."""
    multi.run("qmail-inject", "-f", "", "joe@test.example", input=b"Subject: x\n\nbody\n")
    return multi.log.wait(r"delivery \d+: (success|failure|deferral): (.*)", count=count).groups()


LINKS = {"mbox to a file": ("Mailbox", "secret"), "Maildir to a folder": ("Box", "Maildir"), "new of a Maildir": ("Maildir/new", "Maildir/new"), "tmp of a Maildir": ("Maildir/tmp", "Maildir/tmp"),
         "mbox to a name that is not there": ("Mailbox", "fresh")}


@pytest.mark.parametrize("whose", ["root", "ann"])
@pytest.mark.parametrize("kind", LINKS)
def test_a_link_leads_nobody_to_what_is_not_his(multi, people, kind, whose):
    name, target = LINKS[kind]
    place = people.joe / name
    if place.is_dir():
        place.rmdir()
    place.symlink_to(getattr(people, whose) / target)
    hand(place)
    (people.joe / ".qmail").write_text({"Mailbox": "./Mailbox\n", "Box": "./Box/\n"}.get(name, "./Maildir/\n"))
    hand(people.joe / ".qmail")
    multi.start()
    word, _ = send(multi)
    assert word == "deferral" and people.unharmed()
    assert "Traceback" not in multi.log.text()


def test_a_hard_link_to_somebody_elses_mailbox(multi, people):
    given = people.joe / "given"
    os.link(people.ann / "secret", given)
    (people.joe / ".qmail").write_text("./given\n")
    hand(people.joe / ".qmail")
    multi.start()
    assert send(multi)[0] == "deferral" and people.unharmed()


@pytest.mark.parametrize("kind", ["to a secret", "to a program of root's", "hard"])
def test_a_qmail_file_that_is_not_his_gives_him_no_rights(multi, people, kind):
    """A link to what he may not read is not read; what it may tell him to do is done as himself."""
    program = people.root / "secret"
    orders = people.joe / ".qmail"
    if kind == "to a secret":
        orders.symlink_to(program)
        hand(orders)
    else:
        own = people.place / "orders"
        own.write_text("|id -u > who; cat secret 2> /dev/null; cat \"$HOME/../root/secret\" > stolen; exit 0\n")
        own.chmod(0o644)
        os.link(own, orders) if kind == "hard" else orders.symlink_to(own)
    multi.start()
    word, text = send(multi)
    if kind == "to a secret":
        assert word == "deferral" and "SECRET" not in text
    else:
        assert word == "success"
        assert (people.joe / "who").read_text() == f"{JOE}\n" and (people.joe / "stolen").read_bytes() == b""
        orders.unlink()
    assert people.unharmed()


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1755])
def test_a_home_that_others_may_write_holds_mail(multi, people, mode):
    people.joe.chmod(mode)
    multi.start()
    assert send(multi)[0] == "deferral" and people.unharmed() and messages(people.joe / "Maildir") == []


def test_a_mailbox_that_is_swapped_all_the_time_for_a_link(multi, people):
    """Each delivery either goes into joe's own mailbox or waits; root's file is never touched."""
    box, aside, over = people.joe / "Mailbox", people.joe / "aside", threading.Event()
    (people.joe / ".qmail").write_text("./Mailbox\n")
    hand(people.joe / ".qmail")
    box.write_bytes(b"")
    hand(box)

    def swap():
        while not over.is_set():
            aside.symlink_to(people.root / "secret")
            hand(aside)
            os.link(box, people.joe / "kept")
            os.rename(aside, box)  # there is always one: else a delivery would make a new one, which would be overwritten
            os.rename(people.joe / "kept", box)

    thread = threading.Thread(target=swap)
    multi.start()
    thread.start()
    try:
        for count in range(1, 16):
            send(multi, count)
    finally:
        over.set()
        thread.join()
    arrived = multi.log.text().count(": success: ")
    entries = box.read_bytes().count(b"\nSubject: x\n")
    assert people.unharmed() and entries == arrived


def test_a_users_table_that_is_a_link_is_read_and_never_written(multi, people):
    table = multi.path / "users/cdb"
    content = table.read_bytes()
    table.unlink()
    table.symlink_to(people.root / "table")
    (people.root / "table").write_bytes(content)
    multi.run("qmail-newu")
    assert not table.is_symlink() and (people.root / "table").read_bytes() == content
    (people.root / "table").unlink()


def test_a_mailbox_and_a_pipe_that_nobody_reads(multi, people):
    os.mkfifo(people.joe / "Mailbox")
    hand(people.joe / "Mailbox")
    (people.joe / ".qmail").write_text("./Mailbox\n")
    hand(people.joe / ".qmail")
    multi.start()
    assert send(multi)[0] == "deferral" and people.unharmed()


def test_a_message_is_for_the_users_eyes(multi, people):
    multi.start()
    (people.joe / ".qmail").write_text("./Maildir/\n./Mailbox\n")
    hand(people.joe / ".qmail")
    assert send(multi)[0] == "success"
    [path] = (people.joe / "Maildir/new").iterdir()
    for one in (path, people.joe / "Mailbox"):
        found = one.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (JOE, JOE, 0o600)


# Mailboxes that many write at once.

WRITERS, ENTRIES = 20, 12


def write(path, number, told):
    """A writer: entries of very different sizes; each is told when it is safe."""
    for entry in range(ENTRIES):
        name = b"%d.%d" % (number, entry)
        body = b"From the top\n" + name * (1 + (number * 7919 + entry * 104729) % 20000) + b"\nend of " + name + b"\n"
        source, target = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(source)
            view = memoryview(b"Subject: " + name + b"\n\n" + body)
            while view:
                view = view[os.write(target, view):]
            os._exit(0)
        os.close(target)
        mbox.deliver(os.fsencode(path), b"From w@x Thu Jan  1 00:00:00 1970\n", source)
        os.close(source)
        os.waitpid(child, 0)
        os.write(told, name + b"\n")


def test_many_writers_of_whom_some_are_killed(tmp_path):
    """What was told to be safe is there, once and whole, whoever died over the mailbox before, in between, or behind it."""
    path, dice = tmp_path / "Mailbox", random.Random(7)
    source, told = os.pipe()
    children = []
    for number in range(WRITERS):
        if (pid := os.fork()) == 0:
            try:
                os.setpgid(0, 0)
                write(path, number, told)
            finally:
                os._exit(0)
        children.append(pid)
    os.close(told)
    safe, victims = b"", dice.sample(children, 10)
    while data := os.read(source, 4096):
        safe += data
        if victims:  # somebody has just written, others are about to
            os.kill(victims.pop(), signal.SIGKILL)
    os.close(source)
    for pid in children:
        os.waitpid(pid, 0)
    names = safe.split()
    box = mailbox.mbox(path)
    found = {}
    for entry in box:
        payload = entry.get_payload()
        name = (entry["subject"] or "").encode()
        if payload.rstrip("\n").endswith(f"end of {name.decode()}"):
            assert name not in found
            found[name] = payload
    assert len(names) == len(set(names)) >= (WRITERS - 10) * ENTRIES
    assert set(names) <= set(found)
    assert all(payload.startswith(">From the top\n") and payload.count(name.decode()) >= 2 for name, payload in found.items())


@pytest.mark.parametrize(("torn", "gap"), [
    (b"From w@x Thu Jan  1 00:00:00 1970\nSubject: torn", b"\n"), (b"From w", b"\n"), (b"From w@x Thu Jan  1 00:00:00 1970\nSubject: whole\n", b""), (b"no mbox", b""), (b"", b""),
])
def test_a_torn_entry_takes_the_next_one_not_along(tmp_path, torn, gap):
    path = tmp_path / "Mailbox"
    path.write_bytes(torn)
    source, target = os.pipe()
    os.write(target, b"Subject: next\n\nbody\n")
    os.close(target)
    mbox.deliver(os.fsencode(path), b"From w@x Thu Jan  1 00:00:00 1970\n", source)
    os.close(source)
    assert path.read_bytes() == torn + gap + b"From w@x Thu Jan  1 00:00:00 1970\nSubject: next\n\nbody\n\n"
