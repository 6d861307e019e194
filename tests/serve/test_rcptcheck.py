"""RCPTCHECK: real programs that judge recipients, chatter, die or cannot be run."""

import os
import pathlib
import time

import pytest

from qmailpy.exits import Temporary
from qmailpy.home import Home
from qmailpy.serve.rcptcheck import UNRUNNABLE, ask


@pytest.fixture
def judged(tmp_path):
    """What a shell script makes of a recipient."""
    def judge(script, sender=b"a@b", recipient=b"c@d", mode=0o755, **env):
        path = tmp_path / "rc"
        path.write_text(script)
        path.chmod(mode)
        return ask(Home(str(tmp_path)), {"PATH": os.environ["PATH"], **env}, str(path), sender, recipient, 60)

    return judge


@pytest.mark.parametrize("code", [0, 1, 99, 100, 101, 111, 120, 255])
def test_exit_codes(judged, code):
    assert judged(f"#!/bin/sh\nexit {code}\n") == code


@pytest.mark.parametrize(("script", "code"), [
    ('[ "$RECIPIENT" = bad@local.example ] && exit 100\nexit 0\n', 100), ("echo hi; exit 0\n", 0), ("kill -9 $$\n", -9), ("kill -TERM $$\n", -15),
    ('[ "$SENDER" = "" ] && [ "${SENDER-unset}" = "" ] && exit 3\n', 3),
    ('[ "$TCPREMOTEIP" = 192.0.2.7 ] && [ "$(pwd)" = "$HERE" ] && [ $# = 0 ] && exit 4\n', 4), ("[ -z \"$(cat)\" ] && exit 5\n", 5),
    ("kill -PIPE $$\n", -13),
])
def test_what_it_is_told(judged, script, code, tmp_path, capfd):
    assert judged("#!/bin/sh\n" + script, sender=b"", recipient=b"bad@local.example", TCPREMOTEIP="192.0.2.7", HERE=str(tmp_path)) == code
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "hi\n" if "echo" in script else "")


def test_bytes_are_passed_as_they_are(judged, tmp_path):
    judged("#!/bin/sh\nprintf %s \"$SENDER $RECIPIENT\" > said\n", b"\xff$(id)@x", b"a b`id`@y")
    assert (tmp_path / "said").read_bytes() == b"\xff$(id)@x a b`id`@y"


@pytest.mark.parametrize(("script", "mode"), [("#!/bin/sh\n", 0o644), ("exit 0\n", 0o755), ("#!/no/such/shell\n", 0o755)])
def test_what_cannot_be_executed(judged, script, mode):
    assert judged(script, mode=mode) == UNRUNNABLE


@pytest.mark.parametrize(("program", "code"), [("true", UNRUNNABLE), ("nowhere/rc", UNRUNNABLE), ("/", UNRUNNABLE), ("sub/rc", 7)])
def test_a_name_is_a_path_from_the_home(tmp_path, program, code):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/rc").write_text("#!/bin/sh\nexit 7\n")
    (tmp_path / "sub/rc").chmod(0o755)
    assert ask(Home(str(tmp_path)), {"PATH": os.environ["PATH"]}, program, b"", b"", 60) == code


PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "man/qmail-smtpd.8"


@pytest.mark.parametrize(("recipient", "code"), [
    (b"bad@local.example", 100), (b"BAD@Local.Example", 100), (b"later@local.example", 111), (b"good@local.example", 0), (b"notbad@local.example", 0),
    (b"bad@localxexample", 0), (b"-v", 0), (b"", 0), (b".*", 0),
])
def test_the_script_in_the_manual_does_what_it_says(judged, recipient, code, tmp_path):
    script = "#!/bin/sh\n" + PAGE.read_text().partition(".nf\n#!/bin/sh\n")[2].partition(".fi\n")[0].replace("\\-", "-")
    (tmp_path / "control").mkdir()
    (tmp_path / "control/norcpts").write_text("other@local.example\nbad@local.example\n")
    (tmp_path / "control/laterrcpts").write_text("later@local.example\n")
    assert judged(script, recipient=recipient) == code


def test_where_standard_error_is_the_clients_the_program_cannot_speak(judged):
    source, target = os.pipe()
    kept = {fd: os.dup(fd) for fd in (1, 2)}
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        assert judged("#!/bin/sh\necho hi; echo ho >&2; exit 9\n") == 9
    finally:
        for fd, copied in kept.items():
            os.dup2(copied, fd)
            os.close(copied)
        os.close(target)
    assert os.read(source, 100) == b""
    os.close(source)


def test_no_child_to_be_had(judged):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = os.listdir("/proc/self/fd")
    free = os.dup(2)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(Temporary, match="unable to fork"):
            ask(Home("/"), {}, "/bin/true", b"", b"", 60)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir("/proc/self/fd") == before


def test_a_program_that_hangs_is_given_up(tmp_path):
    program = tmp_path / "hang"
    program.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 600\n")
    program.chmod(0o755)
    begin = time.monotonic()
    assert ask(Home(str(tmp_path)), {"PATH": os.environ["PATH"]}, str(program), b"", b"", 0.5) == 111
    assert time.monotonic() < begin + 20
    end = time.monotonic() + 20
    while os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}/exe") and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(FileNotFoundError):
        os.readlink(f"/proc/{(tmp_path / 'pid').read_text().strip()}/exe")
