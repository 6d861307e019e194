"""Programs that are run on a message behind lines of ours, and programs that judge one."""

import os

import pytest

from qmailpy.exits import Temporary
from qmailpy.unix.feed import Unreadable, code_of, feed, judge, telling
from tests.signalmasks import NONE, masks

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def message(tmp_path):
    """A file of some size is descriptor 0; its content."""
    content = b"".join(b"line %d\n" % number for number in range(50000))
    (tmp_path / "message").write_bytes(content)
    with Zero(os.open(tmp_path / "message", os.O_RDONLY)):
        yield content


class Zero:
    """Within the block a descriptor is descriptor 0."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        self.saved = os.dup(0)
        os.dup2(self.fd, 0)
        os.close(self.fd)

    def __exit__(self, *problem):
        os.dup2(self.saved, 0)
        os.close(self.saved)


def run(script, head=b"head\n", unrunnable=code_of):
    return feed(["/bin/sh", "-c", script], ENV, head, unrunnable)


def test_a_program_reads_our_lines_and_then_the_message(message, tmp_path):
    assert run(f"cat > {tmp_path}/out") == 0
    assert (tmp_path / "out").read_bytes() == b"head\n" + message


def test_from_where_the_descriptor_stands(message, tmp_path):
    os.lseek(0, -11, os.SEEK_END)
    run(f"cat > {tmp_path}/out", b"")
    assert (tmp_path / "out").read_bytes() == b"line 49999\n"


def test_it_has_descriptors_0_1_and_2_and_usual_signals(message, tmp_path):
    assert run(f"ls /proc/$$/fd > {tmp_path}/fds; grep -E '^Sig(Blk|Ign)' /proc/self/status > {tmp_path}/signals") == 0
    # The shell moves descriptors out of the way, from 10 on.
    assert {fd for fd in map(int, (tmp_path / "fds").read_text().split()) if fd < 10} == {0, 1, 2}
    assert masks((tmp_path / "signals").read_bytes()) == NONE


@pytest.mark.parametrize("status", [0, 1, 99, 100, 111])
def test_its_exit_status_is_the_answer_though_it_has_not_read_everything(message, status):
    assert run(f"exit {status}") == status


def test_a_program_that_crashes(message):
    with pytest.raises(Temporary, match="child crashed"):
        run("kill -9 $$")


@pytest.mark.parametrize(("problem", "code"), [(FileNotFoundError(2, ""), 100), (PermissionError(13, ""), 100), (OSError(12, ""), 111), (OSError(26, ""), 111)])
def test_whether_it_can_be_run_later(problem, code):
    assert code_of(problem) == code


def test_a_program_that_is_not_there(message):
    assert feed(["/no/such/program"], ENV, b"", code_of) == 100
    assert feed(["/no/such/program"], ENV, b"", lambda problem: problem.errno) == 2


@pytest.mark.parametrize(("number", "final", "code", "why"), [
    (2, 100, 100, "file does not exist"), (2, 111, 111, "file does not exist"), (26, 100, 111, "text busy"),
])
def test_telling_why_it_cannot_be_run(capfd, number, final, code, why):
    assert telling("who", "what", final)(OSError(number, "")) == code
    assert capfd.readouterr().err == f"who: fatal: unable to run what: {why}\n"


def test_a_message_that_cannot_be_read_is_not_taken_for_a_short_one(tmp_path):
    """The program must not see an end: it is killed before it can do anything with a part."""
    with Zero(os.open(tmp_path, os.O_RDONLY)), pytest.raises(Unreadable, match="unable to copy input: is a directory"):
        run(f"cat > {tmp_path}/out; touch {tmp_path}/done")
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(("script", "verdict"), [("exit 0", True), ("exit 1", False), ("exit 100", False), ("grep -q '^line 49999$'", True), ("grep -q nothing", False)])
def test_a_judge_reads_the_message_itself(message, script, verdict):
    assert judge(["/bin/sh", "-c", script], ENV) is verdict


@pytest.mark.parametrize(("script", "text"), [("exit 111", "temporary child error"), ("kill -9 $$", "child crashed")])
def test_no_judgement(message, script, text):
    with pytest.raises(Temporary, match=text):
        judge(["/bin/sh", "-c", script], ENV)


def test_a_judge_that_is_not_there_says_no(message):
    assert judge(["/no/such/program"], ENV) is False
