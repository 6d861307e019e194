"""What qmail-showctl says of each setting, and what the manual pages say."""

import os
import pathlib

import pytest

from qmailpy.home import Home
from qmailpy.settings.load import Unreadable
from qmailpy.settings.show import all_variables, entries, for_programs, overview, printable, roff, sections, variables
from qmailpy.settings.table import SETTINGS, VARIABLES

MAN = pathlib.Path(__file__).resolve().parents[2] / "man"
PROGRAMS = sorted({program for setting in SETTINGS.values() for program in setting.used_by})


@pytest.fixture
def home(tmp_path):
    (tmp_path / "control").mkdir()
    return Home(str(tmp_path))


def said(home, **files):
    """{name: text} of all sections, after writing these files."""
    for name, text in files.items():
        with open(home.at("control", name), "w") as file:
            file.write(text)
    return dict(sections(home))


def test_each_setting_is_shown_in_the_order_of_names_morercpthosts_apart(home):
    names = list(said(home))
    assert set(names) == {*SETTINGS, "morercpthosts.cdb"}
    at = names.index("rcpthosts")
    assert names[at:at + 3] == ["rcpthosts", "morercpthosts", "morercpthosts.cdb"]
    rest = [name for name in names if not name.startswith("more")]
    assert rest == sorted(rest)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in ("me", "morercpthosts")])
def test_absent_and_present_differ(home, name):
    absent = said(home)[name]
    assert absent.startswith(b"(Default.) ") and absent.endswith(b"\n")
    present = said(home, **{name: "4711\n"})[name]
    told = {"flag": SETTINGS[name].shown[0].encode(), "pem": b"the file is there", "secret": b"not shown"}
    assert told.get(SETTINGS[name].kind.name, b"4711") in present and b"(Default.)" not in present
    assert (b"4711" in present) == (SETTINGS[name].kind.name not in told)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_cannot_be_read(home, name):
    os.mkdir(home.at("control", name))
    if name == "me":
        with pytest.raises(Unreadable):
            said(home)
    else:
        assert said(home)[name] == b"Oops! Trouble reading this file.\n"


def test_defaults(home):
    found = said(home)
    assert found["bouncehost"] == b"(Default.) Bounce host name is bouncehost.\n"
    assert found["helohost"] == b"(Default.) SMTP client HELO host name is helohost.\n"
    assert found["databytes"] == b"(Default.) SMTP DATA limit is 0 bytes.\n"
    assert found["me"] == b"(Default.) My name is undefined! Uh-oh.\n"
    found = said(home, me="me.example\n")
    assert found["bouncehost"] == b"(Default.) Bounce host name is me.example.\n"
    assert found["me"] == b"My name is me.example.\n"


def test_a_number_without_digits_is_the_default(home):
    assert said(home, timeoutremote="x\n")["timeoutremote"] == b"(Default.) SMTP client data timeout is 1200 seconds.\n"


def test_unprintable_bytes(home):
    assert said(home, smtpgreeting="a\x01b\x7fc")["smtpgreeting"] == b"SMTP greeting: 220 a?b?c.\n"
    assert printable(b"\x1f ~\x7f\xff") == b"? ~??"


def test_lists(home):
    said_of_two = said(home, percenthack="# no\na\n\nb \n")["percenthack"]
    assert said_of_two == b"\nThe percent hack is allowed for user%host@a.\nThe percent hack is allowed for user%host@b.\n"
    assert said(home, rcpthosts="")["rcpthosts"] == b"\n"


def test_morercpthosts_without_rcpthosts(home):
    assert said(home)["morercpthosts"] == b"(Default.) No rcpthosts; morercpthosts is irrelevant.\n"
    assert said(home, morercpthosts="a\n")["morercpthosts"] == b"\nNo rcpthosts; doesn't matter that morercpthosts has a.\n"
    assert said(home, rcpthosts="b\n")["morercpthosts"] == b"\nSMTP clients may send messages to recipients at a.\n"


@pytest.mark.parametrize(("source", "result", "text"), [
    (None, None, b"(Default.) No effect.\n"),
    (None, 5, b"Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n"),
    (5, None, b"Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n"),
    (6, 5, b"Oops! morercpthosts.cdb is older than morercpthosts.\n"),
    (5, 5, b"Modified recently enough; hopefully up to date.\n"),
    (5, 6, b"Modified recently enough; hopefully up to date.\n"),
])
def test_whether_the_compiled_hosts_are_up_to_date(home, source, result, text):
    for name, time in (("morercpthosts", source), ("morercpthosts.cdb", result)):
        if time is not None:
            path = home.at("control", name)
            with open(path, "w"):
                pass
            os.utime(path, (time, time))
    assert said(home)["morercpthosts.cdb"] == text


@pytest.mark.parametrize(("name", "text", "env", "value", "origin"), [
    ("databytes", None, {}, 0, "default"), ("databytes", "5\n", {}, 5, "control/databytes"), ("databytes", "x\n", {}, 0, "default"),
    ("databytes", "5\n", {"DATABYTES": "7"}, 7, "variable DATABYTES"), ("helohost", None, {}, "me.example", "control/me"), ("rcpthosts", "A\nb\n", {}, ["a", "b"], "control/rcpthosts"),
    ("smtproutes", "a:b u p\n", {}, {"a": "b (login not shown)"}, "control/smtproutes"), ("signkey", "k\n", {}, None, "control/signkey"), ("virtualdomains", "A:b\n", {}, {"a": "b"}, "control/virtualdomains"),
    ("clamd", "x:1\n", {"NOCLAMD": ""}, None, "switched off by NOCLAMD"), ("databytesmf", "a:1\n", {"DATABYTESMF": "0"}, None, "switched off by DATABYTESMF"),
    ("tlsremote", "1\n", {}, True, "control/tlsremote"), ("me", None, {}, "me.example", "control/me"),
])
def test_settings_for_programs(home, name, text, env, value, origin):
    said(home, me="me.example\n", **({} if text is None else {name: text}))
    found = {row["name"]: row for row in for_programs(home, env)}[name]
    assert (found["value"], found["origin"]) == (value, origin)
    assert found["used_by"] == list(SETTINGS[name].used_by)


def test_warnings_stand_with_their_setting(home):
    said(home, tlsremote="", zzz="")
    found = {row["name"]: row for row in for_programs(home, {})}
    assert found["tlsremote"]["warnings"] == ["there is no number in its first line: the file has no effect (1 switches it on)"]
    assert found["zzz"]["warnings"] == ["nothing reads this file"]
    assert found["databytes"]["warnings"] == []


@pytest.mark.parametrize(("line", "explained"), [
    ("a.example: 10/255.0.0.0", "10/255.0.0.0 is 10.0.0.0/255.0.0.0, 10.0.0.0 to 10.255.255.255."),
    ("a.example: 10.195.4", "10.195.4 is 10.195.4.0/255.255.252.0, 10.195.4.0 to 10.195.7.255; better write the mask."),
    ("a.example: 192.0.2.1/28 x", "192.0.2.1/28 is 192.0.2.0/255.255.255.240, 192.0.2.0 to 192.0.2.15.\n  Oops! x is no network, and is skipped."),
    ("a.example: 2001:db8::1/32", "2001:db8::1/32 is 2001:db8::/32, 2001:db8:: to 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff."),
    ("a.example: ::ffff:10.0.0.1", "::ffff:10.0.0.1 is 10.0.0.1/255.255.255.255, 10.0.0.1 to 10.0.0.1; better write the mask."),
    ("a.example: host", "Oops! host is no network, and is skipped.\n  So nobody may use this sender."), ("a.example:", "So nobody may use this sender."),
    ("a.example 10.0.0.1", "Oops! This line has no colon, and protects nobody."),
])
def test_networks_of_senders_are_explained(home, line, explained):
    assert said(home, antispoofing=f"{line}\n")["antispoofing"] == f"\nSender and its networks: {line}.\n  {explained}\n".encode()


def test_files_that_are_no_settings_come_last(home):
    names = list(said(home, zzz="", aaa="", databyte="1\n"))
    assert names[-3:] == ["aaa", "databyte", "zzz"]
    assert said(home)["zzz"] == b"I have no idea what this file does.\n"


def test_folders_of_certificates_are_no_strangers(home):
    os.mkdir(home.at("control", "servercerts"))
    assert said(home)["servercerts"] == b"Certificates for names that clients ask for.\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_of_each_program_explains_its_settings(program):
    pages = list(MAN.glob(f"{program}.*"))
    module = MAN.parent / "qmailpy/programs" / f"{program.replace('-', '_')}.py"
    if not pages and not module.exists():
        pytest.skip(f"there is no {program} yet")
    text = "\n".join(entries(program))
    assert text in pages[0].read_text(), "make pages"
    for setting in SETTINGS.values():
        assert (f".I {setting.name}\n" in text) == (program in setting.used_by)


def test_the_overview_names_each_setting():
    text = (MAN / "qmail-control.5").read_text()
    assert "\n".join(overview()) in text
    for name in SETTINGS:
        assert f"\n\\fI{name}\\fR\t" in text


def test_a_program_without_settings_or_variables_has_no_entries():
    for table in (entries, variables):
        with pytest.raises(KeyError):
            table("qmail-clean")


def test_variables():
    assert variables("ipmetest") == [".TP", "\\fBIPMETEST_HERE\\fR", "If it is set, the folder control below the working folder counts, not that of the home."]
    text = "\n".join(all_variables())
    assert text in (MAN / "qmail-control.5").read_text(), "make pages"
    for name, variable in VARIABLES.items():
        assert f"\\fB{name}\\fR\n" in text and f"Used by {roff(', '.join(variable.used_by))}.\n" in text + "\n"


@pytest.mark.parametrize(("text", "expected"), [("a-b", "a\\-b"), (".domain", "\\&.domain"), ("'x", "\\&'x"), ("a\\b", "a\\eb")])
def test_roff(text, expected):
    assert roff(text) == expected


SECRETS = {"smtproutes": "a:b\n:relay.example:26 joe my:secret word\n", "signkey": "my:secret word\n", "clientcert.pem": "-----BEGIN PRIVATE KEY-----\nmy:secret word\n"}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_secrets_are_not_shown_and_must_not_be_open_to_all(home, name, mode):
    said(home, **{name: SECRETS[name]})
    os.chmod(home.at("control", name), mode)
    found = said(home)[name]
    assert b"secret" not in found.replace(b"holds a secret", b"") and b"joe" not in found
    assert found.endswith(b"\nOops! This file holds a secret, and everybody may read it: it should have mode 0640.\n") == (mode == 0o644)


def test_routes_are_shown_without_their_logins(home):
    assert said(home, smtproutes=SECRETS["smtproutes"])["smtproutes"].startswith(b"\nSMTP route: a:b\nSMTP route: :relay.example:26 (login not shown)\n")
