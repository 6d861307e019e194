"""The two kinds of pools."""

from __future__ import annotations

from qmailpy.text import poolwire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home

RUN = "run"
SOCKET, LOCK = "socket", "lock"


class Kind:
    """One kind.

    programs   those that it runs
    setting    the control file that says how many workers there are at most
    variables  what of a caller's environment its programs get; None: all of it.  A pool with a list serves every user
    """

    __slots__ = ("name", "programs", "setting", "variables")

    def __init__(self, name: str, programs: tuple[str, ...], setting: str, variables: tuple[str, ...] | None = None) -> None:
        self.name, self.programs, self.setting, self.variables = name, programs, setting, variables

    @property
    def everybody(self) -> bool:
        """Whether it serves every user, not only its own."""
        return self.variables is not None

    def folder(self, home: Home, uid: int) -> str:
        """Where its socket and its lock are."""
        return home.at(RUN, self.name) if self.everybody else home.at(RUN, self.name, str(uid))

    @property
    def mode(self) -> int:
        """Of that folder."""
        return 0o755 if self.everybody else 0o700

    @property
    def socket_mode(self) -> int:
        """Of the socket."""
        return 0o666 if self.everybody else 0o600


SERVERS = Kind("servers", poolwire.SERVERS, "poolservers")
QUEUE = Kind("queue", ("qmail-queue",), "poolqueue", poolwire.QUEUE_VARIABLES)
KINDS = {kind.name: kind for kind in (SERVERS, QUEUE)}


def share(size: int) -> int:
    """How many of a pool's workers may be busy for one user, where every user is served."""
    return size - size // 4
