"""update-tmprsadh: make the files of temporary keys that old versions of TLS used, for crontabs of old.  See update-tmprsadh(8)."""

from __future__ import annotations

import os

from qmailpy.exits import OK, during
from qmailpy.home import here
from qmailpy.unix.fds import close_quietly
from qmailpy.unix.files import remove, replace
from qmailpy.unix.process import kill, spawn, wait_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home

MODE = 0o600
PATIENCE = 600  # seconds for one of openssl's computations
# What the openssl program can still make of these, nobody uses; but somebody may look whether they are new.
WEAK = (("rsa512.pem", ("genrsa",), "512"), ("dh512.pem", ("dhparam", "-2"), "512"), ("dh1024.pem", ("dhparam", "-2"), "1024"))
# The group ffdhe2048 of RFC 7919: a known group of this length is safer than one that nobody has looked at.
DH2048 = b"""-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


def ask_openssl(words: list[str], env: MutableMapping[str, str]) -> bool:
    """Run openssl, quietly; whether it has done what it should."""
    nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    try:
        pid = spawn(["openssl", *words], env, {0: nothing, 1: nothing, 2: nothing})
    finally:
        close_quietly(nothing)
    code = wait_within(pid, PATIENCE)
    if code is None:
        kill(pid)
    return code == 0


def renew(home: Home, name: str, words: tuple[str, ...], bits: str, env: MutableMapping[str, str]) -> None:
    """Let openssl make one file anew; where it cannot, the old one stays."""
    path = home.at("control", name)
    fresh = path + ".new"
    with during(f"unable to make {path}"):
        if not ask_openssl([*words, "-out", fresh, bits], env):
            remove(fresh)
            print(f"{path}: left as it is, since openssl cannot make that.")
            return
        os.chmod(fresh, MODE)
        os.chown(fresh, *owner(home))
        os.rename(fresh, path)


def owner(home: Home) -> tuple[int, int]:
    """Who these files belong to."""
    return home.uid("qmaild"), home.gid("qmail")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o077)
    home = here()
    for name, words, bits in WEAK:
        renew(home, name, words, bits, env)
    path = home.at("control", "dh2048.pem")
    with during(f"unable to write {path}"):
        replace(path, DH2048, MODE, owner(home))
    return OK
