"""The two kinds of pools."""

import pytest

from qmailpy.home import Home
from qmailpy.pool.kind import QUEUE, SERVERS, share
from qmailpy.settings.table import SETTINGS


def test_rule_4_places():
    home = Home("/h")
    assert SERVERS.folder(home, 7) == "/h/run/servers/7"
    assert QUEUE.folder(home, 7) == "/h/run/queue"
    assert (SERVERS.mode, SERVERS.socket_mode, QUEUE.mode) == (0o700, 0o600, 0o755)


def test_rule_2_the_queue_serves_everybody():
    assert (SERVERS.everybody, QUEUE.everybody) == (False, True)


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (2, 2), (4, 3), (20, 15)])
def test_rule_6_a_user_gets_a_share(size, expected):
    assert share(size) == expected


def test_their_settings_exist():
    assert {SERVERS.setting, QUEUE.setting} <= set(SETTINGS)
