"""One message on its way out: the relays in turn, the connection to each, and what is spoken there (qmail-remote(8))."""

from __future__ import annotations

import os

from qmailpy.exits import retire
from qmailpy.remote import report
from qmailpy.remote.connect import hops
from qmailpy.remote.courier import Courier, Outcome
from qmailpy.remote.report import Failed
from qmailpy.remote.route import QMTP, doors
from qmailpy.remote.security import Security, security
from qmailpy.smtp.client import NEVER, OFFERED, Plan
from qmailpy.text.quote import quoted
from qmailpy.unix.fds import BLOCK
from qmailpy.unix.net import TlsFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home
    from qmailpy.remote.connect import Connector, Link
    from qmailpy.remote.route import Hop, Route, Target
    from qmailpy.settings.load import Values
    from qmailpy.unix.resolver import Resolver
    from qmailpy.unix.spool import Spool
    from qmailpy.unix.tls_client import TlsClient

TLS_FIRST = "TLS is required before authentication"
NO_TLSREMOTE = "control/tlsremote is not set"


class Errand:
    """The message on descriptor 0, for recipients that one route leads to.

    sender  as it goes out
    """

    def __init__(self, home: Home, values: Values, route: Route, sender: bytes, recipients: list[bytes]) -> None:
        self.home, self.values, self.route = home, values, route
        self.sender, self.recipients = sender, recipients
        self.straight = values.flag("straightfallback")
        self.tlsremote = values.flag("tlsremote")
        self.by_preference = values.map("qmtproutes") is not None
        self.kept: Spool | None = None  # the message, where it may have to be sent again

    def run(self, connector: Connector, resolver: Resolver) -> bytes:
        """The records: those of the last relay that was asked (aio: straightfallback)."""
        records = b""
        for wanted in self.route.targets:
            try:
                link = self.reach(wanted, connector, resolver)
            except Failed as failed:
                # A relay that does not exist must not make mail bounce that another one, which is down, would have taken.
                if failed.record.startswith(b"Z") or records[:1] in (b"", b"D"):
                    records = failed.record
                continue
            outcome = self.talk(link, connector)
            records = outcome.records
            if not (self.straight and outcome.elsewhere):
                break
        return records

    def reach(self, wanted: Target, connector: Connector, resolver: Resolver) -> Link:
        """A connection to a relay, or to a mail exchanger.  Raises Failed."""
        found = hops(wanted, resolver, self.values.list("moreipme"), self.values.list("notipme"))
        return connector.connect(found, lambda hop: doors(wanted, hop, self.by_preference and not self.security(hop).required()))

    def security(self, hop: Hop, port: int = 0) -> Security:
        """How TLS is used there.  Raises Failed."""
        return security(self.home, hop.name, port, self.tlsremote)

    def talk(self, link: Link, connector: Connector) -> Outcome:
        """Send the message there."""
        if link.protocol == QMTP:
            return self.by_qmtp(link, self.security(link.hop))
        secured = self.security(link.hop, link.port)
        try:
            return self.by_smtp(link, secured)
        except TlsFailed as failed:
            trouble, no_tls = failed.text, Outcome(report.of_tls(failed.text, failed.begun, link.hop.address), elsewhere=False)
        if secured.tls != OFFERED:
            return no_tls
        try:
            link = connector.again(link)
        except OSError:
            return no_tls
        return self.by_smtp(link, Security(NEVER, "", secured.name), trouble)

    def by_qmtp(self, link: Link, secured: Security) -> Outcome:
        """By QMTP, which knows no TLS."""
        if secured.required():
            link.stream.close()
            return Outcome(report.of_tls(f"No TLS achieved while {secured.demand} exists", False, link.hop.address), elsewhere=False)
        from qmailpy.remote.qmtp import QmtpCourier

        return Outcome(QmtpCourier(link.stream, link.hop.address).run(self.sender, self.recipients), elsewhere=False)

    def by_smtp(self, link: Link, secured: Security, trouble: str = "") -> Outcome:
        """By SMTP; `trouble`: why there is no TLS.  Raises TlsFailed."""
        if self.route.login is not None:
            retire("a password")
        no_clear = ""
        if self.values.flag("secauthremote"):
            why = trouble or ("" if self.tlsremote else NO_TLSREMOTE)
            no_clear = TLS_FIRST + (why and f" ({why})")
        plan = Plan(self.values.line("helohost"), on_the_wire(self.sender), [on_the_wire(one) for one in self.recipients], tls=secured.tls,
                    demand=secured.demand, login=self.route.login, no_clear=no_clear)
        return Courier(link.stream, link.hop.address, self.message, lambda: self.tls_client(secured),
                       self.values.number("timeoutremote")).run(plan)

    def tls_client(self, secured: Security) -> TlsClient:
        """What TLS needs.  Raises TlsFailed."""
        from qmailpy.unix.tls_client import Demand, TlsClient

        demand = Demand(self.home.at(secured.demand), secured.demand) if secured.demand else None
        certificate = self.home.at("control", "clientcert.pem") if self.values.known("clientcert.pem") else ""
        return TlsClient(secured.name, demand, certificate, self.values.list("tlsclientciphers") or [])

    def message(self) -> Iterator[bytes]:
        """The blocks of the message, as they come; where it may be wanted again it is kept.  Raises OSError."""
        if self.straight and len(self.route.targets) > 1:
            from qmailpy.unix.spool import Spool

            self.kept = self.kept or Spool(0)
            yield from self.kept.blocks()
            return
        while data := os.read(0, BLOCK):
            yield data


def on_the_wire(address: bytes) -> bytes:
    """An address as it stands in MAIL and RCPT: the local part in quotes where it needs them."""
    return quoted(address) if b"@" in address else address
