"""A stranger's bytes that would be something else: a header field, a line of the log, a command of the shell, an option, a file."""

import os
import subprocess

import pytest

from tests.checkout import LittleHome
from tests.home import PATIENCE, messages
from tests.smtpsink import SmtpSink

SHELL = ["; touch EVIL", "$(touch EVIL)", "`touch EVIL`", "| touch EVIL", "& touch EVIL &", "\ntouch EVIL\n", "' ; touch EVIL ; '", '" ; touch EVIL ; "', "${IFS}touch${IFS}EVIL", "() { :;}; touch EVIL",
         "> EVIL", "-e -n --help", "*", "~", "\\", "%s%n", "\x1b]0;x\x07", "\udcff\udcfe"]
QUOTED = "".join(f'printf "%s\\\\n" "${name}" >> said\n' for name in (
    "SENDER", "NEWSENDER", "RECIPIENT", "LOCAL", "HOST", "HOST2", "HOST3", "HOST4", "USER", "EXT", "EXT2", "EXT3", "EXT4", "DEFAULT", "UFLINE", "RPLINE", "DTLINE"))


@pytest.fixture
def joe(single):
    folder = single.path / "alias"
    single.run("maildirmake", str(folder / "Maildir"))
    (folder / ".qmail-joe").write_text("./Maildir/\n")
    return folder


@pytest.mark.parametrize("text", SHELL)
def test_no_word_of_an_address_is_a_command_in_a_program_of_a_qmail_file(tmp_path, text):
    """Each variable holds it, and a program uses each of them as a variable is to be used."""
    (tmp_path / "qmail").mkdir()
    home, user = LittleHome(tmp_path / "qmail"), tmp_path / "joe"
    user.mkdir()
    (user / ".qmail-default").write_text(f"|{QUOTED.replace(chr(10), ' ; ').rstrip('; ')}\n|sh said.sh\n")
    (user / "said.sh").write_text(QUOTED + "printenv > variables\n")
    (home.path / "message").write_bytes(b"Subject: x\n\nbody\n")
    with open(home.path / "message", "rb") as message:
        done = subprocess.run(home.command("qmail-local", "--", text, str(user), f"joe-{text}-{text}", "-", f"{text}-{text}", f"{text}.b.c.d", f"{text}@x.example", "./Mailbox"),
                              stdin=message, env=home.environment({}), cwd=home.path, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, b"did 0+0+2\n"), done.stderr
    assert sorted(os.listdir(user)) == [".qmail-default", "said", "said.sh", "variables"]
    assert (user / "said").read_bytes().count(os.fsencode(text)) >= 20
    assert not list(tmp_path.rglob("EVIL"))


def test_no_address_from_the_network_is_a_command(single, joe):
    """By SMTP to a program, through all daemons."""
    (joe / ".qmail-joe-default").write_text('|printf "%s|%s|%s\\n" "$SENDER" "$EXT" "$LOCAL" >> said\n')
    single.start()
    mail = [f"MAIL FROM:<{text}@x.example>\r\nRCPT TO:<joe-{text}@test.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n" for text in SHELL if not set(text) & set("\n>\\\"")]
    said = single.run("qmail-smtpd", input=os.fsencode("HELO c\r\n" + "".join(mail) + "QUIT\r\n"))
    assert said.count(b" qp ") == len(mail)
    single.log.wait("end msg", count=len(mail))
    assert len((joe / "said").read_bytes().splitlines()) == len(mail)
    assert not list(single.path.rglob("EVIL"))
    assert "failure" not in single.log.text()


@pytest.mark.parametrize("address", ["a\x1b[2Jb", "a\rb", "a\x07b", "a%n%sb", "a\x9bb", "a\x7fb", "a b", "a\tb", "\u202eab"])
def test_an_address_is_one_printable_word_of_the_log(single, joe, address):
    (joe / ".qmail-default").write_text("|echo \"$LOCAL\"; exit 100\n")
    single.start()
    envelope = b"F" + address.encode() + b"@x.example\0T" + address.encode() + b"@test.example\0\0"
    source, target = os.pipe()
    os.write(target, envelope)
    os.close(target)
    subprocess.run([single.program("qmail-queue")], input=b"Subject: x\n\n\n", stdout=source, env=single.env, timeout=PATIENCE, check=True)
    os.close(source)
    single.log.wait("failure: ")
    single.log.wait("starting delivery 2: ")
    for line in single.log.lines:
        assert all(32 <= ord(letter) < 127 for letter in line), line
    [told] = [line for line in single.log.lines if line.startswith("info msg ")][:1]
    assert len(told.split()) == 11 and "%n" not in told  # info msg N: bytes N from <X> qp N uid N, and X is one word
    assert len([line for line in single.log.lines if "starting delivery 1:" in line][0].split()) == 8


def test_what_qmail_remote_hears_is_no_line_of_the_log_of_its_own(single):
    with SmtpSink({"RCPT": "450 no\x1b[2J\r\nnew msg 7\rdelivery 1: success: \x00\x9b"}) as sink:
        single.control(smtproutes=f":[127.0.0.1]:{sink.port}\n")
        single.start()
        single.run("qmail-inject", "x@far.example", input=b"Subject: x\n\n")
        single.log.wait("delivery 1: deferral: ")
    assert all(32 <= ord(letter) < 127 for letter in single.log.text().replace("\n", ""))
    assert not [line for line in single.log.lines if line.startswith(("new msg 7", "delivery 1: success"))]


@pytest.mark.parametrize("option", ["-X/{}", "-X {}", "-C{}", "-oQ{}", "-oX{}", "-OQueueDirectory={}", "-OLogFile={}", "-oA{}", "-oH{}", "-oS{}", "-os", "-D{}", "-L{}", "-d{}", "-Ac", "-bi"])
def test_no_option_of_sendmail_writes_or_reads_a_file(tmp_path, option):
    """What was done with options of other sendmails (CVE-2016-10033) means nothing here, or is refused."""
    (tmp_path / "qmail").mkdir()
    home, place = LittleHome(tmp_path / "qmail"), tmp_path / "place"
    place.mkdir()
    secret = place / "secret"
    secret.write_text("SECRET\n")
    home.link("qmail-inject")
    for target in (place / "new", secret):
        words = option.format(target).split(" ")
        for how in (["-t"], ["-i", "a@x.example"]):
            done = home.run("sendmail", *words, *how, stdin=b"From: b@x.example\nTo: a@x.example\n\n<?php evil ?>\n")
            message, _ = home.queued() or (b"", b"")
            assert b"SECRET" not in done.stdout + done.stderr + message
    assert os.listdir(place) == ["secret"] and secret.read_text() == "SECRET\n"


ODD = "\nBcc: evil@x.example\nX-Evil: 1"


@pytest.mark.parametrize("way", [
    {"env": {name: "joe" + ODD}} for name in ("QMAILNAME", "MAILNAME", "NAME", "QMAILUSER", "MAILUSER", "USER", "LOGNAME", "QMAILHOST", "MAILHOST", "QMAILSUSER", "QMAILSHOST",
                                              "QMAILIDHOST", "QMAILDEFAULTHOST", "QMAILDEFAULTDOMAIN", "QMAILPLUSDOMAIN", "QMAILINJECT", "TZ")
] + [{"words": ["-f", "joe" + ODD]}, {"words": ["-F", "joe" + ODD]}, {"words": ["--", "joe" + ODD]}, {"words": ["-f", "joe\r" + ODD]}], ids=str)
def test_nothing_that_a_caller_names_begins_a_field_or_a_record(tmp_path, way):
    home = LittleHome(tmp_path)
    home.link("qmail-inject")
    done = home.run("sendmail", *way.get("words", []), *(["-t"] if "--" not in way.get("words", []) else []), stdin=b"To: a@b.example\n\nbody\n", **way.get("env", {}))
    if done.returncode:
        assert done.returncode in (100, 111) and home.queued() is None
        return
    message, envelope = home.queued()
    header = message.partition(b"\n\n")[0].lower()
    assert not any(line.startswith((b"bcc", b"x-evil")) for line in header.split(b"\n"))
    assert b"\n" not in envelope and b"\r" not in envelope
    assert b"Tevil@x.example\0" not in envelope


def test_what_a_client_says_of_itself_is_one_field(tmp_path):
    """HELO, and what the listener was told by the client's own name server and ident server."""
    home = LittleHome(tmp_path)
    evil = "x)\r\nX-Evil: 1\n(y"
    helo = evil.replace("\r\n", "\r").replace("\n", "\r").encode()
    home.run("qmail-smtpd", stdin=b"HELO " + helo + b"\r\nMAIL FROM:<>\r\nRCPT TO:<a>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n",
             TCPREMOTEHOST=evil, TCPREMOTEINFO=evil, TCPREMOTEIP=evil, TCPLOCALHOST=evil)
    message, _ = home.queued()
    field = message.split(b"Subject: ")[0]
    assert field.count(b"\n") == 2 and b"\r" not in field and b"X-Evil: 1" not in field
    assert field.count(b"(") == field.count(b")")


def test_mail_is_never_whose_folder_its_address_names(single, joe):
    """A slash or a dot in an extension leads to no other .qmail file."""
    (single.path / "outside").write_text("|touch EVIL\n")
    (joe / ".qmail-joe-:outside").write_text("./Maildir/\n")
    single.start()
    names = ["joe-../../outside", "joe-/../outside", "joe-.:outside", "../outside", "joe-..", "/etc/passwd", "joe-\u202f"]
    for name in names:
        single.run("qmail-inject", "-f", "", f"{name}@test.example", input=b"Subject: x\n\n")
    single.log.wait("end msg", count=len(names))
    assert not list(single.path.rglob("EVIL")) and messages(joe / "Maildir") == []
    (single.path / "outside").unlink()
