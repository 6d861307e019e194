"""A list of the home's into a cdb file of keys beside it, for programs that look things up often."""

from __future__ import annotations

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.settings.kinds import rows
from qmailpy.unix.cdb import write
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home


def compile_list(home: Home, folder: str, name: str, prefix: bytes = b"") -> None:
    """Make folder/name.cdb of the lines of folder/name: keys in lower case behind `prefix`, without values.  Raises Temporary; the old table stays then."""
    source = f"{folder}/{name}"
    try:
        data = contents(home.at(source))
        if data is None:
            raise FileNotFoundError(2, "no such file")
    except OSError as problem:
        raise Temporary(f"unable to read {source}: {wording(problem.errno)}") from problem
    try:
        write(home.at(source + ".cdb"), ((prefix + row.lower(), b"") for row in rows(data)))
    except OSError as problem:
        raise Temporary(f"unable to write {source}.cdb: {wording(problem.errno)}") from problem
