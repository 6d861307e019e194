"""predate: a Date field in local time, and how the program that it runs ends."""

import datetime
import email.utils
import os
import struct
import time

import pytest

from qmailpy.programs.predate import offset_at
from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    return LittleHome(tmp_path)


@pytest.mark.parametrize(("zone", "written"), [("UTC0", b" +0000"), ("IST-5:30", b" +0530"), ("NST3:30", b" -0330"), ("LINT-14", b" +1400"), ("LMT0:00:31", b" -0001")])
def test_the_date_is_local(home, zone, written):
    before = int(time.time())
    done = home.run("predate", "cat", stdin=b"Subject: x\n\nbody", TZ=zone)
    after = time.time()
    assert (done.returncode, done.stderr) == (0, b"")
    date, _, rest = done.stdout.partition(b"\n")
    assert rest == b"Subject: x\n\nbody"
    assert date.startswith(b"Date: ") and date.endswith(written)
    if zone != "LMT0:00:31":  # a field cannot tell seconds
        said = email.utils.parsedate_to_datetime(date[6:].decode())
        assert before <= said.timestamp() <= after
        assert date[6:].decode() == f"{said.day} {said:%b} {said.year} {said:%H:%M:%S} {said:%z}"


@pytest.fixture
def zone():
    """The process has the machine's zone, and afterwards its own again."""
    before = {name: os.environ.pop(name) for name in ("TZ", "TZDIR") if name in os.environ}
    time.tzset()
    yield
    for name in ("TZ", "TZDIR"):
        os.environ.pop(name, None)
    os.environ.update(before)
    time.tzset()


SUMMER = int(datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC).timestamp())


def test_each_call_has_the_zone_that_its_environment_names(zone, tmp_path):
    machine = time.localtime(SUMMER).tm_gmtoff
    assert offset_at(SUMMER, {"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}) == 7200
    assert offset_at(0, {"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}) == 3600
    (tmp_path / "Here").write_bytes(b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB", 1234, 0, 0) + b"HRE\0")
    assert offset_at(SUMMER, {"TZ": "Here", "TZDIR": str(tmp_path)}) == 1234
    assert offset_at(SUMMER, {}) == machine


@pytest.mark.parametrize("status", [0, 1, 99, 100, 111])
def test_the_programs_exit_code_is_ours(home, status):
    assert home.run("predate", "sh", "-c", f"exit {status}", stdin=b"x" * 300000).returncode == status


def test_a_program_that_crashes_or_is_not_there(home):
    done = home.run("predate", "sh", "-c", "kill -9 $$")
    assert (done.returncode, done.stderr) == (111, b"predate: fatal: child crashed\n")
    done = home.run("predate", "/no/such/program")
    assert (done.returncode, done.stderr) == (111, b"predate: fatal: unable to run /no/such/program: file does not exist\n")


def test_usage(home):
    done = home.run("predate")
    assert (done.returncode, done.stderr) == (100, b"predate: usage: predate child\n")
