"""config-fast: make the control files of a host whose name is given.  See config-fast(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, Usage
from qmailpy.home import here
from qmailpy.settings.initial import Control, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    if len(argv) != 2:
        raise Usage("config-fast full.host.name")
    os.umask(0o022)
    name = checked(argv[1])
    print(f"The full name of this host is {name}.")
    Control(here()).begin(name, [name])
    return OK
