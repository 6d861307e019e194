"""Whether mail for a local part is delivered to anybody: what qmail-lspawn, qmail-getpw and qmail-local would find (aio: recipientchk=1)."""

from __future__ import annotations

import errno
import os
import stat

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.text import assign
from qmailpy.text.dotqmail import candidates
from qmailpy.unix.accounts import HomeTrouble, listed, unlisted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.home import Home

NO_TABLE, NO_USERS = "unable to read cdb user database", "unable to read system user database"
ABSENT = (errno.ENOENT, errno.ENAMETOOLONG)  # no file can have such a name


def exists(home: Home, local: bytes, log: Callable[[bytes], object]) -> bool:
    """Whether anybody takes the mail.  What cannot be seen from here, such as a closed home, counts as there, and is logged.

    Raises Temporary, with the text of a reply.
    """
    if not local:
        return True  # the mail of nobody, which qmail-lspawn takes
    account = whose(home, local)
    if account is None or not account.dash:
        return True  # a plain user; or a table that qmail-lspawn cannot make sense of, so that the mail would wait
    return any(takes(account.home + b"/" + name, log) for name, _ in candidates(account.dash, account.ext))


def whose(home: Home, local: bytes) -> assign.Account | None:
    """The account that qmail-lspawn would find; None if users/cdb makes no sense.  Raises Temporary."""
    try:
        fields = listed(home, local)
    except Temporary as problem:
        raise Temporary(NO_TABLE, "4.3.0") from problem
    if fields is not None:
        return assign.account(fields)
    try:
        found = unlisted(home, local)
    except HomeTrouble as problem:
        raise Temporary(NO_USERS, "4.3.0") from problem
    if found is None:
        raise Temporary(NO_USERS, "4.3.0")  # not even alias
    return found


def takes(path: bytes, log: Callable[[bytes], object]) -> bool:
    """Whether there is such a .qmail file, or may be."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError as problem:
        if problem.errno in ABSENT:
            return False
        log(b"unable to stat %s: %s" % (path, wording(problem.errno).encode()))
        return True
