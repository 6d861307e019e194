"""Settings that note who asks."""

import pytest

from tests.explain.homes import home_with, trace_of


def test_what_was_asked_for_is_noted_in_order_and_forgotten(tmp_path):
    trace = trace_of(home_with(tmp_path, databytes="5\n", tlsremote="1\n"))
    assert (trace.number("databytes"), trace.flag("tlsremote"), trace.line("me"), trace.number("databytes")) == (5, True, b"mx.example", 5)
    assert trace.known("clamd") is False
    assert trace.list("recipients") is None and trace.map("virtualdomains") is None and trace.names("badmailfrom") is None
    assert trace.asked == ["databytes", "tlsremote", "me", "clamd", "recipients", "virtualdomains", "badmailfrom"]
    trace.begin()
    assert (trace.asked, trace.hits) == ([], [])


@pytest.mark.parametrize(("name", "found", "number", "text"), [
    (b"ours.example", True, 1, b"ours.example"), (b".wild.example", True, 2, b".wild.example"), (b"far.example", False, 0, b""), (b"upper.example", True, 4, b"Upper.Example"),
])
def test_names_that_were_found(tmp_path, name, found, number, text):
    trace = trace_of(home_with(tmp_path, rcpthosts="ours.example\n.wild.example\n# far.example\nUpper.Example\n"))
    assert (name in trace.names("rcpthosts")) == found
    assert [(hit.name, hit.number, hit.text) for hit in trace.hits] == ([("rcpthosts", number, text)] if found else [])


def test_keys_that_were_found_the_last_of_equal_ones(tmp_path):
    trace = trace_of(home_with(tmp_path, virtualdomains="a.example:x\nb:y\nA.example:z\n"))
    routes = trace.map("virtualdomains")
    assert routes.get(b"a.example") == b"z" and routes.get(b"c") is None and routes.get(b"c", b"d") == b"d"
    assert b"a.example" in routes
    assert [(hit.number, hit.text) for hit in trace.hits] == [(3, b"A.example:z")]


def test_passwords_are_not_told(tmp_path):
    trace = trace_of(home_with(tmp_path, smtproutes="a.example:relay joe secret\n"))
    assert trace.map("smtproutes").get(b"a.example") == b"relay joe secret"
    assert b"secret" not in trace.hits[0].text


def test_a_default_has_no_line(tmp_path):
    home = home_with(tmp_path)
    (tmp_path / "control/locals").unlink()
    trace = trace_of(home)
    assert b"mx.example" in trace.names("locals")
    assert [(hit.number, hit.text) for hit in trace.hits] == [(0, b"")]
