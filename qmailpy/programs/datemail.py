"""datemail: sendmail with a Date field in local time.  See datemail(1)."""

from __future__ import annotations

from qmailpy.exits import during
from qmailpy.home import here
from qmailpy.unix.process import execute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    home = here()
    predate, sendmail = home.at("bin", "predate"), home.at("bin", "sendmail")
    with during(f"unable to run {predate}"):
        execute([predate, sendmail, *argv[1:]], env)
