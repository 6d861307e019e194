"""qmail-newu: make users/cdb of users/assign.  See qmail-newu(8), qmail-users(5)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary, complain
from qmailpy.home import here
from qmailpy.text.assign import BadLine, records
from qmailpy.unix.cdb import build
from qmailpy.unix.files import contents, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    os.umask(0o033)
    try:
        data = contents(home.at("users", "assign"))
    except OSError as problem:
        raise Temporary(f"unable to read users/assign: {wording(problem.errno)}") from problem
    if data is None:
        raise Temporary("unable to open users/assign")
    try:
        table = build(records(data))
    except BadLine as problem:
        complain("qmail-newu: fatal: bad format in users/assign")
        if os.isatty(2):
            complain(f"qmail-newu: users/assign:{problem.number}: {problem.why}")
        return 111
    try:
        replace(home.at("users", "cdb"), table)
    except OSError as problem:
        raise Temporary(f"unable to write users/cdb: {wording(problem.errno)}") from problem
    return OK
