"""qmail-smtpd as a process, its descriptors pipes."""

import os
import re
import subprocess
import sys
import time

import pytest

from qmailpy.programs.qmail_smtpd import serve
from qmailpy.smtp.server import Session
from qmailpy.text.batv import signed, today
from qmailpy.text.received import Client
from qmailpy.unix.cdb import write
from qmailpy.unix.connection import Connection
from tests.checkout import LittleHome
from tests.clamdserver import CLEAN, VIRUS, Clamd
from tests.dnsserver import DnsServer
from tests.smtp.world import FakeQueue, FakeWorld, values

MAIL = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@ours.example>\r\nDATA\r\n"


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    found.control(rcpthosts="ours.example\n")
    return found


def start(home, **env):
    command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), "qmail-smtpd", "qmail-smtpd"]
    return subprocess.Popen(command, env={"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), **env}, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)


def test_a_message_in_one_go(home):
    done = home.run("qmail-smtpd", stdin=b"EHLO x\r\n" + MAIL + b"Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n", TCPREMOTEIP="192.0.2.7", TCPREMOTEHOST="h")
    assert done.returncode == 0
    assert done.stderr == b""
    message, envelope = home.queued()
    assert message.startswith(b"Received: from h (HELO x) (192.0.2.7)\n  by unknown with SMTP; ")
    assert message.endswith(b" -0000\nSubject: x\n\nbody\n")
    assert envelope == b"Fa@b.example\0Tc@ours.example\0\0"


def test_each_reply_comes_before_more_is_said(home):
    child = start(home)
    for said, heard in ((b"", b"220 me.example ESMTP\r\n"), (b"NOOP\r\n", b"250 ok\r\n"), (b"QUIT\r\n", b"221 me.example\r\n")):
        child.stdin.write(said)
        assert child.stdout.read(1000) == heard
    assert child.wait() == 0
    child.communicate()


@pytest.mark.parametrize("said", [b"", b"NOOP\r\n", MAIL, MAIL + b"half a message\r\n", MAIL + b"x\r\n.\r"])
def test_a_client_that_goes_queues_nothing(home, said):
    assert home.run("qmail-smtpd", stdin=said).returncode == 1
    assert home.queued() is None or home.queued()[1] == b""


def test_silence_ends_the_session(home):
    home.control(timeoutsmtpd="1\n")
    child = start(home)
    begin = time.monotonic()
    assert child.stdout.read(1000) == b"220 me.example ESMTP\r\n"
    assert child.stdout.read(1000) == b"451 timeout (#4.4.2)\r\n"
    assert child.wait() == 1
    assert time.monotonic() - begin < 20
    child.communicate()


def test_a_command_that_drips_is_cut_off(home):
    home.control(timeoutsmtpd="1\n")
    child = start(home)
    child.stdout.read(1000)
    begin = time.monotonic()
    try:
        while child.poll() is None and time.monotonic() < begin + 10:
            child.stdin.write(b"x")
            time.sleep(0.1)  # the drip itself
    except BrokenPipeError:
        pass
    assert child.poll() == 1
    assert time.monotonic() < begin + 9
    child.stdout.close()
    child.stderr.close()


class BrokenQueue(FakeQueue):
    """Has a bug, found at the end of a message."""

    def close(self):
        return {}["no such key"] if self.sender is not None else super().close()


class BrokenWorld(FakeWorld):
    """Its queue has a bug."""

    def open_queue(self):
        return BrokenQueue(self)


def test_a_bug_is_told_as_421_and_nothing_is_accepted(capfd):
    world, (source, client), (listen, target) = BrokenWorld(), os.pipe(), os.pipe()
    os.write(client, MAIL + b"x\r\n.\r\nNOOP\r\n")
    assert serve(Session(values(smtpgreeting=b"mx"), Client(), world), Connection(source, target, 5)) == 1
    assert os.read(listen, 1000).splitlines()[-2:] == [b"354 go ahead", b"421 internal error (#4.3.0)"]
    assert world.queued == []
    assert "while queueing the message" in capfd.readouterr().err
    for fd in (source, client, listen, target):
        os.close(fd)


def test_a_client_that_does_not_listen(home):
    child = start(home)
    child.stdout.close()
    child.stdin.write(b"NOOP\r\n")
    assert child.wait(20) == 1  # and not by SIGPIPE
    assert child.stderr.read() == b""
    child.stdin.close()
    child.stderr.close()


@pytest.mark.parametrize(("env", "said"), [
    ({"DATABYTES": "3"}, b"552 "), ({"RELAYCLIENT": ".gw"}, b"250 "), ({"QMAILQUEUE": "/nowhere"}, b"451 "),
])
def test_variables(home, env, said):
    done = home.run("qmail-smtpd", stdin=MAIL + b"1234\r\n.\r\nQUIT\r\n", **env)
    assert done.stdout.splitlines()[-2].startswith(said)
    assert (home.queued() or (b"", b""))[1] == (b"Fa@b.example\0Tc@ours.example.gw\0\0" if "RELAYCLIENT" in env else b"")


@pytest.mark.parametrize(("files", "said"), [
    ({"moreipme": "203.0.113.0/24\n"}, b"250 "), ({}, b"553 "), ({"moreipme": "203.0.113.0/24\n", "notipme": "203.0.113.9\n"}, b"553 "),
])
def test_own_addresses_of_the_control_files(home, files, said):
    home.control(localiphost="ours.example\n", **files)
    done = home.run("qmail-smtpd", stdin=b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@[203.0.113.9]>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
    assert done.stdout.splitlines()[2].startswith(said)
    assert (home.queued() or (b"", b""))[1] == (b"Fa@b.example\0Tc@ours.example\0\0" if said == b"250 " else b"")


def test_own_addresses_that_cannot_be_read_end_the_session(home):
    (home.path / "control/notipme").mkdir()
    done = home.run("qmail-smtpd", stdin=b"MAIL FROM:<>\r\nRCPT TO:<c@[127.0.0.1]>\r\n")
    assert done.stdout.splitlines()[-1].startswith(b"421 ")
    assert done.returncode == 1


def test_bad_control_files(home):
    (home.path / "control/rcpthosts").unlink()
    (home.path / "control/rcpthosts").mkdir()
    done = home.run("qmail-smtpd", stdin=b"QUIT\r\n")
    assert (done.stdout, done.returncode) == (b"421 unable to read controls (#4.3.0)\r\n", 1)


CHECKED = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@ours.example>\r\nRCPT TO:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n%s.\r\nQUIT\r\n"


def test_all_checks_of_recipients_and_content_together(home):
    """Tables, a program, signed senders, limits and a clamd, all real; what they say goes into the log and not to the client."""
    (home.path / "users").mkdir()
    (home.path / "users/recipients").write_text("c@ours.example\n")
    home.run("qmail-recipients")
    home.program("rc", "#!/bin/sh\necho $RECIPIENT >&2; echo chatter\n[ -z \"$SENDER\" ]\n")
    good, bad = (signed(address, b"key", today(int(time.time()))) for address in (b"c@ours.example", b"z@ours.example"))
    with Clamd(CLEAN, VIRUS) as server:
        home.control(recipientchk="2\n", recipients="users/recipients.cdb\n", signkey="key\n", clamd=server.address.decode(), databytesrcpt="c@ours.example:5\n")
        for body, reply in ((b"abcd\r\n", b"250 ok "), (b"abcd\r\n", b"554 sorry, your message contains a virus: Eicar-Signature"), (b"abcde\r\n", b"552 ")):
            done = home.run("qmail-smtpd", stdin=CHECKED % (bad, good, body), TCPREMOTEIP="192.0.2.7", RCPTCHECK=str(home.path / "bin/rc"))
            replies = done.stdout.splitlines()
            assert replies[1:8] == [b"250-me.example", b"250-PIPELINING", b"250 8BITMIME", b"250 ok", b"553 Not our message (#5.7.1)",
                                    b"550 sorry, no mailbox here by that name. (#5.1.1)", b"250 ok"]
            assert replies[9].startswith(reply)
            assert home.queued()[1] == (b"F\0Tc@ours.example\0\0" if reply.startswith(b"250") else b"")
            logged = done.stderr.decode().splitlines()
            assert re.fullmatch(r"qmail-smtpd: realrcptto \d+ 192\.0\.2\.7 z@ours\.example", logged.pop(1))
            assert logged[:3] == ["qmail-smtpd: bad bounce: at 192.0.2.7 to c@ours.example", "c@ours.example", "chatter"]
            assert logged[3:] == (["qmail-smtpd: clamd: virus Eicar-Signature from 192.0.2.7"] if reply.startswith(b"554") else [])
        assert [scan[1].endswith(b"\nabcd\n") for scan in server.scans[:2]] == [True, True]


def test_accounts_are_checked_by_the_homes_tables(home):
    (home.path / "users").mkdir()
    (home.path / "users/assign").write_text(f"=bob:bob:1:2:{home.path}:::\n+bob-:bob:1:2:{home.path}:-::\n+:alias:1:2:{home.path}:-::\n.\n")
    home.run("qmail-newu")
    home.control(locals="ours.example\n", recipientchk="0\n")
    said = MAIL.replace(b"<c@", b"<%s@")
    for local, code in ((b"bob", b"250"), (b"bob-x", b"550"), (b"zzz", b"550")):
        assert home.run("qmail-smtpd", stdin=said % local, RECIPIENTCHK="1").stdout.splitlines()[2][:3] == code
    assert home.run("qmail-smtpd", stdin=said % b"zzz").stdout.splitlines()[2][:3] == b"250"
    (home.path / "users/cdb").write_text("damaged")
    done = home.run("qmail-smtpd", stdin=MAIL, RECIPIENTCHK="1")
    assert (done.stdout.splitlines()[-1], done.returncode) == (b"421 unable to read cdb user database (#4.3.0)", 1)


def test_a_delay_holds_one_reply_and_not_those_before(home):
    home.control(recipientchk="2\n", recipients="r\n", recipientchkdelay="1\n")
    write(str(home.path / "r"), [])
    child = start(home)
    child.stdin.write(b"NOOP\r\n" + MAIL.replace(b"DATA", b"QUIT"))
    begin, heard = time.monotonic(), b""
    while not heard.endswith(b"250 ok\r\n250 ok\r\n"):
        heard += child.stdout.read(1000)
    assert child.stdout.read(1000).startswith(b"550 ")
    assert time.monotonic() - begin >= 1
    child.communicate()


@pytest.mark.parametrize(("env", "reply"), [({}, b"250 ok "), ({"CLAMDFAILREJECT": "1"}, b"451 "), ({"CLAMDFAILREJECT": "1", "NOCLAMD": ""}, b"250 ok ")])
def test_a_clamd_that_is_not_there(home, env, reply):
    home.control(clamd="127.0.0.1\n")
    done = home.run("qmail-smtpd", stdin=MAIL + b"x\r\n.\r\nQUIT\r\n", **env)
    assert done.stdout.splitlines()[-2].startswith(reply)
    assert done.stderr == (b"" if "NOCLAMD" in env else b"qmail-smtpd: clamd: failed: control/clamd names no address and port: 127.0.0.1\n")


@pytest.mark.parametrize("arguments", [(), ("host", "checkpw", "true"), ("checkpw", "true"), ("smtp_auth", "true", "cmd5checkpw", "true")])
def test_argument_shapes(home, arguments):
    assert home.run("qmail-smtpd", *arguments, stdin=b"QUIT\r\n").returncode == 0


SPOKEN = b"HELO localhost\r\nMAIL FROM:<a@spam.example>\r\nRCPT TO:<c@ours.example>\r\nRCPT TO:<d@ours.example>\r\nQUIT\r\n"


@pytest.mark.parametrize(("files", "env", "codes", "log"), [
    ({"badheloext": "(\n!\\.\n"}, {}, (250, 553, 553), ["badheloext: bad pattern: (", "badhelo: <localhost> at 192.0.2.7", "badhelo: <localhost> at 192.0.2.7"]),
    ({"badheloext": "!\\.\n"}, {"NOBADHELOEXT": ""}, (250, 250, 250), []),
    ({"badheloext": "!\\.\n"}, {"RELAYCLIENT": ""}, (250, 250, 250), []),
    ({"badmailfromext": "@spam\\.\n"}, {"NOBADMAILFROMINT": ""}, (250, 553, 553), ["badmailfrom: <a@spam.example> at 192.0.2.7"] * 2),
    ({"badmailtoext": "^c@\n"}, {"LOGREGEX": "1"}, (250, 553, 250), ["badmailto: <c@ours.example> at 192.0.2.7 matches pattern: ^c@"]),
    ({"badrmhostext": "^unknown$\n"}, {}, (250, 553, 553), ["badrmhost: <unknown> at 192.0.2.7"] * 2),
    ({"badrmhostint": "^unknown$\n"}, {"NOBADRMHOSTINT": "", "RELAYCLIENT": ""}, (250, 250, 250), []),
    ({"antispoofing": "spam.example: 10/255.0.0.0\n"}, {}, (553, 503, 503), ["antispoofing: <a@spam.example> at 192.0.2.7"]),
    ({"antispoofing": "spam.example: 192.0.2/24\n"}, {}, (250, 250, 250), []),
    ({"antispoofing": "spam.example: 10.0.0.0/8\n"}, {"NOANTISPOOFING": ""}, (250, 250, 250), []),
    ({"helodnschkext": "1\n"}, {}, (250, 553, 553), ["helodnschk: <localhost> at 192.0.2.7"] * 2),
    ({"helodnschkext": "1\n"}, {"HELODNSCHKEXT": ""}, (250, 250, 250), []),
    ({"mfcheck": "1\n"}, {}, (553, 503, 503), ["mfcheck: <a@spam.example> at 192.0.2.7: no such domain"]),
    ({}, {"MAXRECIPIENTS": "1"}, (250, 250, 452), []),
])
def test_checks_of_strangers_and_relay_clients(home, files, env, codes, log):
    home.control(**files)
    with DnsServer({"other.example a": ["192.0.2.1"]}) as dns:
        done = home.run("qmail-smtpd", stdin=SPOKEN, TCPREMOTEIP="192.0.2.7", **dns.env, **env)
    assert [int(line[:3]) for line in done.stdout.split(b"\r\n")[2:5]] == list(codes)
    assert done.stderr.decode().splitlines() == [f"qmail-smtpd: {line}" for line in log]


def test_delays_hold_replies_back_and_nothing_else(home):
    child = start(home, GREETDELAY="1", HELODELAY="1")
    begin = time.monotonic()
    assert child.stdout.read(1000) == b"220 me.example ESMTP\r\n"
    assert time.monotonic() - begin > 0.9
    begin = time.monotonic()
    child.stdin.write(b"NOOP\r\nHELO x\r\nQUIT\r\n")
    assert child.stdout.read(1000) == b"250 ok\r\n"
    assert child.stdout.read(1000) == b"250 me.example\r\n221 me.example\r\n"
    assert time.monotonic() - begin > 0.9
    assert child.wait() == 0
    child.communicate()


@pytest.mark.parametrize(("said", "heard", "log"), [
    (b"HELO x\r\nQUIT\r\n", b"554 SMTP protocol violation\r\n", b"sent data"), (b"", b"", b"hung up"),
])
def test_clients_must_wait_for_the_greeting(home, said, heard, log):
    begin = time.monotonic()
    done = home.run("qmail-smtpd", stdin=said, GREETDELAY="50", DATABEFOREGREET="1", TCPREMOTEIP="192.0.2.7")
    assert (done.stdout, done.returncode) == (heard, 1)
    assert done.stderr == b"qmail-smtpd: before greeting: [192.0.2.7] client " + log + b"\n"
    assert time.monotonic() - begin < 40


def test_the_log_stays_out_of_the_dialogue(home):
    """As under inetd: the descriptor of errors is the client's connection."""
    home.control(badheloext="(\n!\\.\n")
    done = subprocess.run(home.command("qmail-smtpd"), input=SPOKEN, env=home.environment({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert [line[:4] for line in done.stdout.splitlines()] == [b"220 ", b"250 ", b"250 ", b"553 ", b"553 ", b"221 "]


def test_what_no_file_asks_for_is_not_even_imported(home):
    python, *rest = home.command("qmail-smtpd")
    done = subprocess.run([python, "-X", "importtime", *rest], input=MAIL + b"x\r\n.\r\nQUIT\r\n", env=home.environment({}), capture_output=True, timeout=60)
    assert b"\r\n250 ok 1" in done.stdout
    imported = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert "qmailpy.smtp.server" in imported
    assert imported.isdisjoint(["ctypes", "dns", "resource", "qmailpy.unix.regex", "qmailpy.unix.resolver", "qmailpy.text.netmask", "qmailpy.text.loglines",
                                "qmailpy.smtp.callback", "qmailpy.smtp.client", "qmailpy.serve.callback"])


def test_a_large_message_needs_little_memory(home):
    """200 MB pass; no process of it all grows with them."""
    home.program("recorder", "#!/bin/sh\nwc -c > \"$0.size\"; cat <&1 > /dev/null; exit 0\n")
    child = start(home)
    block = (b"x" * 78 + b"\r\n") * 10000
    child.stdin.write(MAIL)
    for _ in range(250):
        view = memoryview(block)
        while view:
            view = view[child.stdin.write(view):]
    child.stdin.write(b".\r\n")
    heard = b""
    while b"\r\n250 ok 1" not in heard:
        heard += child.stdout.read(1000)
    with open(f"/proc/{child.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    child.communicate(b"QUIT\r\n")
    assert child.returncode == 0
    assert peak < 40000  # KiB
    assert int((home.path / "bin/recorder.size").read_text()) > 250 * 79 * 10000


def test_a_session_that_takes_too_long(home):
    """However busy the client is, and wherever it is in the dialogue."""
    home.control(timeoutsession="1\n")
    child, begin = start(home), time.monotonic()
    child.stdin.write(MAIL)
    try:
        while time.monotonic() < begin + 20:
            child.stdin.write(b"a line of a message that goes on\r\n")
            time.sleep(0.05)  # the client's own pace
    except BrokenPipeError:
        pass
    said = child.stdout.read()  # all of it: the other end is closed
    while data := child.stdout.read(1000):
        said += data
    assert said.splitlines()[-1] == b"421 this session takes too long (#4.4.2)"
    assert child.wait(20) == 1
    assert home.queued() is None or home.queued()[1] == b""
    assert child.communicate()[1] == b"qmail-smtpd: limit: this session takes too long (#4.4.2) at unknown\n"


@pytest.mark.parametrize(("name", "by_variable", "said"), [
    ("maxcommands", False, b"421 too many commands"), ("maxcommands", True, b"421 too many commands"), ("maxerrors", False, b"421 too many errors"),
    ("maxerrors", True, b"421 too many errors"), ("maxline", False, b"500 line too long"),
])
def test_limits_of_a_session(home, name, by_variable, said):
    commands = {"maxcommands": b"NOOP\r\n" * 4, "maxerrors": b"WHAT\r\n" * 4, "maxline": b"NOOP".ljust(1500, b"x") + b"\r\n"}[name]
    if not by_variable:
        home.control(**{name: "3\n"})
    done = home.run("qmail-smtpd", stdin=commands, **({name.upper(): "3"} if by_variable else {}))
    assert done.stdout.splitlines()[-1].startswith(said)
    assert done.returncode == 1
