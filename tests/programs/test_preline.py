"""preline: which lines stand before the message, and how it ends."""

import pytest

from tests.checkout import LittleHome
from tests.dotqmail import DELIVERY, HEAD, LONG, MESSAGE, outcome, run

UFLINE, RPLINE, DTLINE = (DELIVERY[name].encode() for name in ("UFLINE", "RPLINE", "DTLINE"))


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize("message", [b"", MESSAGE, LONG], ids=["empty", "short", "long"])
def test_three_lines_and_the_message(home, message):
    assert outcome(run(home, "preline", "cat", message=message)) == (0, HEAD + message, b"")


@pytest.mark.parametrize(("options", "head"), [
    (["-f"], RPLINE + DTLINE), (["-r"], UFLINE + DTLINE), (["-d"], UFLINE + RPLINE), (["-frd"], b""), (["-fr", "-d", "-FR"], UFLINE + RPLINE),
    (["-D"], HEAD), (["-dD", "--"], HEAD),
])
def test_options(home, options, head):
    assert outcome(run(home, "preline", *options, "cat")) == (0, head + MESSAGE, b"")


def test_options_behind_the_program_are_the_programs(home):
    assert outcome(run(home, "preline", "sh", "-c", 'cat >/dev/null; echo "$@"', "sh", "-f")) == (0, b"-f\n", b"")


@pytest.mark.parametrize("status", [0, 1, 99, 100, 111])
@pytest.mark.parametrize("script", ["cat >/dev/null; exit {}", "exit {}", "exec <&-; exit {}"])
def test_the_programs_exit_code_counts_even_if_it_has_not_read_everything(home, script, status):
    assert outcome(run(home, "preline", "sh", "-c", script.format(status), message=LONG)) == (status, b"", b"")


def test_a_program_that_crashes(home):
    assert outcome(run(home, "preline", "sh", "-c", "kill -9 $$")) == (111, b"", b"preline: fatal: child crashed\n")


@pytest.mark.parametrize(("program", "status", "why"), [
    ("/no/such/program", 100, b"file does not exist"), ("no-such-program", 100, b"file does not exist"), ("/etc/passwd", 100, b"access denied"),
])
def test_a_program_that_cannot_be_run(home, program, status, why):
    assert outcome(run(home, "preline", program)) == (status, b"", f"preline: fatal: unable to run {program}: ".encode() + why + b"\n")


def test_a_program_that_somebody_writes_just_now_can_be_run_later(home):
    program = home.path / "bin/busy"
    program.write_bytes(open("/bin/true", "rb").read())
    program.chmod(0o755)
    with program.open("ab"):
        assert outcome(run(home, "preline", str(program))) == (111, b"", f"preline: fatal: unable to run {program}: text busy\n".encode())


@pytest.mark.parametrize(("before", "why"), [("exec <&-", b"file descriptor not open"), ("exec 0>out", b"file descriptor not open")])
def test_a_message_that_cannot_be_read_is_not_taken_for_a_short_one(home, before, why):
    done = run(home, "preline", "sh", "-c", "cat >/dev/null; touch done", before=before)
    assert outcome(done) == (111, b"", b"preline: fatal: unable to copy input: " + why + b"\n")
    assert not (home.path / "done").exists()


def test_closed_descriptors_do_not_keep_the_program_from_seeing_the_end(home):
    assert run(home, "preline", "sh", "-c", "cat > out", before="exec >&- 2>&-").returncode == 0
    assert (home.path / "out").read_bytes() == HEAD + MESSAGE


USAGE = b"preline: usage: preline cmd [ arg ... ]\n"


@pytest.mark.parametrize(("words", "said"), [([], b""), (["-f"], b""), (["-x", "cat"], b"preline: illegal option -- x\n")])
def test_usage(home, words, said):
    assert outcome(run(home, "preline", *words)) == (100, b"", said + USAGE)


@pytest.mark.parametrize("name", ["UFLINE", "RPLINE", "DTLINE"])
def test_variables_of_the_delivery_are_needed(home, name):
    assert outcome(run(home, "preline", "-frd", "cat", without=[name])) == (100, b"", USAGE)
