"""The checkpassword interface: what the program gets, what its end means, what never reaches the client."""

import os

import pytest

from qmailpy.exits import Temporary
from qmailpy.serve.checkpassword import accepts, arguments
from tests.checkout import LittleHome

GIVEN = b"bob\0secret\0\0"


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


def ask(home, *command, given=GIVEN, seconds=30, **env):
    return accepts(command, {"PATH": os.environ["PATH"], **env}, str(home.path), given, seconds)


def test_what_the_program_gets(home):
    """Descriptor 3 to its end, its arguments, the environment, the home as its folder, nothing to read from the client."""
    check = home.program("check", "#!/bin/sh\ncat <&3 > fd3; cat > fd0; printf '%s\\n' \"$@\" > args; env > env; ls /proc/self/fd > fds\n")
    assert ask(home, str(check), "true", "x y", "", TCPREMOTEIP="192.0.2.7")
    assert (home.path / "fd3").read_bytes() == GIVEN
    assert (home.path / "fd0").read_bytes() == b""
    assert (home.path / "args").read_text() == "true\nx y\n\n"
    assert "TCPREMOTEIP=192.0.2.7\n" in (home.path / "env").read_text()
    assert "secret" not in (home.path / "env").read_text()
    assert set((home.path / "fds").read_text().split()) <= {"0", "1", "2", "3", "4"}  # 4 is the folder that ls reads


@pytest.mark.parametrize(("command", "accepted"), [(["true", "x"], True), (["false", "x"], False), (["sh", "-c", "exit 1"], False), (["sh", "-c", "exit 100"], False)])
def test_the_exit_status_decides(home, command, accepted):
    assert ask(home, *command) is accepted


@pytest.mark.parametrize("command", [["sh", "-c", "exit 111"], ["sh", "-c", "kill -9 $$"], ["/nowhere/check", "true"], ["no-such-program", "true"]])
def test_no_decision(home, command):
    with pytest.raises(Temporary, match="problem with child"):
        ask(home, *command)


def test_a_program_that_hangs_is_ended(home):
    check = home.program("check", "#!/bin/sh\necho $$ > pid; exec sleep 1000\n")
    with pytest.raises(Temporary, match="problem with child"):
        ask(home, str(check), "true", seconds=1)
    os.waitpid(int((home.path / "pid").read_text()), 0)  # fails if it had been left running for ever


def test_a_program_that_does_not_read_is_no_harm(home):
    assert ask(home, "true", "x", given=b"b\0" + b"s" * 508 + b"\0\0")


@pytest.mark.parametrize("shared", [False, True])
def test_what_it_says_goes_to_the_log_or_nowhere(home, shared):
    """If standard error is the client's connection, nowhere."""
    check = home.program("check", "#!/bin/sh\necho out; echo err >&2\n")
    child = os.fork()
    if not child:
        log = os.open(home.path / "log", os.O_WRONLY | os.O_CREAT, 0o600)
        line = os.open(home.path / "line", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(line, 0)
        os.dup2(line, 1)
        os.dup2(line if shared else log, 2)
        try:
            os._exit(not ask(home, str(check), "true"))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (home.path / "line").read_bytes() == b""
    assert (home.path / "log").read_bytes() == (b"" if shared else b"out\nerr\n")


def test_no_descriptor_is_left_behind(home):
    before = os.listdir("/proc/self/fd")
    for command in (["true", "x"], ["/nowhere/check", "x"]):
        try:
            ask(home, *command)
        except Temporary:
            pass
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(("argv", "found"), [
    ([], None), (["host"], None), (["host", "check"], None), (["/bin/check"], None), (["checkpw", "true"], None),
    (["host", "check", "true"], ("host", ["check", "true"])),
    (["host", "/bin/check", "/bin/true", "x"], ("host", ["/bin/check", "/bin/true", "x"])),
    (["/bin/check", "/bin/true"], (None, ["/bin/check", "/bin/true"])),
    (["bin/check", "true", "x"], (None, ["bin/check", "true", "x"])),
    (["smtp_auth", "true", "cmd5checkpw", "true"], ("smtp_auth", ["true", "cmd5checkpw", "true"])),
])
def test_forms_of_arguments(argv, found):
    assert arguments(argv) == found
