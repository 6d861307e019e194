"""The control files that a host begins with, made from its name (config(8), config-fast(8))."""

from __future__ import annotations

from qmailpy.exits import Temporary, during
from qmailpy.unix.files import contents, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from qmailpy.home import Home


def default_domain(name: str) -> str:
    """What is added to host names without a dot: the host's name without its first part, if two others are left."""
    rest = name.partition(".")[2]
    return rest if "." in rest else name


def plus_domain(name: str) -> str:
    """What is added to host names that end in a plus sign: the last two parts of the host's name."""
    return ".".join(name.split(".")[-2:])


class Control:
    """Writes control files of a home, telling of each on standard output."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def put(self, name: str, value: str) -> None:
        """Write a file of one line."""
        print(f"Putting {value} into control/{name}...")
        self._write(name, [value])

    def add(self, name: str, values: Iterable[str]) -> None:
        """Add lines to a file, each once."""
        with during(f"unable to read control/{name}"):
            lines = (contents(self.home.at("control", name)) or b"").decode("utf-8", "surrogateescape").splitlines()
        for value in values:
            if value not in lines:
                print(f"Adding {value} to control/{name}...")
                lines.append(value)
        self._write(name, lines)

    def _write(self, name: str, lines: list[str]) -> None:
        with during(f"unable to write control/{name}"):
            replace(self.home.at("control", name), "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))

    def begin(self, name: str, local: Iterable[str]) -> None:
        """All that a host needs to take and send mail: its name, and the names under which mail is local.  Raises Temporary."""
        self.put("me", name)
        self.put("defaultdomain", default_domain(name))
        self.put("plusdomain", plus_domain(name))
        local = list(local)
        self.add("locals", local)
        self.add("rcpthosts", local)
        print("SMTP clients from elsewhere may now send to these hosts, and to no others.")
        print("A host that you add to locals or virtualdomains belongs into rcpthosts, too.")


def checked(name: str) -> str:
    """A host name in lower case.  Raises Temporary if it cannot be one."""
    name = name.strip().lower().rstrip(".")
    if not name or any(character.isspace() or character in "/@:" for character in name):
        raise Temporary(f"{name!r} is not the name of a host")
    return name
