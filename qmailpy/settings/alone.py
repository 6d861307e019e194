"""One number of a control file, for programs that read no other one: the table of all settings would take a tenth of the time that a message takes."""

from __future__ import annotations

from qmailpy.exits import during
from qmailpy.settings.kinds import digits, line
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home

DAY, HOUR = 86400, 3600
DEFAULTS = {"timeoutdelivery": DAY, "timeoutqmtpd": HOUR}  # as in settings/table.py; a test holds that


def number(home: Home, name: str) -> int:
    """The value of a Number without a variable.  Raises Temporary where the file is there and cannot be read."""
    with during(f"unable to read control/{name}", "4.3.0"):
        found = digits(line(contents(home.at("control", name)) or b""))
    return DEFAULTS[name] if found is None else found
