"""Where an address goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.route import LOCAL, REMOTE, Routes, domains, expand_sender

ROUTES = Routes(b"me.example", frozenset([b"me.example", b"hack.example"]), frozenset([b"hack.example", b"deep.example"]),
                {b"virtual.example": b"joe", b".wild.example": b"wild", b"bob@far.example": b"bob-here", b"not.wild.example": b"", b"me.example": b"never"})


@pytest.mark.parametrize(("recipient", "channel", "address"), [
    (b"a@me.example", LOCAL, b"a@me.example"), (b"a@ME.Example", LOCAL, b"a@ME.Example"), (b"a", LOCAL, b"a@me.example"), (b"", LOCAL, b"@me.example"),
    (b"a@far.example", REMOTE, b"a@far.example"), (b"a@virtual.example", LOCAL, b"joe-a@virtual.example"), (b"a@x.wild.example", LOCAL, b"wild-a@x.wild.example"),
    (b"a@wild.example", REMOTE, b"a@wild.example"), (b"a@not.wild.example", REMOTE, b"a@not.wild.example"), (b"BOB@far.example", LOCAL, b"bob-here-BOB@far.example"),
    (b"a%far.example@hack.example", REMOTE, b"a@far.example"), (b"a%me.example%deep.example@hack.example", LOCAL, b"a@me.example"),
    (b"a@hack.example", LOCAL, b"a@hack.example"), (b"a@b@me.example", LOCAL, b"a@b@me.example"), (b"a%b@far.example", REMOTE, b"a%b@far.example"),
])
def test_routes(recipient, channel, address):
    assert ROUTES.route(recipient) == (channel, address)


def test_a_catch_all_leaves_locals_alone():
    routes = Routes(b"me", frozenset([b"me"]), frozenset(), {b"": b"all", b"x.example": b""})
    assert routes.route(b"a@anything") == (LOCAL, b"all-a@anything")
    assert routes.route(b"a@me") == (LOCAL, b"a@me")
    assert routes.route(b"a@x.example") == (REMOTE, b"a@x.example")


@pytest.mark.parametrize(("address", "plain"), [
    (b"joe-a@virtual.example", b"a@virtual.example"), (b"wild-a@x.wild.example", b"a@x.wild.example"), (b"other-a@virtual.example", b"other-a@virtual.example"),
    (b"a@far.example", b"a@far.example"), (b"nohost", b"nohost"), (b"-a@not.wild.example", b"-a@not.wild.example"),
])
def test_bounces_name_the_address_that_was_written(address, plain):
    assert ROUTES.without_prepend(address) == plain


@given(st.sampled_from([b"virtual.example", b"x.wild.example"]), st.binary(max_size=8).filter(lambda box: b"@" not in box and b"\0" not in box))
def test_what_was_put_in_front_is_taken_off(host, box):
    channel, address = ROUTES.route(box + b"@" + host)
    assert channel == LOCAL
    assert ROUTES.without_prepend(address) == box + b"@" + host


def test_domains():
    assert list(domains(b"a.b.c")) == [b"a.b.c", b".b.c", b".c", b""]
    assert list(domains(b"")) == [b""]


@pytest.mark.parametrize(("sender", "recipient", "expanded"), [
    (b"list-owner-@h.example-@[]", b"joe@far.example", b"list-owner-joe=far.example@h.example"), (b"a@b", b"c@d", b"a@b"), (b"", b"c@d", b""),
    (b"#@[]", b"c@d", b"#@[]"), (b"x-@[]", b"c@d", b"x-@[]"), (b"l-@h-@[]", b"nohost", b"l-@h-@[]"),
])
def test_verp(sender, recipient, expanded):
    assert expand_sender(sender, recipient) == expanded
