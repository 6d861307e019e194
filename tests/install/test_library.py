"""The library of a home."""

import os
import sys

import pytest

from qmailpy.home import Home
from qmailpy.install import library

INTERPRETER = os.path.realpath(sys.executable)


@pytest.fixture
def checkout(tmp_path):
    for name, text in (("qmailpy/__init__.py", ""), ("qmailpy/boot.py", "x = 1\n"), ("qmailpy/install/__init__.py", ""), (".build/site/dep.py", "y = 2\n"),
                       (".build/site/bin/tool", ""), (".build/site/complete", "")):
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "home/lib/qmailpy").mkdir(parents=True)
    return tmp_path


def install(place):
    home = Home(str(place / "home"))
    found = library.install(home, str(place / "checkout"), INTERPRETER)
    library.switch(home, found)
    return home, found


def test_a_version_is_complete_compiled_and_current(checkout):
    home, place = install(checkout)
    assert os.path.realpath(home.at("lib/qmailpy/current")) == place
    assert sorted(name for name in os.listdir(place)) == ["boot.pyc", "home.conf", "modules", "qmailpy", "site"]
    assert os.path.exists(place + "/qmailpy/__pycache__")
    assert not os.path.exists(place + "/qmailpy/install")
    assert not os.path.exists(place + "/site/bin")
    assert open(place + "/home.conf").read().startswith(f"home {home.path}\n")


def test_the_same_content_is_the_same_version_and_another_is_another(checkout):
    _, first = install(checkout)
    _, again = install(checkout)
    assert again == first
    (checkout / "checkout/qmailpy/boot.py").write_text("x = 2\n")
    home, second = install(checkout)
    assert second != first
    assert os.path.isdir(first)
    assert os.path.realpath(home.at("lib/qmailpy/current")) == second


def test_old_versions_go(checkout):
    places = []
    for number in range(5):
        (checkout / "checkout/qmailpy/boot.py").write_text(f"x = {number}\n")
        places.append(install(checkout)[1])
        os.utime(places[-1], (number, number))
    assert [os.path.isdir(place) for place in places] == [False, False, True, True, True]


def test_differences_are_told(checkout):
    home, place = install(checkout)
    os.chmod(place + "/qmailpy/boot.py", 0o644)
    with open(place + "/qmailpy/boot.py", "a") as out:
        out.write("changed = 1\n")
    told = list(library.problems(home, str(checkout / "checkout"), INTERPRETER))
    assert any("qmailpy/boot.py differs" in line for line in told)
    assert any("has another qmailpy.boot" in line for line in told)
    assert any("has another boot.pyc" in line for line in told)
    assert any("cannot be imported" in line for line in told)
