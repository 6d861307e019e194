"""Settings in words: what qmail-showctl(8) says of each, and the tables of the manual pages."""

from __future__ import annotations

import os
import stat

from qmailpy.settings.kinds import Bad, rows
from qmailpy.settings.advice import warnings
from qmailpy.settings.load import Unreadable, origin, read, value
from qmailpy.settings.table import ME, SETTINGS, VARIABLES
from qmailpy.text.netmask import IPV4, network
from qmailpy.unix.files import contents
from qmailpy.unix.ipme import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qmailpy.home import Home
    from qmailpy.settings.table import Setting

BY_DEFAULT = b"(Default.) "
TROUBLE = b"Oops! Trouble reading this file.\n"
SEVERAL = ("list", "names", "map")  # kinds that are shown line by line
UNSHOWN = {"pem": b"the file is there.", "secret": b"(not shown)."}
EXPOSED = b"Oops! This file holds a secret, and everybody may read it: it should have mode 0640.\n"
COMPILED = "morercpthosts.cdb"
FOLDERS = {  # in control/
    "notlshosts": b"Hosts that TLS is not used with.\n", "servercerts": b"Certificates for names that clients ask for.\n",
    "tlshosts": b"Certificates that servers must prove themselves with.\n",
}
MORE, BASE = "morercpthosts", "rcpthosts"
NO_BASE = ("No rcpthosts; doesn't matter that morercpthosts has ", ".", "No rcpthosts; morercpthosts is irrelevant.")


def unexplained(row: bytes) -> bytes:
    """Of most lines there is nothing more to say."""
    return b""


def networks(row: bytes) -> bytes:
    """What antispoofing understands of a line: each network, with its first and its last address."""
    _, colon, words = row.partition(b":")
    if not colon:
        return b"  Oops! This line has no colon, and protects nobody.\n"
    said, usable = b"", False
    for word in words.split():
        found = network(word)
        if found is None:
            said += b"  Oops! " + printable(word) + b" is no network, and is skipped.\n"
            continue
        usable = True
        first, last, mask = (written(number.to_bytes(found.bits // 8, "big")) for number in (found.number, found.last, found.mask))
        covers = f"{first}/{mask if found.bits == IPV4 else found.mask.bit_count()}, {first} to {last}"
        said += b"  " + printable(word) + f" is {covers}{'' if found.masked else '; better write the mask'}.\n".encode()
    return said if usable else said + b"  So nobody may use this sender.\n"


EXPLAINED = {"antispoofing": networks}


def printable(text: bytes) -> bytes:
    """The text with a question mark for each byte that is not printable ASCII."""
    return bytes(byte if 31 < byte < 127 else 0x3F for byte in text)


def sections(home: Home) -> Iterator[tuple[str, bytes]]:
    """(name, what it says) of each setting, in the order of the names; then of each file that is no setting.

    Raises Unreadable where control/me, or the folder, cannot be read.
    """
    me = read(SETTINGS["me"], home)
    assert me is None or isinstance(me, bytes)
    for name in sorted(SETTINGS, key=lambda name: (BASE, 1) if name == MORE else (name, 0)):
        yield name, section(SETTINGS[name], home, me)
        if name == MORE:
            yield COMPILED, compiled(home)
    try:
        found = sorted(os.listdir(home.at("control")))
    except OSError as problem:
        raise Unreadable("unable to read the control folder") from problem
    for name in found:
        if name not in SETTINGS and name != COMPILED:
            yield name, FOLDERS.get(name, b"I have no idea what this file does.\n")


def for_programs(home: Home, env: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Each setting as JSON can hold it: its name, value, where that comes from, who uses it, the words of `sections`, and what is wrong with it."""
    wrong: dict[str, list[str]] = {}
    for name, why in warnings(home):
        wrong.setdefault(name, []).append(why)
    for name, text in sections(home):
        setting = SETTINGS.get(name)
        told: dict[str, object] = {"name": name, "text": text.decode("latin-1").strip("\n"), "warnings": wrong.pop(name, [])}
        if setting is not None:
            told |= {"value": public_value(setting, home, env), "origin": origin(setting, home, env), "used_by": list(setting.used_by),
                     "variable": setting.env or None, "switched_off_by": setting.off or setting.zero or None}
        yield told
    for name, whys in wrong.items():
        yield {"name": name, "text": "", "warnings": whys}


def public_value(setting: Setting, home: Home, env: Mapping[str, str]) -> object:
    """A setting's value as JSON can hold it; None where there is none, it cannot be read, or it is a secret."""
    if setting.kind.name in UNSHOWN:
        return None
    try:
        found = value(setting, home, env)
    except Unreadable:
        return None
    if isinstance(found, bytes):
        return found.decode("latin-1")
    if isinstance(found, dict):
        return {key.decode("latin-1"): setting.kind.public(b":" + text)[1:].decode("latin-1") for key, text in found.items()}
    if isinstance(found, list | frozenset):
        return [entry.decode("latin-1") for entry in (found if isinstance(found, list) else sorted(found))]
    return found


def section(setting: Setting, home: Home, me: bytes | None) -> bytes:
    """What one setting says; `me` is what control/me says."""
    path = home.at("control", setting.name)
    try:
        data = contents(path)
        found = None if data is None else setting.kind.parse(data)
        exposed = data is not None and setting.kind.public(data) != data and os.stat(path).st_mode & stat.S_IROTH
    except OSError:
        return TROUBLE
    except Bad as problem:
        return b"Oops! %s\n" % str(problem).encode()
    return described(setting, home, me, data, found) + (EXPOSED if exposed else b"")


def described(setting: Setting, home: Home, me: bytes | None, data: bytes | None, found: object) -> bytes:
    """The same for a file that holds `data`, and so means `found`."""
    before, after, absent = (*setting.shown, "", "", "")[:3]
    if setting.kind.name == "flag":
        return (BY_DEFAULT if found is None else b"") + (before if found else after).encode() + b"\n"
    if setting.kind.name in SEVERAL:
        if setting.name == MORE and not os.path.lexists(home.at("control", BASE)):
            before, after, absent = NO_BASE
        if data is None:
            return BY_DEFAULT + absent.encode() + b"\n"
        explain = EXPLAINED.get(setting.name, unexplained)
        return b"\n" + b"".join(before.encode() + printable(setting.kind.public(row)) + after.encode() + b"\n" + explain(row) for row in rows(data))
    said = b""
    if found is None:
        if absent:
            return BY_DEFAULT + absent.encode() + b"\n"
        said, found = BY_DEFAULT, fallback(setting, me)
    elif setting.kind.name in UNSHOWN:
        found = UNSHOWN[setting.kind.name]
    text = printable(found) if isinstance(found, bytes) else str(found).encode()
    return said + before.encode() + text + after.encode() + b"\n"


def fallback(setting: Setting, me: bytes | None) -> object:
    """What counts where the file is absent."""
    if setting.default is ME:
        return setting.name.encode() if me is None else me
    return setting.kind.absent if setting.default is None else setting.default


def compiled(home: Home) -> bytes:
    """Whether morercpthosts.cdb is what qmail-newmrh would make now, by the files' dates."""
    source, result = changed(home.at("control", MORE)), changed(home.at("control", COMPILED))
    if source is None:
        return BY_DEFAULT + b"No effect.\n" if result is None else b"Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n"
    if result is None:
        return b"Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n"
    if source > result:
        return b"Oops! morercpthosts.cdb is older than morercpthosts.\n"
    return b"Modified recently enough; hopefully up to date.\n"


def changed(path: str) -> int | None:
    """When a file was last changed, in whole seconds; None if there is none."""
    try:
        return int(os.stat(path).st_mtime)
    except OSError:
        return None


def roff(text: str) -> str:
    """Text that means itself in a manual page."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def default_text(setting: Setting) -> str:
    """The default in a word, for a manual page."""
    if setting.default is ME:
        return "\\fIme\\fR"
    if setting.default is None:
        return "0" if setting.kind.name in ("number", "flag") else "(none)"
    return roff(setting.default.decode() if isinstance(setting.default, bytes) else str(setting.default))


def entries(program: str) -> list[str]:
    """The lines of a manual page that explain the settings of a program.  Raises KeyError for a program without any."""
    found = [setting for _, setting in sorted(SETTINGS.items()) if program in setting.used_by]
    if not found:
        raise KeyError(program)
    lines = []
    for setting in found:
        lines += [".TP", f".I {roff(setting.name)}", roff(setting.text)]
        if (default := default_text(setting)) != "(none)":
            lines.append(f"Default: {default}.")
        if setting.env:
            lines.append(f"If the variable \\fB{setting.env}\\fR is set, its value counts instead.")
        if setting.off:
            lines.append(f"The variable \\fB{setting.off}\\fR, if it is set, switches this off.")
        if setting.zero:
            lines.append(f"The variable \\fB{setting.zero}\\fR, if it is set to 0 or to no number, switches this off.")
    return lines


def overview() -> list[str]:
    """The lines of a manual page that name each setting, its default, and who uses it."""
    lines = [".nf", ".ta 22n 40n", "\\fBname\\fR\t\\fBdefault\\fR\t\\fBused by\\fR", ""]
    for name, setting in sorted(SETTINGS.items()):
        lines.append(f"\\fI{roff(name)}\\fR\t{default_text(setting)}\t{roff(', '.join(setting.used_by))}")
    return [*lines, ".fi"]


def variables(program: str) -> list[str]:
    """The lines of a manual page that explain the variables a program looks at, those of its settings apart.  Raises KeyError for none."""
    found = [variable for _, variable in sorted(VARIABLES.items()) if program in variable.used_by]
    if not found:
        raise KeyError(program)
    return [line for variable in found for line in (".TP", f"\\fB{variable.name}\\fR", roff(variable.text))]


def all_variables() -> list[str]:
    """The lines of a manual page that explain each such variable, and who looks at it."""
    lines = []
    for name, variable in sorted(VARIABLES.items()):
        lines += [".TP", f"\\fB{name}\\fR", roff(variable.text), f"Used by {roff(', '.join(variable.used_by))}."]
    return lines
