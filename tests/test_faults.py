"""What is short outside: disk, descriptors, processes, memory.  Mail is refused for now or waits; when there is enough again, all goes on."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess

import pytest

from qmailpy.queue.exitcodes import text_of
from tests.home import PATIENCE, messages
from tests.maildirs import READER

MAIL = b"Subject: x\n\nbody\n"
SESSION = b"HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@test.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"
ROOM = 256 * 1024  # bytes of a small disk


@contextlib.contextmanager
def small_disk(folder, *parts):
    """While the block runs, a folder is a disk of its own, with empty folders in it."""
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=755", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("needs to mount a file system")
    try:
        for part in parts:
            (folder / part).mkdir(parents=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Leave no room on the disk of a folder; the file that takes it."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


@pytest.fixture
def joe(single):
    single.run("maildirmake", str(single.path / "alias/Maildir"))
    (single.path / "alias/.qmail-joe").write_text("./Maildir/\n")
    return single


def test_a_disk_without_room_for_the_queue(joe):
    queue = joe.path / "queue"
    kept = joe.path / "queue.kept"
    shutil.copytree(queue, kept, symlinks=True, ignore=shutil.ignore_patterns("trigger"))
    try:
        with small_disk(queue):
            shutil.copytree(kept, queue, dirs_exist_ok=True)
            os.mkfifo(queue / "lock/trigger")
            joe.start()
            ballast = fill(queue)
            said = subprocess.run([joe.program("qmail-inject"), "joe@test.example"], input=MAIL, env=joe.env, capture_output=True, timeout=PATIENCE)
            assert (said.returncode, said.stderr) == (111, b"qmail-inject: fatal: qq write error or disk full (#4.3.0)\n")
            assert joe.queue_files() == []
            assert b"\r\n451 qq write error or disk full (#4.3.0)\r\n" in smtpd(joe)
            ballast.unlink()
            joe.run("qmail-inject", "joe@test.example", input=MAIL)
            joe.wait_empty()
            joe.stop()
    finally:
        shutil.rmtree(kept)
    assert len(messages(joe.path / "alias/Maildir")) == 1


def test_a_disk_without_room_for_a_mailbox(joe):
    box = joe.path / "alias/Maildir"
    joe.start()
    with small_disk(box, "new", "cur", "tmp"):
        ballast = fill(box)
        joe.run("qmail-inject", "joe@test.example", input=MAIL)
        joe.log.wait("deferral: Temporary_error_on_maildir_delivery")
        assert not messages(box) and not list((box / "tmp").iterdir())
        ballast.unlink()
        joe.daemon.send_signal(signal.SIGALRM)
        joe.wait_empty()
        assert len(messages(box)) == 1


def smtpd(home, kind=None, limit=0, **who):
    """What a client is told in one session under a limit."""
    def limited():
        if kind is not None:
            resource.setrlimit(kind, (limit, limit))

    done = subprocess.run([home.program("qmail-smtpd")], input=SESSION, env=home.env, capture_output=True, timeout=PATIENCE, preexec_fn=limited, **who)
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize("limit", range(6, 12))
def test_few_descriptors(joe, limit):
    said = smtpd(joe, resource.RLIMIT_NOFILE, limit)
    assert [line for line in said.split(b"\r\n") if line.startswith(b"4")] in ([b"451 qqt failure (#4.3.0)"], [b"451 unable to exec qq (#4.3.0)"])
    assert b"250 ok 1" not in said and said.endswith(b"\r\n221 mx.test.example\r\n")
    assert joe.queue_files() == []


def test_no_more_processes(joe):
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody who has no other process")
    said = smtpd(joe, resource.RLIMIT_NPROC, 1, user=READER, group=READER, extra_groups=[])
    assert b"\r\n451 qqt failure (#4.3.0)\r\n" in said and said.endswith(b"\r\n221 mx.test.example\r\n")


@pytest.mark.parametrize("megabytes", [2, 6, 8, 10, 12, 14, 16, 20, 24])
def test_little_memory(joe, megabytes):
    """Either the message is whole in the queue, or it is refused for now and nothing is left."""
    source, target = os.pipe()
    os.write(target, b"Fa@b.example\0Tjoe@test.example\0\0")
    os.close(target)
    limit = megabytes << 20
    done = subprocess.run([joe.program("qmail-queue")], input=MAIL, stdout=source, stderr=subprocess.DEVNULL, env={}, timeout=PATIENCE,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    os.close(source)
    assert text_of(done.returncode)[:1] in ("", "Z")
    assert sorted(name.split("/")[0] for name in joe.queue_files()) == ([] if done.returncode else ["intd", "mess", "todo"])
