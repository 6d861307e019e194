"""Users and groups."""

import grp
import os
import pwd

import pytest

from qmailpy.home import GROUP_ROLES, USER_ROLES, Home
from qmailpy.install import people


@pytest.fixture
def checkout(tmp_path):
    try:
        me, mine = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    except KeyError:
        pytest.skip("whoever runs this has no name")
    (tmp_path / "conf-users").write_text(f"{me}\n" * 8 + "\ncomment\n")
    (tmp_path / "conf-groups").write_text(f"{mine}\n{mine}\n")
    return tmp_path


def test_names_by_role(checkout):
    me = pwd.getpwuid(os.getuid()).pw_name
    assert people.names(str(checkout / "conf-users"), USER_ROLES) == dict.fromkeys(USER_ROLES, me)
    assert set(people.names(str(checkout / "conf-groups"), GROUP_ROLES)) == set(GROUP_ROLES)


def test_users_are_looked_up(checkout):
    home = Home(str(checkout / "home"))
    people.find(home, str(checkout))
    assert {number for _, number in home.users.values()} == {os.getuid()}
    assert {number for _, number in home.groups.values()} == {os.getgid()}


def test_missing_users_are_named_but_a_single_user_home_needs_none(checkout):
    (checkout / "conf-users").write_text("nosuchuser1\n" * 7 + "nosuchuser2\n")
    with pytest.raises(people.Missing, match="nosuchuser1.*nosuchuser2.*make users"):
        people.find(Home(str(checkout / "home")), str(checkout))
    home = Home(str(checkout / "home"))
    home.single = True
    people.find(home, str(checkout))
    assert home.users == {}


def test_commands_create_what_is_missing(checkout):
    (checkout / "conf-users").write_text("\n".join(f"nosuchuser{number}" for number in range(8)))
    (checkout / "conf-groups").write_text("nosuchgroup1\nnosuchgroup2\n")
    commands = list(people.commands("/h", str(checkout)))
    assert commands[0] == ["groupadd", "--system", "nosuchgroup1"]
    by_name = {command[-1]: command for command in commands}
    assert "/h/alias" in by_name["nosuchuser0"]
    assert "nosuchgroup1" in by_name["nosuchuser5"]  # qmailq
    assert "nosuchgroup2" in by_name["nosuchuser1"]  # qmaild


def test_nothing_to_create(checkout):
    assert list(people.commands("/h", str(checkout))) == []


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_an_existing_home_says_who_its_users_are(checkout):
    daemon = pwd.getpwnam("daemon")
    home = Home(str(checkout / "home"))
    (checkout / "home/queue/mess").mkdir(parents=True)
    os.chown(checkout / "home/queue/mess", daemon.pw_uid, daemon.pw_gid)
    people.find(home, str(checkout))
    assert home.users["qmailq"] == ("daemon", daemon.pw_uid)
