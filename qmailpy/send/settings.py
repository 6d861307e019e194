"""The control files of qmail-send: those read once, and those read again after SIGHUP."""

from __future__ import annotations

from qmailpy.exits import Temporary
from qmailpy.send.bounce import Postmark
from qmailpy.settings.load import load
from qmailpy.text.route import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.home import Home

    Rules = frozenset[bytes] | dict[bytes, bytes] | int

ONCE = ("envnoathost", "percenthack", "queuelifetime", "concurrencylocal", "concurrencyremote", "bouncefrom", "bouncehost", "doublebounceto",
        "doublebouncehost")
AGAIN = ("locals", "virtualdomains", "bouncemaxbytes")


class Settings:
    """What qmail-send goes by.  Raises Temporary if a control file cannot be read, or there is neither locals nor me."""

    def __init__(self, home: Home) -> None:
        values = load(home, ONCE)
        self.home = home
        self.lifetime = values.number("queuelifetime")
        self.concurrency = (values.number("concurrencylocal"), values.number("concurrencyremote"))
        self.postmark = Postmark(values.line("bouncefrom"), values.line("bouncehost"),
                                 values.line("doublebounceto") + b"@" + values.line("doublebouncehost"))
        self.routes = Routes(values.line("envnoathost"), frozenset(), values.names("percenthack") or frozenset(), {})
        self.bounce_limit = 0  # bytes of a message that its bounce has; 0: all
        for name in AGAIN:
            self.reread(name)

    def read(self, name: str) -> Rules:
        """What one of the files of AGAIN says now; nothing changes yet.  Raises Temporary."""
        values = load(self.home, (name,))
        if name == "bouncemaxbytes":
            return values.number(name)
        if name == "virtualdomains":
            return values.map(name) or {}
        found = values.names(name)
        if found is None:
            raise Temporary("neither control/locals nor control/me is there")
        return found

    def adopt(self, rules: Rules) -> None:
        """Go by what `read` gave."""
        if isinstance(rules, int):
            self.bounce_limit = rules
        elif isinstance(rules, dict):
            self.routes.virtual_domains = rules
        else:
            self.routes.locals = rules

    def reread(self, name: str) -> None:
        """Read one of the files of AGAIN; the old rules stay if that cannot be.  Raises Temporary."""
        self.adopt(self.read(name))
