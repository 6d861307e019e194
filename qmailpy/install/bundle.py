"""The modules of an installed library in one file, and boot.pyc: `python3 -m qmailpy.install.bundle FOLDER` (qmailpy/boot.py).

The file is a head of 24 bytes (the interpreter's cache tag, the size of the index), the index {module: (offset, size,
source below the library's folder, whether it is a package)}, and the code of each module, all in the interpreter's own marshal format.
"""

from __future__ import annotations

import marshal
import os
import py_compile
import sys

from qmailpy.unix.files import contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

HEAD, PYC_HEAD = 24, 16
NAME, BOOT = "modules", "boot.pyc"


def modules(place: str) -> Iterator[tuple[str, str]]:
    """(name, source) of each module of the package in a folder."""
    for folder, inner, files in os.walk(f"{place}/qmailpy"):
        inner.sort()
        for file in sorted(files):
            if file.endswith(".py"):
                path = os.path.join(folder, file)
                yield os.path.relpath(path, place)[:-3].replace("/", ".").removesuffix(".__init__"), path


def code_of(source: str) -> CodeType:
    """A compiled source.  Raises SyntaxError, OSError."""
    with open(source, "rb") as text:
        code: CodeType = compile(text.read(), source, "exec", dont_inherit=True)
    return code


def bundled(place: str) -> bytes:
    """The file for the package in a folder."""
    index, codes, at = {}, [], 0
    for name, source in modules(place):
        code = marshal.dumps(code_of(source))
        index[name] = (at, len(code), os.path.relpath(source, place), source.endswith("/__init__.py"))
        codes.append(code)
        at += len(code)
    told = marshal.dumps(index)
    return f"{sys.implementation.cache_tag} {len(told)}".encode().ljust(HEAD) + told + b"".join(codes)


def make(place: str) -> None:
    """Write both files into a library's folder."""
    with open(f"{place}/{NAME}", "wb") as out:
        out.write(bundled(place))
    py_compile.compile(f"{place}/qmailpy/boot.py", f"{place}/{BOOT}", doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def differences(place: str) -> Iterator[str]:
    """The modules whose bundled code is not that of their source.  To be asked of the interpreter that made the bundle."""
    bundle, boot = contents(f"{place}/{NAME}") or b"", contents(f"{place}/{BOOT}") or b""
    size = int(bundle[:HEAD].split()[1]) if bundle else 0
    index = marshal.loads(bundle[HEAD:HEAD + size]) if bundle else {}
    for name, source in modules(place):
        at, length, _, _ = index.get(name, (0, 0, "", False))
        start = HEAD + size + at
        if not length or marshal.loads(bundle[start:start + length]) != code_of(source):
            yield name
    if not boot or marshal.loads(boot[PYC_HEAD:]) != code_of(f"{place}/qmailpy/boot.py"):
        yield BOOT


def main(words: list[str]) -> int:
    """`FOLDER`: make; `--check FOLDER`: 1, and the names, if something differs."""
    if words[:1] == ["--check"]:
        found = list(differences(words[1]))
        print(*found, sep="\n", end="\n" if found else "")
        return 1 if found else 0
    make(words[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
