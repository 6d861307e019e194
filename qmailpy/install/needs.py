"""What `make` needs: looks for it, prints the interpreter to use, and says in one line how to install what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from qmailpy.install import interpreter

DEBIAN = {"gcc": "gcc", "libc.a": "libc6-dev", "make": "make", "git": "git", "pip": "python3-pip", "python": "python3"}


def missing(python: str | None) -> list[str]:
    """The names in DEBIAN of what is not here.  `python`: the interpreter found."""
    gone = [tool for tool in ("gcc", "make", "git") if not shutil.which(tool if tool != "gcc" else compiler())]
    if python is None:
        gone.append("python")
    elif subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        gone.append("pip")
    if "gcc" not in gone and not static_libc():
        gone.append("libc.a")
    return gone


def compiler() -> str:
    """The C compiler: $CC, or gcc."""
    return (os.environ.get("CC") or "gcc").split()[0]


def static_libc() -> bool:
    """Whether a static C library is there to link with: musl's, or the system's own."""
    if shutil.which("musl-gcc"):
        return True
    told = subprocess.run([compiler(), "-print-file-name=libc.a"], capture_output=True, text=True, check=False).stdout.strip()
    return os.path.isabs(told) and os.path.exists(told)


def main() -> int:
    """Print the interpreter's path; on standard error, what is missing.  1 if that ends the work."""
    found = interpreter.choose()
    gone = missing(found)
    if gone:
        command = "apt-get install " + " ".join(sorted({DEBIAN[name] for name in gone}))
        print(f"make: missing here: {', '.join(gone)}; on Debian this installs it: {command}", file=sys.stderr)
    if gone == ["libc.a"]:
        print("make: warning: the launcher will be linked dynamically, and small softlimits will be too small for it", file=sys.stderr)
    elif gone:
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
