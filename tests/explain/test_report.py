"""What was found out, in words and as JSON."""

import json

from qmailpy.explain import report
from qmailpy.explain.destination import destination
from qmailpy.explain.session import Command, Step
from qmailpy.explain.trace import Hit
from qmailpy.smtp.reply import BAD_HELO
from tests.explain.homes import home_with, trace_of


def bad_helo(facts, world):
    """What a check says of itself.

    And more.
    """


def command():
    found = Command(b"RCPT TO:<a@b\xff>")
    step = Step(bad_helo)
    step.asked, step.hits, step.remarks, step.reply = ["badheloext", "databytes"], [Hit("badheloext", 3, b"!\\."), Hit("locals", 0, b"")], ["a remark"], BAD_HELO
    passed = Step(bad_helo)
    found.steps, found.seconds, found.reply, found.log = [passed, step], 5, b"553-no\r\n553 no more\r\n", [b"badhelo: <x>"]
    return found


def origin(name):
    return f"control/{name}"


def test_a_command_in_words():
    assert list(report.lines(command(), origin)) == [
        "RCPT TO:<a@b\\xff>", "    passes  bad_helo", "    REFUSES bad_helo [badheloext: control/badheloext, databytes: control/databytes]",
        "            control/badheloext:3: !\\.", "            control/locals: by its default", "            a remark", "    log: badhelo: <x>",
        "  553-no   (after 5 s)", "  553 no more"]


def test_a_command_as_json():
    found = report.command_json(command(), origin)
    assert json.loads(json.dumps(found)) == found
    assert (found["command"], found["reply"], found["seconds"], found["log"]) == ("RCPT TO:<a@b\\xff>", ["553-no", "553 no more"], 5, ["badhelo: <x>"])
    passed, refused = found["checks"]
    assert passed["refuses"] is False
    assert refused == {"name": "bad_helo", "about": "What a check says of itself.", "refuses": True, "remarks": ["a remark"],
                       "settings": {"badheloext": "control/badheloext", "databytes": "control/databytes"},
                       "lines": [{"file": "control/badheloext", "line": 3, "text": "!\\."}, {"file": "control/locals", "line": 0, "text": ""}]}


def destinations(tmp_path):
    home = home_with(tmp_path, smtproutes=":relay.example:587 joe secret\nbanned.example:[192.0.2.7]\n", bindroutes="192.0.2.7:\n")
    (tmp_path / "alias/.qmail-x").write_text("./Maildir/\n")
    trace = trace_of(home)
    return [destination(home, trace, b"s@b", recipient, {}, dns=False) for recipient in (b"x@ours.example", b"y@far.example", b"z@banned.example", b"no-such-user@ours.example")]


def test_destinations_in_words(tmp_path):
    here, far, banned, nobody = ("\n".join(report.destination_lines(found)) for found in destinations(tmp_path))
    assert here.startswith("    local: x@ours.example to alias (the system's users), ") and here.endswith("\n            control/locals:1: ours.example\n            ./Maildir/")
    assert far.split("\n") == ["    remote: y@far.example, from <s@b>, with a login", "            relay.example port 587 by SMTP, in clear",
                               "            control/smtproutes:1: :relay.example:587 (login not shown)"]
    assert "192.0.2.7 192.0.2.7 port 25 by SMTP, in clear is not contacted (bindroutes)" in banned
    assert nobody.endswith("it would bounce: there is no .qmail file for this extension")


def test_destinations_as_json(tmp_path):
    here, far, banned, _ = (report.destination_json(found) for found in destinations(tmp_path))
    assert (here["channel"], here["user"], here["orders"]) == ("local", "alias", ["./Maildir/"])
    assert (far["channel"], far["login"], far["sender"]) == ("remote", True, "s@b")
    assert far["hosts"] == [{"name": "relay.example", "address": "", "port": 587, "protocol": "SMTP", "preference": 0, "contacted": True, "local_address": "", "tls": "in clear"}]
    assert banned["hosts"][0]["contacted"] is False
    assert "secret" not in json.dumps([here, far, banned])
