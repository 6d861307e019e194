"""The users and groups of a home: those that conf-users and conf-groups name, or those that an existing home belongs to."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess

from qmailpy.home import GROUP_ROLES, USER_ROLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

# What an existing queue says of its users: {role: a file that belongs to him}.
OWNED = {"alias": "alias", "qmailq": "queue/mess", "qmails": "queue/info", "qmailr": "queue/lock/tcpto"}
QMAIL_GROUP = "queue/mess"
IN_QMAIL_GROUP = ("qmailq", "qmailr", "qmails")


class Missing(Exception):
    """Users or groups that are not there."""


def names(path: str, roles: tuple[str, ...]) -> dict[str, str]:
    """{role: name} of the lines of conf-users or conf-groups."""
    with open(path, encoding="utf-8") as text:
        return dict(zip(roles, (line.strip() for line in text), strict=False))


def find(home: Home, top: str) -> None:
    """Fill in the users and groups of a home.  Raises Missing if one is not there; a single-user home needs none."""
    users, groups = names(top + "/conf-users", USER_ROLES), names(top + "/conf-groups", GROUP_ROLES)
    for role, place in OWNED.items():
        if (owner := owner_of(home.at(place))) is not None:
            users[role] = owner[0]
    if (owner := owner_of(home.at(QMAIL_GROUP))) is not None:
        groups["qmail"] = owner[1]
    gone = []
    for role, name in users.items():
        try:
            home.users[role] = (name, pwd.getpwnam(name).pw_uid)
        except KeyError:
            gone.append(name)
    for role, name in groups.items():
        try:
            home.groups[role] = (name, grp.getgrnam(name).gr_gid)
        except KeyError:
            gone.append(name)
    if gone and not home.single:
        raise Missing(f"no such user or group: {', '.join(gone)}; `make users` creates them (conf-users, conf-groups)")


def owner_of(path: str) -> tuple[str, str] | None:
    """(user, group) that a file belongs to, by name; None if it is not there, is root's or has no name."""
    try:
        found = os.stat(path)
        return (pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name) if found.st_uid else None
    except (OSError, KeyError):
        return None


def commands(home: str, top: str) -> Iterator[list[str]]:
    """The commands that create what is missing."""
    users, groups = names(top + "/conf-users", USER_ROLES), names(top + "/conf-groups", GROUP_ROLES)
    there = {entry.gr_name for entry in grp.getgrall()}
    yield from (["groupadd", "--system", name] for name in groups.values() if name not in there)
    known = {entry.pw_name for entry in pwd.getpwall()}
    for role, name in users.items():
        if name not in known:
            group = groups["qmail" if role in IN_QMAIL_GROUP else "nofiles"]
            folder = f"{home}/alias" if role == "alias" else home
            yield ["useradd", "--system", "--no-create-home", "--gid", group, "--home-dir", folder, "--shell", "/usr/sbin/nologin", name]


def create(home: str, top: str) -> int:
    """Create what is missing, telling of each; the exit status."""
    if os.geteuid():
        print("make users: only root can create users; a single-user home (SINGLE=1) needs none")
        return 111
    made = 0
    for command in commands(home, top):
        print(" ".join(command))
        subprocess.run(command, check=True)
        made += 1
    print(f"{made} created" if made else "all users and groups are there")
    return 0
