"""What the native launcher executes: `python -I -S boot.pyc PROGRAM ARGV0 [ARGUMENT...]`.

The launcher hides PATH, the locale and the dynamic linker's variables from the interpreter by a
prefix on their names; here they get their own names back.  Then PROGRAM's main runs.

An installed library has its modules, compiled, in one file beside the package, since to look for
one file a module takes half of a cold start.
"""

import gc
import os
import sys

HIDDEN = "QMAILPY_HIDDEN_"
TEMPORARY = 111
KEYWORDS = {"except": "except_"}  # programs that Python has a word for


class Bundle:
    """Finds modules in the file that install/bundle.py makes, and loads them (an importlib finder and loader).

    It keeps no descriptor open: programs close all that they do not know.
    """

    def __init__(self, path: str) -> None:
        import marshal

        self._loads = marshal.loads
        self._path = path
        tag, size = self._part(0, 24).split()
        if tag != sys.implementation.cache_tag.encode():
            raise OSError("the bundle was made for another interpreter")
        self._base = 24 + int(size)
        self._index: dict[str, tuple[int, int, str, bool]] = self._loads(self._part(24, int(size)))

    def _part(self, at: int, size: int) -> bytes:
        """Some bytes of the file."""
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(fd, size, at)
        finally:
            os.close(fd)

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """Where a module is; None if it is not one of the bundle's."""
        if name not in self._index:
            return None
        _, _, below, is_package = self._index[name]
        origin = os.path.join(os.path.dirname(self._path), below)  # below this folder, though its parts be links: home.conf stands here
        spec = type(sys.__spec__)(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(origin))
        return spec

    def create_module(self, spec: object) -> None:
        """The usual kind of module."""

    def exec_module(self, module: object) -> None:
        """Fill a module."""
        names = vars(module)
        at, size, _, _ = self._index[names["__name__"]]
        exec(self._loads(self._part(self._base + at, size)), names)


def restore(env: dict[str, str]) -> None:
    """Give hidden variables their names back, and drop LC_CTYPE, which the interpreter sets on its own."""
    env.pop("LC_CTYPE", None)
    for name in [name for name in env if name.startswith(HIDDEN)]:
        env[name[len(HIDDEN):]] = env.pop(name)


def spare_future() -> None:
    """Let `from __future__ import annotations` find its name without a search through the standard library: 2 ms of every start."""
    stand_in = type(sys)("__future__")
    stand_in.annotations = None  # type: ignore[attr-defined]  # the compiler has obeyed; nobody looks at the value
    sys.modules.setdefault("__future__", stand_in)


def start() -> None:
    """Run the program that the command line names, and exit."""
    spare_future()
    gc.disable()  # while modules are loaded there is nothing to collect
    top = os.path.dirname(os.path.abspath(__file__))
    if __file__.endswith(".py"):
        top = os.path.dirname(top)  # a checkout; an installed library has boot.pyc beside the package
    try:
        # The link to the current version, resolved once: what is imported later must be of the same one, also after an upgrade.
        top = os.path.join(os.path.dirname(top), os.readlink(top))
    except OSError:
        pass  # no link
    sys.path[:0] = [top]
    sys.path.append(top + "/site")
    try:
        sys.meta_path.insert(0, Bundle(top + "/modules"))  # type: ignore[arg-type]
    except (OSError, ValueError, EOFError):
        pass  # file by file, then
    program, argv = sys.argv[1], sys.argv[2:]
    env = dict(os.environ)
    restore(env)
    from qmailpy.exits import run
    from qmailpy.unix.process import die_of_interrupts, name_process

    name_process(program)
    die_of_interrupts()
    module = __import__("qmailpy.programs." + KEYWORDS.get(program, program.replace("-", "_")), fromlist=["main"])
    gc.enable()
    run(module.main, argv, env)


def give_up(problem: BaseException) -> None:
    """End a program that could not be loaded: for now, since what asked for it would bounce mail for an exit status of the interpreter's choice."""
    try:
        os.write(2, f"{sys.argv[1]}: fatal: unable to start: {type(problem).__name__}\n".encode("utf-8", "surrogateescape"))
    except Exception:  # noqa: BLE001 (nobody listens, or there is no memory for a word)
        pass
    os._exit(TEMPORARY)


if __name__ == "__main__":
    try:
        start()
    except Exception as problem:  # noqa: BLE001 (whatever it is, it is not the mail's fault)
        give_up(problem)
