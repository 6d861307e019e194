"""Every control file and variable of the "all in one" patch: in the table, in the manual, in qmail-showctl, and in the tests of what it does."""

import pathlib

import pytest

from qmailpy.home import Home
from qmailpy.settings.load import load
from qmailpy.settings.table import SETTINGS, VARIABLES
from tests.checkout import LittleHome

TOP = pathlib.Path(__file__).resolve().parents[2]
CONTROL = (TOP / "man/qmail-control.5").read_text()

# aio: Overview table.  The files that each program reads.
READ_BY = {
    "qmail-smtpd": """antispoofing authfaildelay badheloext badheloint badmailfromext badmailfromint badmailtoext badmailtoint badrmhostext badrmhostint clamd clamdfailreject
        clientca.pem clientcrl.pem databeforegreet databytesmf databytesrcpt dh512.pem dh1024.pem rsa512.pem greetdelay helodelay mfdelay rcptdelay helodnschkext helodnschkint
        maxrecipients mfcheck timeoutmfcheck moreipme notipme nosignhosts nosignmydoms signkey signkeystale recipientchk recipients recipientchkdelay secauthext secauthint
        servercert.pem tarpitcount tarpitdelay timeoutclamd tlsclients tlsserverciphers tlssmtpext tlssmtpint""",
    "qmail-remote": """bindroutes clientcert.pem moreipme notipme nosignhosts nosignmydoms signkey outgoingip senderip secauthremote smtproutes straightfallback
        tlsclientciphers tlsremote""",
    "qmail-qmtpd": "recipientchk recipients", "qmail-queue": "extraqueue originipfield", "qmail-send": "bouncemaxbytes", "qmail-rspawn": "extraremote",
    "ipmeprint": "moreipme notipme", "ipmetest": "moreipme notipme",
}
FILES = sorted({name for names in READ_BY.values() for name in names.split()})

# aio: Environment variables
OFF_SWITCHES = {"NOANTISPOOFING": "antispoofing", "NOBADHELOEXT": "badheloext", "NOBADHELOINT": "badheloint", "NOBADMAILFROMEXT": "badmailfromext",
                "NOBADMAILFROMINT": "badmailfromint", "NOBADMAILTOEXT": "badmailtoext", "NOBADMAILTOINT": "badmailtoint", "NOBADRMHOSTEXT": "badrmhostext",
                "NOBADRMHOSTINT": "badrmhostint", "NOCLAMD": "clamd"}
NUMBERS = ["AUTHFAILDELAY", "CLAMDFAILREJECT", "DATABEFOREGREET", "GREETDELAY", "HELODELAY", "HELODNSCHKEXT", "HELODNSCHKINT", "MAXRECIPIENTS", "MFCHECK", "MFDELAY", "ORIGINIPFIELD", "RCPTDELAY", "RECIPIENTCHK", "RECIPIENTCHKDELAY", "SECAUTHEXT", "SECAUTHINT", "TARPITCOUNT", "TARPITDELAY", "TLSSMTPEXT", "TLSSMTPINT"]
OFF_BY_ZERO = ["DATABYTESMF", "DATABYTESRCPT"]
WITHOUT_FILE = ["QMAILQUEUE", "QMAILRRTDENYALL", "RCPTCHECK", "SMTPS", "LOGREGEX", "RELAYCLIENT", "IPMETEST_HERE"]
WITHOUT_VARIABLE = ["bindroutes", "senderip", "outgoingip", "bouncemaxbytes", "extraqueue", "extraremote", "signkey", "signkeystale", "nosignhosts", "nosignmydoms", "smtproutes", "secauthremote", "straightfallback", "tlsremote", "timeoutclamd", "timeoutmfcheck", "moreipme", "notipme", "recipients", "clientca.pem", "clientcert.pem", "clientcrl.pem", "servercert.pem", "dh512.pem", "dh1024.pem", "rsa512.pem"]


@pytest.fixture
def read(tmp_path):
    """read(file, text, env): the value of a file with that text."""
    (tmp_path / "control").mkdir()

    def value(name, text, env):
        (tmp_path / "control" / name).write_text(text)
        values = load(Home(str(tmp_path)), (name,), env)
        return {"number": values.number, "flag": values.flag}.get(SETTINGS[name].kind.name, values.known)(name)

    return value


@pytest.mark.parametrize("program", READ_BY)
def test_each_file_is_a_setting_of_the_programs_that_read_it(program):
    for name in READ_BY[program].split():
        assert program in SETTINGS[name].used_by


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_in_the_overview_and_in_the_text_of_its_manual_page(name):
    assert f"\n\\fI{name}\\fR\t" in CONTROL
    assert any(line.startswith((f".I {name}", f".IR {name} ")) for line in CONTROL.split("\n"))


@pytest.mark.parametrize("present", [False, True])
def test_qmail_showctl_knows_each_file(tmp_path, present):
    home = LittleHome(tmp_path)
    if present:
        home.control(**dict.fromkeys(FILES, "1\n"))
    said = home.run("qmail-showctl").stdout.decode()
    for name in FILES:
        [line] = [line for line in said.split("\n") if line.startswith(f"{name}: ")]
        assert "no idea" not in line
        assert ("(Default.)" in line) is not present


def test_each_file_is_asked_for_by_the_code_and_is_in_a_test_of_what_it_does():
    code, tests = ([path.read_text() for path in (TOP / folder).rglob("*.py") if path.parent.name != "settings"] for folder in ("qmailpy", "tests"))
    assert [name for name in FILES if not any(f'"{name}"' in text for text in code)] == []
    assert [name for name in FILES if not any(name in text for text in tests)] == []


@pytest.mark.parametrize("variable", OFF_SWITCHES)
def test_a_switch_that_exists_turns_its_file_off_and_no_other(read, variable):
    for name in OFF_SWITCHES.values():
        for value in ("", "0", "1"):
            assert read(name, "x: 1\n", {variable: value}) is (name != OFF_SWITCHES[variable])


@pytest.mark.parametrize("variable", NUMBERS)
def test_a_number_counts_before_its_file(read, variable):
    name = variable.lower()
    shape = bool if SETTINGS[name].kind.name == "flag" else int
    for value, number in (("3", 3), ("3x", 3), ("0", 0), ("", 0), ("x", 0), ("-5", 0)):
        assert read(name, "7\n", {variable: value}) == shape(number)
    assert read(name, "7\n", {}) == shape(7)
    assert read(name, "abc\n", {}) == shape(SETTINGS[name].default or 0)


@pytest.mark.parametrize("variable", OFF_BY_ZERO)
def test_0_turns_a_file_off_and_other_numbers_nothing(read, variable):
    assert [read(variable.lower(), "a@b:1\n", {variable: value}) for value in ("0", "", "x", "1", "5x")] == [False, False, False, True, True]


@pytest.mark.parametrize("name", WITHOUT_VARIABLE)
def test_these_files_have_no_variable(name):
    assert (SETTINGS[name].env, SETTINGS[name].off, SETTINGS[name].zero) == ("", "", "")


def test_tlsciphers_counts_before_its_file():
    assert SETTINGS["tlsserverciphers"].env == "TLSCIPHERS"


@pytest.mark.parametrize("name", WITHOUT_FILE)
def test_variables_without_a_file_are_explained(name):
    assert f".TP\n\\fB{name}\\fR\n" in CONTROL
    assert VARIABLES[name].text
