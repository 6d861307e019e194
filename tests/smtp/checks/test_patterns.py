"""badhelo, badmailfrom, badmailto and badrmhost: the worked examples of the manual, with the C library's regular expressions."""

import pytest

from qmailpy.smtp import reply
from qmailpy.smtp.checks.rcpt import bad_recipient
from qmailpy.smtp.checks.sender import bad_helo, bad_host, bad_sender
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from qmailpy.unix.regex import Searcher
from tests.smtp.world import FakeWorld, values


class RegexWorld(FakeWorld):
    """Searches as the real one does."""

    def search(self, name, lines, subject):
        return Searcher(30, self.log).hit(name, lines, subject)


def facts(*, relay=None, host=b"client.example", helo=None, sender=b"a@b.example", recipient=b"c@ours.example", **lists):
    """A session with these lists, each one line."""
    found = Facts(values(**{name: [line] for name, line in lists.items()}), Client(b"192.0.2.7", host), relay)
    found.helo, found.sender, found.recipient = helo, sender, recipient
    return found


@pytest.mark.parametrize(("check", "given", "refused"), [
    (bad_helo, {"badheloext": rb"!\.", "helo": b"localhost"}, reply.BAD_HELO),
    (bad_helo, {"badheloext": rb"!\.", "helo": b"localhost", "relay": b""}, None),
    (bad_helo, {"badheloint": rb"!\.", "helo": b"localhost", "relay": b""}, reply.BAD_HELO),
    (bad_helo, {"badheloint": rb"!\.", "helo": b"localhost"}, None),
    (bad_helo, {"badheloext": rb"!\.", "helo": None}, None),
    (bad_helo, {"badheloext": rb"!\.", "helo": b""}, reply.BAD_HELO),
    (bad_helo, {"badheloext": rb"^\[", "helo": b"[192.0.2.1]"}, reply.BAD_HELO),
    (bad_helo, {"badheloext": b"[", "helo": b"any"}, None),
    (bad_sender, {"badmailfromext": b"!@", "sender": b"root"}, reply.BAD_SENDER),
    (bad_sender, {"badmailfromext": b"!@", "sender": b""}, None),
    (bad_sender, {"badmailfromext": b".", "sender": b"#@[]"}, reply.BAD_SENDER),
    (bad_sender, {"badmailfromint": rb"@partner\.example$", "sender": b"x@PARTNER.example", "relay": b".gw"}, reply.BAD_SENDER),
    (bad_recipient, {"badmailtoext": b"@.*@", "recipient": b"a@b@local.example"}, reply.BAD_RECIPIENT),
    (bad_recipient, {"badmailtoext": b"^abuse@", "recipient": b"abuse@local.example"}, reply.BAD_RECIPIENT),
    (bad_recipient, {"badmailtoext": b"^abuse@", "recipient": b"c@local.example"}, None),
    (bad_recipient, {"badmailtoint": b"[.]gw$", "recipient": b"c@local.example", "relay": b".gw"}, None),
    (bad_host, {"badrmhostext": b"!^.", "host": b"unknown"}, None),
    (bad_host, {"badrmhostext": rb"!mx[0-9]*\.example\.com$", "host": b"mx1.example.com"}, None),
    (bad_host, {"badrmhostint": b"(dsl|dyn|pool|ppp)", "host": b"dsl1.example"}, None),
    (bad_host, {}, None), (bad_helo, {"helo": b"x"}, None), (bad_sender, {}, None), (bad_recipient, {}, None),
])
def test_worked_examples(check, given, refused):
    assert check(facts(**given), RegexWorld()) is refused


@pytest.mark.parametrize(("host", "shown"), [(b"unknown", b"unknown"), (b"evil\r\n250 ok\x01\xff", b"evil??250 ok??")])
def test_the_host_that_is_refused_is_named_in_one_line(host, shown):
    answer = bad_host(facts(badrmhostext=b"^(unknown|evil)", host=host), RegexWorld())
    assert answer.wire() == b"553 sorry, your host (" + shown + b") has been denied (#5.7.1)\r\n"


@pytest.mark.parametrize(("check", "line"), [
    (bad_helo, b"badhelo: <he> at 192.0.2.7"), (bad_sender, b"badmailfrom: <se@x> at 192.0.2.7"), (bad_recipient, b"badmailto: <re@x> at 192.0.2.7"),
    (bad_host, b"badrmhost: <ho> at 192.0.2.7"),
])
@pytest.mark.parametrize("relay", [None, b""])
def test_what_the_log_says(check, line, relay):
    side = "int" if relay is not None else "ext"
    lists = {f"bad{name}{side}": b"^[hsr][eo]" for name in ("helo", "mailfrom", "mailto", "rmhost")}
    given = facts(**lists, relay=relay, helo=b"he", sender=b"se@x", recipient=b"re@x", host=b"ho")
    for env, end in (({}, b""), ({"LOGREGEX": ""}, b" matches pattern: ^[hsr][eo]")):
        world = FakeWorld(env=env)
        world.search = RegexWorld().search
        assert check(given, world).code == 553
        assert world.asked("log") == [line + end]


@pytest.mark.parametrize("check", [bad_helo, bad_sender, bad_recipient, bad_host])
def test_a_search_without_end_is_a_refusal_for_now(check):
    world = FakeWorld()
    lists = {f"bad{name}ext": b"endless" for name in ("helo", "mailfrom", "mailto", "rmhost")}
    assert check(facts(**lists, helo=b"x"), world) is reply.UNSEARCHED
    assert reply.UNSEARCHED.code == 451
    (line,) = world.asked("log")
    assert line.endswith(b" at 192.0.2.7: the search takes too long")
