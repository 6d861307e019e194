"""recipientchk, and the program that RCPTCHECK names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.smtp.checks.mailbox import all_have_mailboxes, has_mailbox, keys, lacks_mailbox, passes_program
from qmailpy.smtp.facts import Facts
from qmailpy.text.received import Client
from tests.smtp.world import FakeWorld, values

ACCOUNTS = {"recipientchk": 1, "envnoathost": b"local.example", "locals": frozenset([b"local.example"]), "percenthack": frozenset([b"hack.example"]),
            "virtualdomains": {b"v.example": b"bob-v", b"ann@w.example": b"ann-w", b".par.example": b"par", b"not.par.example": b""}}
NO_MAILBOX = b"550 sorry, no mailbox here by that name. (#5.1.1)\r\n"


def facts(recipient=b"zzz@local.example", relay=None, **given):
    found = Facts(values(**given), Client(b"192.0.2.7"), relay)
    found.sender, found.recipient = b"a@b.example", recipient
    return found


def said(answer):
    return None if answer is None else answer.wire()


@pytest.mark.parametrize(("recipient", "asked"), [
    (b"bob", b"bob"), (b"BOB@local.example", b"BOB"), (b"bob-x@LOCAL.example", b"bob-x"), (b"bob%local.example@hack.example", b"bob"), (b"x@v.example", b"bob-v-x"),
    (b"ann@w.example", b"ann-w-ann"), (b"x@sub.par.example", b"par-x"), (b"a@b@local.example", b"a@b"), (b"", b""),
])
def test_local_and_virtual_addresses_need_an_account(recipient, asked):
    for relay in (None, b""):
        world = FakeWorld(accounts=[asked])
        assert has_mailbox(facts(recipient, relay, **ACCOUNTS), world) is None
        assert world.asked("account") == [asked]
        world = FakeWorld()
        assert said(has_mailbox(facts(recipient, relay, **ACCOUNTS), world)) == NO_MAILBOX
        assert world.logged == [b"realrcptto 42 192.0.2.7 " + recipient]


@pytest.mark.parametrize("recipient", [b"x@else.example", b"ben@w.example", b"x@not.par.example", b"bob%far.example@hack.example"])
def test_remote_addresses_pass(recipient):
    world = FakeWorld()
    assert has_mailbox(facts(recipient, **ACCOUNTS), world) is None
    assert world.done == []


@pytest.mark.parametrize("number", [0, 3, 11])
def test_other_numbers_check_nothing(number):
    assert has_mailbox(facts(recipientchk=number), FakeWorld()) is None


@pytest.mark.parametrize("trouble", ["unable to read cdb user database", "unable to read system user database"])
def test_trouble_with_accounts_ends_the_session(trouble):
    answer = has_mailbox(facts(**ACCOUNTS), FakeWorld(accounts=trouble))
    assert (said(answer), answer.closing) == (f"421 {trouble} (#4.3.0)\r\n".encode(), 1)


def test_the_delay_holds_a_refusal_and_nothing_else():
    world = FakeWorld(accounts=[b"bob"])
    assert has_mailbox(facts(b"bob@local.example", **ACCOUNTS, recipientchkdelay=8), world) is None
    assert world.paused == []
    assert has_mailbox(facts(**ACCOUNTS, recipientchkdelay=8), world)
    assert world.paused == [8]


@pytest.mark.parametrize(("value", "put_off"), [(None, False), ("", False), ("0", False), ("1", True), ("2", True), ("yes", True), ("00", True)])
@pytest.mark.parametrize("settings", [ACCOUNTS, {"recipientchk": 2, "recipients": [b"r.cdb"]}], ids=["accounts", "tables"])
def test_qmailrrtdenyall_puts_the_refusal_off(value, put_off, settings):
    found, world = facts(**settings, recipientchkdelay=3), FakeWorld(env={} if value is None else {"QMAILRRTDENYALL": value}, tables={b"r.cdb": []})
    assert said(has_mailbox(found, world)) == (None if put_off else NO_MAILBOX)
    assert found.missing == put_off
    assert said(all_have_mailboxes(found, world)) == (b"554 sorry, no mailbox here by that name. (#5.1.1)\r\n" if put_off else None)
    assert world.paused == [3]
    assert len(world.logged) == 1
    done = len(world.done)
    if put_off:  # nobody is asked any more
        assert has_mailbox(found, world) is None
        assert not lacks_mailbox(found, world)
        assert len(world.done) == done


ROWS = [
    ([b"bob@example.org"], b"BOB@Example.ORG", True), ([b"bob@example.org"], b"jim@example.org", False), ([b"bob@example.org"], b"bob-list@example.org", True),
    ([b"bob@example.org"], b"bobby@example.org", False), ([b"list-@example.org"], b"list-return-12-joe=x.com@example.org", True),
    ([b"list-@example.org"], b"list@example.org", False), ([b"!@open.example"], b"anything@open.example", True), ([b"!@open.example"], b"a@sub.open.example", False),
    ([b"@open.example"], b"anything@open.example", True), ([b"root@localhost"], b"root", True), ([b"root@localhost"], b"toor", False),
    ([b"a-b@x.example"], b"a-b-c@x.example", True), ([b"a-b@x.example"], b"a-c@x.example", False), ([b"x@h-i.example"], b"x@h-i.example", True),
]


@pytest.mark.parametrize(("listed", "recipient", "there"), ROWS)
def test_tables(listed, recipient, there):
    """aio: recipientchk=2, the table."""
    world = FakeWorld(tables={b"users/a.cdb": [], b"users/b.cdb": [b":" + key for key in listed]})
    answer = has_mailbox(facts(recipient, recipientchk=2, recipients=[b"users/none.cdb", b"users/a.cdb", b"users/b.cdb"]), world)
    assert said(answer) == (None if there else NO_MAILBOX)
    assert world.asked("table") == [b"users/none.cdb", b"users/a.cdb", b"users/b.cdb"]


def test_the_first_table_that_has_it_is_the_last_that_is_asked():
    world = FakeWorld(tables={b"a": [b":zzz@local.example"], b"b": "damaged"})
    assert has_mailbox(facts(recipientchk=2, recipients=[b"a", b"b"]), world) is None
    assert world.asked("table") == [b"a"]


def test_relay_clients_are_looked_up_in_no_table():
    assert has_mailbox(facts(b"x@far.example", b"", recipientchk=2, recipients=[b"a"]), FakeWorld(tables={b"a": "damaged"})) is None


@pytest.mark.parametrize("tables", [None, []])
def test_without_tables_nothing_is_checked_and_that_is_logged_once(tables):
    world, found = FakeWorld(), facts(recipientchk=2, recipients=tables)
    assert has_mailbox(found, world) is None
    assert has_mailbox(found, world) is None
    assert world.logged == [b"control/recipients names no table: recipients are not checked"]


@pytest.mark.parametrize("tables", [{}, {b"b": "unable to check recipients"}])
def test_no_table_there_or_one_that_fails_ends_the_session(tables):
    answer = has_mailbox(facts(recipientchk=2, recipients=[b"a", b"b"]), FakeWorld(tables=tables))
    assert (said(answer), answer.closing) == (b"421 unable to check recipients (#4.3.0)\r\n", 1)


@given(st.text("aA-@!", max_size=12))
def test_every_key_is_of_the_addresses_own_host(address):
    address = address.encode()
    _, at, host = address.lower().rpartition(b"@")
    found = list(keys(address))
    assert found[0] == b":" + (address.lower() if at else address.lower() + b"@localhost")
    assert all(key.startswith(b":") and key.endswith(b"@" + (host if at else b"localhost")) for key in found)


@pytest.mark.parametrize(("code", "answer"), [
    (100, b"553 sorry, no mailbox here by that name. (#5.1.1)\r\n"), (111, b"421 unable to verify recipient (#4.3.0)\r\n"),
    (120, b"421 unable to execute recipient check (#4.3.0)\r\n"), (-9, b"421 unable to execute recipient check (#4.3.0)\r\n"),
    ("unable to fork", b"421 unable to fork (#4.3.0)\r\n"), (0, None), (1, None), (99, None), (101, None), (255, None),
])
def test_the_program(code, answer):
    """aio: RCPTCHECK, the table."""
    world = FakeWorld(env={"RCPTCHECK": "/rc"}, programs={"/rc": code})
    found = passes_program(facts(b"c@x"), world)
    assert said(found) == answer
    assert world.asked("program") == [("/rc", b"a@b.example", b"c@x")]
    if found:
        assert found.closing == (None if code == 100 else 1)


@pytest.mark.parametrize(("program", "relay"), [(None, None), ("", None), ("/rc", b"")])
def test_where_no_program_is_asked(program, relay):
    assert passes_program(facts(relay=relay), FakeWorld(env={} if program is None else {"RCPTCHECK": program})) is None
