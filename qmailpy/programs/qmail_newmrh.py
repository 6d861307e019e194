"""qmail-newmrh: make control/morercpthosts.cdb of control/morercpthosts.  See qmail-newmrh(8)."""

from __future__ import annotations

import os

from qmailpy.errnotext import wording
from qmailpy.exits import OK, Temporary
from qmailpy.home import here
from qmailpy.settings.kinds import rows
from qmailpy.unix.cdb import write
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    os.umask(0o033)
    try:
        data = contents(home.at("control", "morercpthosts"))
        if data is None:
            raise FileNotFoundError(2, "no such file")
    except OSError as problem:
        raise Temporary(f"unable to read control/morercpthosts: {wording(problem.errno)}") from problem
    try:
        write(home.at("control", "morercpthosts.cdb"), ((row.lower(), b"") for row in rows(data)))
    except OSError as problem:
        raise Temporary(f"unable to write control/morercpthosts.cdb: {wording(problem.errno)}") from problem
    return OK
