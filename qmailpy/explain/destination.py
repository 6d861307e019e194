"""Where qmail-send would send a recipient: which user and .qmail file, or which host (qmail-send(8), qmail-lspawn(8), qmail-remote(8))."""

from __future__ import annotations

import os
import time

from qmailpy.errnotext import wording
from qmailpy.exits import Temporary
from qmailpy.remote.connect import hops
from qmailpy.remote.report import Failed
from qmailpy.remote.route import Hop, literal, route
from qmailpy.remote.security import security
from qmailpy.remote.sender import outgoing
from qmailpy.remote.source import Sources
from qmailpy.smtp.client import NEVER, OFFERED, ON, REQUIRED
from qmailpy.text import assign
from qmailpy.text.batv import today
from qmailpy.text.dotqmail import candidates
from qmailpy.text.route import LOCAL, Routes
from qmailpy.unix import accounts
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmailpy.explain.trace import Hit, Trace
    from qmailpy.home import Home
    from qmailpy.remote.route import Target

TLS = {NEVER: "in clear", OFFERED: "in TLS if it is offered", REQUIRED: "in TLS only", ON: "in TLS from the first byte"}


class Way:
    """One host that is asked to take the mail.

    name, address  as far as they are known without asking the DNS where that was not allowed
    port, protocol
    preference     of the mail exchanger; 0 for a relay
    source         the local address of the connection; "" the system's choice; None: the host is not contacted (bindroutes)
    tls            a few words
    """

    def __init__(self, home: Home, target: Target, hop: Hop, sources: Sources, *, tlsremote: bool) -> None:
        self.name, self.address, self.preference = os.fsdecode(hop.name), hop.address, hop.preference
        self.port, self.protocol = target.port, target.protocol
        self.source = sources.address(hop.address) if hop.address else ""
        self.tls = TLS[security(home, hop.name, target.port, tlsremote).tls] if hop.name else ""


class Destination:
    """Where one recipient goes.

    local    to a user here; else to another host
    address  as it is delivered, after virtualdomains and percenthack
    hits     the lines of control files that decided
    user     whose mail it is, and `by` which table; local only
    file     the .qmail file that is obeyed, and its `orders`; "" and none: the default delivery
    ways     the hosts that are tried, in order; remote only
    login    whether the route has a user name and a password
    sender   as it is sent; it may be signed
    trouble  why it would wait or bounce; "" if nothing speaks against it
    """

    def __init__(self, local: bool, address: bytes, hits: list[Hit]) -> None:
        self.local, self.address, self.hits = local, address, hits
        self.user = self.by = self.file = self.trouble = ""
        self.orders: list[bytes] = []
        self.ways: list[Way] = []
        self.login, self.sender = False, b""


def destination(home: Home, trace: Trace, sender: bytes, recipient: bytes, env: Mapping[str, str], *, dns: bool) -> Destination:
    """Find out, without changing anything; `dns`: mail exchangers may be asked for.  `trace` has the values of all settings."""
    trace.begin()
    routes = Routes(trace.line("envnoathost"), trace.names("locals") or frozenset(), trace.names("percenthack") or frozenset(),
                    trace.map("virtualdomains") or {})
    channel, address = routes.route(recipient)
    found = Destination(channel == LOCAL, address, trace.hits)
    if found.local:
        find_user(home, found)
    else:
        find_host(home, trace, found, sender, env, dns=dns)
    return found


def find_user(home: Home, found: Destination) -> None:
    """Whose mail it is, and what his .qmail files say."""
    local = found.address.rpartition(b"@")[0]
    if not local:
        found.trouble = "mail for nobody: it is thrown away"
        return
    try:
        fields = accounts.listed(home, local)
        account = accounts.unlisted(home, local) if fields is None else assign.account(fields)
    except Temporary as problem:
        found.trouble = f"it would wait: {problem.text}"
        return
    except accounts.HomeTrouble:
        found.trouble = "it would wait: the user's home cannot be looked at"
        return
    found.by = "the system's users" if fields is None else "users/cdb"
    if account is None:
        found.trouble = "it would wait: there is not even an alias user" if fields is None else "it would wait: users/cdb makes no sense"
        return
    found.user = os.fsdecode(account.user)
    find_orders(account, found)


def find_orders(account: assign.Account, found: Destination) -> None:
    """The .qmail file that counts for an account's address."""
    for name, _ in candidates(account.dash, account.ext):
        path = account.home + b"/" + name
        try:
            data = contents(path)
        except OSError as problem:
            found.file = os.fsdecode(path)
            found.trouble = f"it cannot be read from here: {wording(problem.errno)}"
            return
        if data is not None:
            found.file = os.fsdecode(path)
            found.orders = [line for line in data.split(b"\n") if line.strip() and not line.startswith(b"#")]
            return
    if account.dash:
        found.trouble = "it would bounce: there is no .qmail file for this extension"


def find_host(home: Home, trace: Trace, found: Destination, sender: bytes, env: Mapping[str, str], *, dns: bool) -> None:
    """Which hosts get it, from which address, with which sender, and whether in TLS."""
    values = trace.values
    try:
        chosen = route(found.address.rpartition(b"@")[2], trace.map("smtproutes") or {}, trace.map("qmtproutes") or {})
        sources = Sources(trace.map("senderip") or {}, trace.map("bindroutes") or {}, values.line("outgoingip"), sender)
        found.login = chosen.login is not None
        found.sender = outgoing(sender, found.address, values.line("signkey"), today(int(time.time())), values.names("nosignhosts") or (),
                                values.names("nosignmydoms") or ())
        for target in chosen.targets:
            for hop in known_hops(trace, target, env, dns=dns):
                found.ways.append(Way(home, target, hop, sources, tlsremote=values.flag("tlsremote")))
    except Failed as failed:
        found.trouble = failed.record[1:].rstrip(b"\0\n").decode("utf-8", "replace")


def known_hops(trace: Trace, target: Target, env: Mapping[str, str], *, dns: bool) -> list[Hop]:
    """The hosts of a target: as the DNS says if that may be asked, else by name only.  Raises Failed."""
    if not dns and literal(target.host) is None:
        return [Hop("", 0, target.host if target.relay else b"")]
    from qmailpy.unix.resolver import Resolver

    return hops(target, Resolver(env), trace.values.list("moreipme"), trace.values.list("notipme"))
