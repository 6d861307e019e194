"""What cannot work in a home's control files: warnings for people (qmail-showctl(8), qmail-explain(8))."""

from __future__ import annotations

import os
import stat

from qmailpy.settings.kinds import Bad, digits, line, numbered
from qmailpy.settings.table import SETTINGS
from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

COMPILED = ("morercpthosts.cdb",)
FOLDERS = ("tlshosts", "notlshosts", "servercerts")
# Names that older texts print for a setting, or that other qmails have for it.
MISSPELT = {"rctpdelay": "rcptdelay", "nosigndoms": "nosignhosts", "badrcptto": "badmailtoext", "badhelo": "badheloext", "badmailto": "badmailtoext",
            "badrmhost": "badrmhostext", "spfbehaviour": "", "tarpit": "tarpitcount", "helodnschk": "helodnschkext", "secauth": "secauthext",
            "tlssmtp": "tlssmtpext", "tlssmtpd": "tlssmtpext", "clientcrt.pem": "clientcert.pem", "smtpserver.pem": "servercert.pem"}
SEVERAL = 2
RELAY_AND_USER = 2  # words behind the colon of a route that lacks its password


class Control:
    """The control files of a home, as far as they can be read."""

    def __init__(self, home: Home) -> None:
        self.home = home
        try:
            self.names = sorted(os.listdir(home.at("control")))
        except OSError:
            self.names = []

    def text(self, name: str) -> bytes | None:
        """A file's content; None if it is absent or cannot be read."""
        try:
            return contents(self.home.at("control", name))
        except OSError:
            return None

    def value(self, name: str) -> object:
        """What a file says; None if it is absent, cannot be read, or says nothing."""
        data = self.text(name)
        try:
            return None if data is None else SETTINGS[name].kind.parse(data)
        except Bad:
            return None

    def rows(self, name: str) -> Iterator[tuple[int, bytes]]:
        """(number, line) of a list's lines."""
        return numbered(self.text(name) or b"")


def warnings(home: Home) -> Iterator[tuple[str, str]]:
    """(name of a control file, what is wrong with it), in the order of the names."""
    control = Control(home)
    found = [pair for look in LOOKS for pair in look(control)]
    yield from sorted(found)


def numbers(control: Control) -> Iterator[tuple[str, str]]:
    """Numbers and switches without a number in them."""
    for name, setting in SETTINGS.items():
        data = control.text(name) if setting.kind.name in ("number", "flag") and name in control.names else None
        if data is None:
            continue
        if digits(line(data)) is None:
            yield name, "there is no number in its first line: the file has no effect" + (" (1 switches it on)" if setting.kind.name == "flag" else "")


def unknown(control: Control) -> Iterator[tuple[str, str]]:
    """Files that nothing reads, and what they may have been meant to be."""
    from difflib import get_close_matches

    for name in control.names:
        if name in SETTINGS or name in COMPILED or name in FOLDERS or name.startswith("."):
            continue
        close = [MISSPELT[name]] if name in MISSPELT else get_close_matches(name, SETTINGS, 1)
        yield name, "nothing reads this file" + (f": is it meant to be {close[0]}?" if close and close[0] else "")


def secrets(control: Control) -> Iterator[tuple[str, str]]:
    """Keys and passwords that everybody can read."""
    holders = [name for name in SETTINGS if (data := control.text(name)) and SETTINGS[name].kind.public(data) != data]
    folder = control.home.at("control", "servercerts")
    if os.path.isdir(folder):
        holders += [f"servercerts/{name}" for name in sorted(os.listdir(folder)) if name.endswith(".pem")]
    for name in holders:
        try:
            mode = os.stat(control.home.at("control", name)).st_mode
        except OSError:
            continue
        if mode & stat.S_IROTH:
            yield name, "it holds a secret, and everybody can read it: mode 0640, group qmail"


def patterns(control: Control) -> Iterator[tuple[str, str]]:
    """Patterns that are none, and lists of negated ones."""
    names = [name for name, setting in SETTINGS.items() if setting.kind.__name__ == "Patterns" and name in control.names]
    if not names:
        return
    from qmailpy.unix.regex import Library, Pattern

    library = Library()
    for name in names:
        rows = list(control.rows(name))
        for number, row in rows:
            try:
                Pattern(library, row)
            except ValueError:
                yield name, f"line {number} is no regular expression, and never hits"
        if sum(row.startswith(b"!") for _, row in rows) >= SEVERAL:
            yield name, "several negated lines: what does not fit all of them is refused"


def certificates(control: Control) -> Iterator[tuple[str, str]]:
    """Switches for TLS where there can be none."""
    if "servercert.pem" not in control.names:
        for name in ("tlssmtpext", "tlssmtpint"):
            if control.value(name):
                yield name, "there is no servercert.pem: STARTTLS is not offered"
        for name in ("secauthext", "secauthint"):
            if control.value(name):
                yield name, "there is no servercert.pem, and so no TLS: nobody can authenticate"
    elif not any(control.value(name) for name in ("tlssmtpext", "tlssmtpint")):
        yield "servercert.pem", "neither tlssmtpext nor tlssmtpint is set: STARTTLS is offered to nobody"
    if "tlsclients" in control.names and "clientca.pem" not in control.names:
        yield "tlsclients", "there is no clientca.pem: nobody can relay by certificate"
    if control.value("secauthremote") and not control.value("tlsremote"):
        yield "secauthremote", "tlsremote is not set: passwords are sent to hosts in tlshosts alone"


def companions(control: Control) -> Iterator[tuple[str, str]]:
    """Settings that need another file, or another form."""
    if control.value("extraremote") and not os.access(control.home.at("bin", "qmail-remote.extra"), os.X_OK):
        yield "extraremote", "there is no program bin/qmail-remote.extra: all remote mail waits"
    if control.value("recipientchk") == 2 and not control.value("recipients"):
        yield "recipientchk", "2 needs the file recipients: nothing is checked"
    for _, row in control.rows("recipients"):
        if not os.path.exists(os.path.join(control.home.path, os.fsdecode(row))):
            yield "recipients", f"{os.fsdecode(row)} is not there, and passed over"
    address = control.value("clamd")
    if isinstance(address, bytes) and address and not address.rpartition(b":")[2].isdigit():
        yield "clamd", "there is no port in it (address:port): no message can be checked"
    for number, row in control.rows("bindroutes"):
        key = row.partition(b":")[0]
        if key and not key.endswith(b".") and key.count(b".") < 3:
            yield "bindroutes", f"line {number}: the prefix does not end with a dot, and never fits"
    for name in ("databytesmf", "databytesrcpt"):
        for number, row in control.rows(name):
            if digits(row.partition(b":")[2]) is None:
                yield name, f"line {number} has no number, and is ignored"
    for number, row in control.rows("smtproutes"):
        if len(row.partition(b":")[2].split()) == RELAY_AND_USER:
            yield "smtproutes", f"line {number} has a user name but no password: mail for it waits"


LOOKS = (numbers, unknown, secrets, patterns, certificates, companions)
