"""The library of a home: lib/qmailpy/VERSION, complete and compiled, and the link `current` that says which one is in use."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
import subprocess
import sys

from qmailpy import VERSION
from qmailpy.unix.files import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.home import Home

KEPT = 2  # versions beside the current one: what still runs may import from them
LEFT_OUT = ("__pycache__", "bin", "install")
CHECK_IMPORTS = "import sys; sys.path.append(sys.argv[1]); import cdblib, dns.resolver, OpenSSL.SSL, click"


def sources(top: str) -> Iterator[tuple[str, str]]:
    """(path in the checkout, path below the version's folder) of each file of the library."""
    for place, target in ((f"{top}/qmailpy", "qmailpy"), (f"{top}/.build/site", "site")):
        for folder, inner, files in os.walk(place):
            inner[:] = sorted(name for name in inner if name not in LEFT_OUT)
            below = os.path.relpath(folder, place)
            for name in sorted(files):
                if not name.endswith(".pyc") and name != "complete":
                    yield os.path.join(folder, name), os.path.normpath(os.path.join(target, below, name))


def digest(top: str, conf: str, interpreter: str) -> str:
    """A name for this content: the same for the same files, home.conf and interpreter."""
    total = hashlib.sha256(conf.encode() + b"\0" + interpreter.encode())
    for source, target in sources(top):
        with open(source, "rb") as content:
            total.update(target.encode() + b"\0" + hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:12]


def install(home: Home, top: str, interpreter: str) -> str:
    """Make the version that this checkout is, unless it is there; its folder."""
    conf = "\n".join([*home.lines(), f"interpreter {interpreter}", ""])
    place = home.at("lib", "qmailpy", f"{VERSION}-{digest(top, conf, interpreter)}")
    if os.path.isdir(place):
        return place
    fresh = place + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in sources(top):
        os.makedirs(os.path.dirname(f"{fresh}/{target}"), exist_ok=True)
        shutil.copyfile(source, f"{fresh}/{target}")
    with open(fresh + "/home.conf", "w", encoding="utf-8") as out:
        out.write(conf)
    make_readable(fresh)
    os.rename(fresh, place)  # before it is compiled, so that compiled files name their sources where they are
    compile_all(place, interpreter)
    make_readable(place)
    return place


def compile_all(place: str, interpreter: str) -> None:
    """Compile the library for the interpreter that will run it."""
    bundle(interpreter, place)
    if os.path.realpath(sys.executable) == interpreter:
        compileall.compile_dir(place, quiet=2, force=True)
    else:
        subprocess.run([interpreter, "-I", "-m", "compileall", "-q", "-f", place], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def bundle(interpreter: str, *words: str) -> str:
    """Have the interpreter that will run the library make, or check, the file with its modules; what it says.  Raises OSError if it cannot."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([interpreter, "-m", "qmailpy.install.bundle", *words], env={"PYTHONPATH": top}, cwd="/", capture_output=True, text=True, check=False)
    if done.stderr:
        raise OSError(f"{interpreter} cannot compile the library: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def make_readable(place: str) -> None:
    """Everybody may read, nobody but the owner may write."""
    for folder, _, files in os.walk(place):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)


def switch(home: Home, place: str) -> None:
    """Have `current` be this version, in one step, and remove versions that nobody should use any more."""
    link, base = home.at("lib", "qmailpy", "current"), home.at("lib", "qmailpy")
    remove(link + ".new")
    os.symlink(os.path.basename(place), link + ".new")
    os.rename(link + ".new", link)
    versions = [name for name in os.listdir(base) if name.startswith(VERSION.split(".")[0]) and os.path.isdir(f"{base}/{name}")
                and name != os.path.basename(place)]
    versions.sort(key=lambda name: os.stat(f"{base}/{name}").st_mtime)
    for name in versions[:-KEPT]:
        shutil.rmtree(f"{base}/{name}", ignore_errors=True)


def problems(home: Home, top: str, interpreter: str) -> Iterator[str]:
    """What is wrong with the library of a home."""
    place = os.path.realpath(home.at("lib", "qmailpy", "current"))
    if not os.path.isdir(place):
        yield "lib/qmailpy/current is not there"
        return
    for source, target in sources(top):
        if not same_content(source, f"{place}/{target}"):
            yield f"{os.path.relpath(place, home.path)}/{target} differs from the checkout"
    for name in bundle(interpreter, "--check", place).split():
        yield f"lib/qmailpy/current, compiled, has another {name}"
    done = subprocess.run([interpreter, "-I", "-S", "-c", CHECK_IMPORTS, place + "/site"], env={}, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"lib/qmailpy/current/site cannot be imported: {done.stderr.strip().splitlines()[-1:]}"


def same_content(one: str, other: str) -> bool:
    """Whether two files are alike."""
    try:
        with open(one, "rb") as left, open(other, "rb") as right:
            return left.read() == right.read()
    except OSError:
        return False
