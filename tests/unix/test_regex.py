"""Lists of regular expressions: the table of the manual row by row, what is no expression, and searches without end."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qmailpy.exits import Temporary
from qmailpy.unix import regex
from qmailpy.unix.regex import Library, Pattern, Searcher
from tests.checkout import TOP

ENDLESS = rb"(a*)(a*)\1\2x"  # for 300 times "a"


def first(lines, subject):
    """The line that hits, and what was told."""
    told = []
    return Searcher(30, told.append).hit("list", [line.encode() for line in lines], subject.encode()), told


@pytest.mark.parametrize(("line", "subject", "hit"), [
    ("^mail$", "MAIL", True), ("mail", "smtp.mailhost.example", True), (r"!\.", "localhost", True), (r"!\.", "mx.example.org", False), ("!@", "postmaster", True),
    (r"@spam\.example$", "a@SPAM.example", True), (r"@spam\.example$", "a@spam.example.org", False), ("[!%#:*^(){}]", "user%host@example.org", True),
    ("@.*@", "a@b@c", True), (r"\#x", "#x@y", True), (r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$", "192.0.2.1", True), (r"!^mx[0-9]\.example\.org$", "mx3.example.org", False),
    (r"!^mx[0-9]\.example\.org$", "mx33.example.org", True), ("@example.com", "joe@example.com.au", True), ("@example.com", "joe@exampleXcom", True),
    (r"@example\.com$", "joe@example.com", True), (r"@example\.com$", "joe@exampleXcom", False), ("[[:alpha:]]+[[:digit:]]{2}", "ab12", True), (r"k[\d]@", "kd@", True),
    (r"k[\d]@", "k\\@", True), (r"k[\d]@", "k1@", False), ("^qa**@", "qaaa@", True), ("w[{]x", "w{x", True), ("(ab)(c)\\2", "abcc", True), ("!^.", "unknown", False), ("!", "x", False),
])
def test_one_line(line, subject, hit):
    assert first([line], subject) == (line.encode() if hit else None, [])


@pytest.mark.parametrize("line", ["(unclosed", "!(unclosed", "[", "a{2,1}", "\\", "[[:nosuch:]]"])
def test_a_line_that_is_no_expression_never_hits_and_is_told_once(line):
    told = []
    searcher = Searcher(30, told.append)
    for _ in range(2):
        assert searcher.hit("badheloext", [line.encode(), b"^fine$"], b"anything") is None
        assert searcher.hit("badheloext", [], b"fine") == b"^fine$"
    assert told == [b"badheloext: bad pattern: " + line.encode()]


def test_the_first_line_that_hits_decides():
    assert first(["!a", "!b"], "a")[0] == b"!b"
    assert first(["^x", "a", "^a"], "a")[0] == b"a"
    assert first([], "a")[0] is None


def test_lists_are_compiled_once_and_kept_apart():
    searcher = Searcher(30, None)
    assert searcher.hit("one", [b"a"], b"a") == b"a"
    assert searcher.hit("one", [b"something else"], b"a") == b"a"
    assert searcher.hit("two", [b"b"], b"a") is None


@pytest.mark.parametrize(("pattern", "subject", "hit"), [
    (b"^.$", b"\xff", True), (b"^..$", "é".encode(), True), ("^É$".encode(), "é".encode(), False), (b"^[[:alpha:]]$", b"\xe9", False), (b"^x$", b"x\0y", True),
])
def test_characters_are_bytes(pattern, subject, hit):
    assert bool(Searcher(30, None).hit("list", [pattern], subject)) == hit


def test_patterns_give_their_memory_back():
    library, freed = Library(), []
    library.free = freed.append
    pattern = Pattern(library, b"a")
    assert pattern.hits(b"a")
    del pattern
    assert len(freed) == 1


def test_a_host_without_room_for_a_thread(monkeypatch):
    def no_thread(function, arguments):
        raise RuntimeError("can't start new thread")

    searcher = Searcher(30, None)
    monkeypatch.setattr(regex._thread, "start_new_thread", no_thread)
    with pytest.raises(Temporary, match="unable to start a thread"):
        searcher.hit("list", [b"a"], b"a")
    monkeypatch.undo()
    assert searcher.hit("list", [b"a"], b"a") == b"a"


def test_a_search_that_fails_is_no_verdict(monkeypatch):
    searcher = Searcher(30, None)
    monkeypatch.setattr(searcher._library, "search", lambda *arguments: regex.NO_MEMORY)
    with pytest.raises(Temporary, match="the search failed: MemoryError"):
        searcher.hit("list", [b"a"], b"a")


PROBE = """
import json, os, resource, sys, time
sys.path[:0] = [sys.argv[1]]
from qmailpy.exits import Temporary
from qmailpy.unix import regex
regex.LAST = 1
searcher, said, began = regex.Searcher(0.3, None), [], time.monotonic()
for name, pattern, subject in (("slow", sys.argv[2].encode(), b"a" * 300), ("fast", b"a", b"a")):
    try:
        said.append(str(searcher.hit(name, [pattern], subject)))
    except Temporary as problem:
        said.append(problem.text)
threads = [int(name) for name in os.listdir("/proc/self/task") if int(name) != os.getpid()]
print(json.dumps([said, time.monotonic() - began, [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads], os.getpriority(os.PRIO_PROCESS, 0)]), flush=True)
time.sleep(60)
"""


def test_a_search_without_end_is_given_up_and_cannot_burn_for_ever():
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-I", "-S", "-c", PROBE, TOP, ENDLESS.decode()], capture_output=True, text=True, timeout=50)
    said, seconds, threads, mine = json.loads(done.stdout)
    assert said == ["the search takes too long", "an earlier search has not ended"]
    assert seconds < 10
    assert threads == [regex.IDLE]
    assert mine < regex.IDLE
    assert done.returncode == -9  # by the limit of processor time, long before its sleep is over
    assert time.monotonic() - began < 50


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab.@!^$[](){}*+?|\\,1", max_size=12).map(str.encode), max_size=4), st.binary(max_size=60))
def test_whatever_lines_and_subjects_there_are(lines, subject):
    told = []
    found = Searcher(30, told.append).hit("list", lines, subject)
    assert found is None or found in lines
    assert len(told) <= len(lines)


def test_a_thousand_patterns_take_no_time():
    lines = [b"dyn%d-[0-9]+\\.example\\.(com|net)$" % number for number in range(1000)]
    searcher, began = Searcher(30, None), time.monotonic()
    assert searcher.hit("list", lines, b"mx.example.org") is None
    assert searcher.hit("list", lines, b"DYN999-12.example.net") == lines[999]
    assert time.monotonic() - began < 2
