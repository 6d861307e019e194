"""What programs and mailboxes are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.local.delivery import Delivery


def delivery(**changes):
    words = {"user": b"joe", "home": b"/h", "local": b"joe-a-b", "dash": b"-", "extension": b"a-b", "host": b"x.y.z", "sender": b"s@x", "default": b"./Mailbox"}
    return Delivery(list({**words, **changes}.values()), 1000000000)


def test_the_lines():
    found = delivery(sender=b"a b@x", local=b"j\nx")
    assert found.delivered_to == b"Delivered-To: j_x@x.y.z\n"
    assert found.return_path == b'Return-Path: <"a b"@x>\n'
    assert found.from_line == b"From a-b@x Sun Sep 09 01:46:40 2001\n"


def test_the_variables():
    found = delivery().variables(b"b")
    assert (found["EXT"], found["EXT2"]) == ("a-b", "b")
    assert (found["EXT3"], found["EXT4"]) == ("", "")
    assert (found["HOST"], found["HOST2"], found["HOST3"], found["HOST4"]) == ("x.y.z", "x.y", "x", "x")
    assert (found["RECIPIENT"], found["LOCAL"], found["USER"], found["HOME"], found["DEFAULT"]) == ("joe-a-b@x.y.z", "joe-a-b", "joe", "/h", "b")
    assert (found["SENDER"], found["NEWSENDER"]) == ("s@x", "s@x")
    assert "DEFAULT" not in delivery().variables(None)


@given(st.binary(max_size=20).filter(lambda text: b"\0" not in text), st.binary(max_size=20).filter(lambda text: b"\0" not in text))
def test_no_address_makes_a_second_line(sender, local):
    found = delivery(sender=sender, local=local)
    for line in (found.delivered_to, found.return_path, found.from_line):
        assert line.count(b"\n") == 1 and line.endswith(b"\n")


@pytest.mark.parametrize(("sender", "may"), [(b"a@b", True), (b"", False), (b"#@[]", False)])
def test_bounces_have_no_owner(sender, may):
    assert delivery(sender=sender).may_have_owner == may
