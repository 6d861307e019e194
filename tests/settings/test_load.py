"""Which value holds: variable, file, default, control/me."""

import os

import pytest

from qmailpy import kept
from qmailpy.exits import TENURE, Temporary
from qmailpy.home import Home
from qmailpy.settings.load import Unreadable, load, load_for_server
from qmailpy.settings.table import ME, SETTINGS


@pytest.fixture
def home(tmp_path):
    (tmp_path / "control").mkdir()
    return Home(str(tmp_path))


def write(home, **files):
    for name, text in files.items():
        with open(home.at("control", name), "w") as file:
            file.write(text)


def test_defaults_without_any_file(home):
    values = load(home, SETTINGS)
    for name, setting in SETTINGS.items():
        if setting.kind.name == "number":
            assert values.number(name) == (setting.default or 0)
        elif setting.kind.name == "list":
            assert values.list(name) is None
        elif setting.kind.name == "names":
            assert values.names(name) is None
        elif setting.kind.name == "flag":
            assert values.flag(name) is False
        elif setting.kind.name == "pem":
            assert not values.known(name)
        elif setting.kind.name == "map":
            assert values.map(name) is None
        elif setting.kind.name == "line":
            expected = setting.literal if setting.default is ME else setting.default
            assert values.line(name) == (expected or b"")
            assert values.known(name) == (expected is not None)


def test_me_stands_in(home):
    write(home, me="me.example\n")
    values = load(home, SETTINGS)
    assert values.line("defaulthost") == values.line("helohost") == values.line("smtpgreeting") == b"me.example"
    assert values.names("locals") == {b"me.example"}
    assert values.names("rcpthosts") is None


def test_a_file_counts_even_if_it_is_empty(home):
    write(home, me="me.example\n", defaulthost="", locals="", timeoutsmtpd="")
    values = load(home, ("defaulthost", "locals", "timeoutsmtpd"))
    assert values.line("defaulthost") == b""
    assert values.names("locals") == frozenset()
    assert values.number("timeoutsmtpd") == 1200


def test_a_variable_wins(home):
    write(home, databytes="5\n", defaulthost="file\n")
    values = load(home, ("databytes", "defaulthost"), {"DATABYTES": "7", "QMAILDEFAULTHOST": "env\udcff"})
    assert values.number("databytes") == 7
    assert values.line("defaulthost") == b"env\xff"
    assert load(home, ("databytes",), {"DATABYTES": ""}).number("databytes") == 0


def test_maps(home):
    write(home, virtualdomains="V.example:u\n")
    assert load(home, ("virtualdomains",)).map("virtualdomains") == {b"v.example": b"u"}


def test_a_file_that_cannot_be_read_is_named(home):
    os.mkdir(home.at("control", "rcpthosts"))
    with pytest.raises(Unreadable, match=r"unable to read control/rcpthosts: is a directory") as caught:
        load(home, ("rcpthosts",))
    assert isinstance(caught.value, Temporary)


@pytest.mark.parametrize(("number", "needed", "others"), [
    ("0", (), ("locals", "recipients")), ("1", ("envnoathost", "locals", "percenthack", "virtualdomains"), ("recipients",)), ("2", ("recipients",), ("locals",)),
    ("3", (), ("locals", "recipients")),
])
def test_a_server_reads_what_its_recipient_check_needs(home, number, needed, others):
    write(home, recipientchk=number, me="me.example")
    for name in others:
        os.mkdir(home.at("control", name))
    values = load_for_server(home, ("databytes",), {})
    assert values.number("recipientchk") == int(number)
    assert values.all.keys() == {"databytes", "recipientchk", *needed}
    assert load_for_server(home, (), {"RECIPIENTCHK": ""}).number("recipientchk") == 0


def test_an_unknown_name_is_a_bug(home):
    with pytest.raises(KeyError):
        load(home, ("nonsense",))


def test_asking_for_the_wrong_kind_is_a_bug(home):
    with pytest.raises(AssertionError):
        load(home, ("databytes",)).line("databytes")


@pytest.mark.parametrize(("env", "on"), [({}, True), ({"NOCLAMD": ""}, False), ({"NOCLAMD": "0"}, False)])
def test_a_variable_that_exists_may_switch_a_setting_off(home, env, on):
    write(home, clamd="192.0.2.1:3310\n")
    assert load(home, ("clamd",), env).known("clamd") == on


@pytest.mark.parametrize(("value", "on"), [("0", False), ("", False), ("x", False), ("1", True), ("77", True)])
def test_a_variable_that_is_0_may_switch_a_setting_off(home, value, on):
    write(home, databytesmf="a@b:5\n")
    assert (load(home, ("databytesmf",), {"DATABYTESMF": value}).map("databytesmf") is not None) == on


@pytest.mark.parametrize(("file", "env", "on"), [(None, {}, False), ("1\n", {}, True), ("", {}, False), ("1\n", {"TLSSMTPEXT": ""}, False), ("0\n", {"TLSSMTPEXT": "1"}, True)])
def test_flags(home, file, env, on):
    if file is not None:
        write(home, tlssmtpext=file)
    assert load(home, ("tlssmtpext",), env).flag("tlssmtpext") is on


def test_a_pem_file_need_only_be_there(home):
    write(home, **{"servercert.pem": ""})
    os.chmod(home.at("control", "servercert.pem"), 0)
    values = load(home, ("servercert.pem", "clientca.pem"))
    assert (values.known("servercert.pem"), values.known("clientca.pem")) == (True, False)


def test_a_folder_that_cannot_be_listed_is_read_all_the_same(tmp_path):
    assert load(Home(str(tmp_path / "nowhere")), ("databytes",)).number("databytes") == 0


@pytest.fixture
def warm(monkeypatch):
    """A process that serves many, a while after all files were written."""
    monkeypatch.setattr(TENURE, "warm", True)
    monkeypatch.setattr(kept.time, "time", lambda now=kept.time.time: now() + 2 * kept.SETTLED)


NAMES = ("me", "databytes", "rcpthosts", "smtpgreeting", "badmailfrom")


def test_a_warm_process_reads_again_only_what_has_changed(home, warm):
    write(home, me="a.example\n", databytes="1\n")
    first = load(home, NAMES)
    assert load(home, NAMES) is first
    write(home, databytes="22\n")
    assert load(home, NAMES).number("databytes") == 22
    write(home, me="b.example\n")
    assert load(home, NAMES).line("smtpgreeting") == b"b.example"
    write(home, rcpthosts="c.example\n")
    assert load(home, NAMES).names("rcpthosts") == {b"c.example"}
    os.unlink(home.at("control", "rcpthosts"))
    assert load(home, NAMES).names("rcpthosts") is None


def test_a_warm_process_watches_the_files_of_each_home(home, warm, tmp_path):
    other = Home(str(tmp_path / "other"))
    os.makedirs(other.at("control"))
    write(home, me="a.example\n")
    write(other, me="b.example\n")
    assert [load(one, NAMES).line("me") for one in (home, other)] == [b"a.example", b"b.example"]
    write(other, me="c.other.example\n")
    assert [load(one, NAMES).line("me") for one in (home, other)] == [b"a.example", b"c.other.example"]


def test_a_warm_process_sees_each_callers_variables(home, warm):
    write(home, me="a.example\n", databytes="1\n")
    found = [load(home, NAMES, env).number("databytes") for env in ({}, {"DATABYTES": "5"}, {}, {"DATABYTES": "6"}, {"OTHER": "7"})]
    assert found == [1, 5, 1, 6, 1]


def test_a_warm_process_sees_that_a_file_cannot_be_read(home, warm):
    write(home, me="a.example\n")
    load(home, NAMES)
    os.mkdir(home.at("control", "rcpthosts"))
    with pytest.raises(Unreadable):
        load(home, NAMES)
    os.rmdir(home.at("control", "rcpthosts"))
    assert load(home, NAMES).names("rcpthosts") is None
