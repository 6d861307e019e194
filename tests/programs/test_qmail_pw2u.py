"""qmail-pw2u."""

import os
import subprocess

import pytest

from qmailpy.text.assign import records
from tests.checkout import LittleHome

ALIAS = b"alias:x:7790:2108::/srv/alias:\n"
ALIAS_LINES = [b"+:alias:7790:2108:/srv/alias:-::", b"=alias:alias:7790:2108:/srv/alias:::", b"+alias-:alias:7790:2108:/srv/alias:-::"]
PASSWD = b"root:x:0:0::/root:\njoe:x:507:100::/h:\nAnn:x:508:100::/h:\nshort:x:1\n" + ALIAS


@pytest.fixture
def home(tmp_path):
    found = LittleHome(tmp_path)
    (tmp_path / "users").mkdir()
    return found


def users(home, **files):
    for name, text in files.items():
        (home.path / "users" / name).write_text(text)


def made(home, *options, passwd=PASSWD):
    """The lines that come out; all of them make sense to qmail-newu."""
    done = home.run("qmail-pw2u", *options, stdin=passwd)
    assert (done.returncode, done.stderr) == (0, b"")
    list(records(done.stdout))
    return done.stdout.split(b"\n")[:-1]


def joe(name=b"joe", breaks=b"-", dash=b"-"):
    plain = b"=%s:joe:507:100:/h:::" % name
    return [plain, b"+%s%s:joe:507:100:/h:%s::" % (name, breaks, dash)] if breaks else [plain]


def test_each_account_but_root_and_those_with_capitals(home):
    assert made(home, "-H") == [*joe(), *ALIAS_LINES, b"."]
    assert made(home, "-H", "-u")[2:4] == [b"=Ann:Ann:508:100:/h:::", b"+Ann-:Ann:508:100:/h:-::"]
    assert made(home, "-HuU") == [*joe(), *ALIAS_LINES, b"."]


@pytest.mark.parametrize(("options", "breaks", "dash"), [
    (("-c+",), b"+", b"-"), (("-c", "=x"), b"=", b"-"), (("-C",), b"", b"-"), (("-c", ""), b"", b"-"), (("-Cc_",), b"_", b"-"), (("-/",), b"-", b"-/"),
])
def test_how_extensions_are_written(home, options, breaks, dash):
    lines = made(home, "-H", *options)
    assert lines[:len(joe(breaks=breaks))] == joe(breaks=breaks, dash=dash)
    assert b"+:alias:7790:2108:/srv/alias:%s::" % dash in lines


@pytest.mark.parametrize(("files", "lines"), [
    ({"include": "# only\nALIAS \n"}, ALIAS_LINES), ({"include": "joe\nalias\n", "exclude": "Joe\n"}, ALIAS_LINES), ({"exclude": "nobody\n"}, [*joe(), *ALIAS_LINES]),
    ({"mailnames": "JOE:joseph::j.s:\nnobody:x\n"}, [*joe(b"joseph"), *joe(b"j.s"), *ALIAS_LINES]), ({"mailnames": "joe:\n"}, ALIAS_LINES),
    ({"subusers": "team:joe:tm:all\nshort:joe\n\n"}, [*joe(), *ALIAS_LINES, b"=team:joe:507:100:/h:-:tm:", b"+team-:joe:507:100:/h:-:tm-:"]),
    ({"append": "=x:joe:507:100:/h:::\n"}, [*joe(), *ALIAS_LINES, b"=x:joe:507:100:/h:::"]), ({"append": "=x:joe:507:100:/h:::"}, [*joe(), *ALIAS_LINES, b"=x:joe:507:100:/h:::"]),
])
def test_the_files_in_users(home, files, lines):
    users(home, **files)
    assert made(home, "-H") == [*lines, b"."]


def test_homes(home, tmp_path):
    (tmp_path / "mine").mkdir()
    uid = os.geteuid() or 507
    os.chown(tmp_path / "mine", uid, -1)
    passwd = b"".join(b"%s:x:%d:1::%s/%s:\n" % (user, number, os.fsencode(tmp_path), folder) for user, number, folder in (
        (b"joe", uid, b"mine"), (b"ann", uid + 1, b"mine"), (b"bob", uid, b"none"), (b"alias", uid, b"mine")))
    names = [line.split(b":")[0] for line in made(home, passwd=passwd)]
    assert names == [b"=joe", b"+joe-", b"+", b"=alias", b"+alias-", b"."]
    assert made(home, "-Ho", passwd=passwd) == made(home, passwd=passwd)
    assert b"=bob" in [line.split(b":")[0] for line in made(home, "-H", passwd=passwd)]
    done = home.run("qmail-pw2u", "-h", stdin=passwd)
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"qmail-pw2u: fatal: unable to stat %s/none\n" % os.fsencode(tmp_path))
    done = home.run("qmail-pw2u", stdin=b"joe:x:5:5::/dev/null/joe:\n" + passwd)
    assert (done.returncode, done.stderr) == (111, b"qmail-pw2u: fatal: unable to stat /dev/null/joe\n")


@pytest.mark.parametrize(("options", "passwd", "subusers", "words"), [
    (("-H",), b"", "", b"fatal: unable to find alias user"), (("-Hu",), ALIAS.replace(b"alias:", b"Alias:"), "", b"fatal: unable to find alias user"),
    (("-H",), PASSWD, "team:bob:tm:\n", b"fatal: unable to find bob user for subuser"),
])
def test_nothing_is_written_if_something_is_missing(home, options, passwd, subusers, words):
    users(home, subusers=subusers)
    done = home.run("qmail-pw2u", *options, stdin=passwd)
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"qmail-pw2u: " + words + b"\n")


@pytest.mark.parametrize("name", ["include", "exclude", "mailnames", "subusers", "append"])
def test_a_file_that_cannot_be_read(home, name):
    (home.path / "users" / name).mkdir()
    done = home.run("qmail-pw2u", "-H", stdin=PASSWD)
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", b"qmail-pw2u: fatal: unable to read controls\n")


@pytest.mark.parametrize(("options", "words"), [(("-x",), b"illegal option -- x"), (("-Hc",), b"option requires an argument -- c")])
def test_a_wrong_command_line(home, options, words):
    done = home.run("qmail-pw2u", *options, stdin=PASSWD)
    assert (done.returncode, done.stdout, done.stderr) == (100, b"", b"qmail-pw2u: " + words + b"\n")


def test_what_cannot_be_written(home):
    link = home.link("qmail-pw2u")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([link, "-H"], input=PASSWD, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (111, b"qmail-pw2u: fatal: unable to write output\n")
