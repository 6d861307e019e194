"""The shape of the code: imports run one way, pure modules stay pure, files and functions stay small, every module has its tests."""

import ast
import pathlib

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = TOP / "qmailpy"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
NAMES = [str(path.relative_to(TOP)) for path in MODULES]

LAYERS = ("errnotext", "exits", "kept", ("home", "launchers"), "text", ("smtp", "pop3"), "unix", "settings", "queue", ("send", "spawn", "local", "remote", "serve"),
          ("explain", "bench", "pool"), "programs", "install")
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in ((names,) if isinstance(names, str) else names)}
ENTRANCES = {"boot"}  # executed, never imported by the suite

PURE = ("text/", "smtp/", "pop3/", "settings/kinds.py", "settings/table.py", "queue/paths.py", "queue/exitcodes.py", "send/schedule.py",
        "send/jobs.py", "send/bounce.py", "spawn/orders.py", "spawn/report.py", "remote/route.py", "remote/report.py", "remote/source.py", "remote/sender.py",
        "bench/measure.py", "bench/table.py", "bench/plot.py", "bench/dialogue.py")
IMPURE_IMPORTS = {"os", "io", "socket", "_socket", "select", "time", "signal", "_signal", "ssl", "random", "subprocess", "fcntl", "threading", "pathlib"}
SYSTEM_IMPORTS = {"socket", "_socket", "select", "selectors", "signal", "_signal", "ssl", "subprocess", "fcntl", "threading", "multiprocessing",
                  "asyncio", "ctypes"}
SYSTEM_CALLS = {"fork", "execv", "execve", "execvp", "execvpe", "posix_spawn", "fsync", "fdatasync", "sync", "kill", "waitpid", "wait4", "pipe", "pipe2",
                "system", "popen"}

FILE_LIMIT, FUNCTION_LIMIT = 400, 50


def layer(parts):
    """The layer of a module, given by its name's parts after the package."""
    return parts[0] if parts else ""


def imported(tree):
    """The absolute names of what a module imports, at run time or for types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_imports_run_one_way(path):
    parts = parts_of(path)
    mine = layer(parts)
    if mine in ENTRANCES or mine == "__init__":
        return
    for name in imported(ast.parse(path.read_text())):
        words = name.split(".")
        if words[0] != "qmailpy" or len(words) < 2 or words[1] not in RANK:
            continue
        theirs = words[1]
        if theirs == mine and mine != "programs":
            continue
        if mine == theirs == "programs":
            assert words[2:3] == ["__init__"], f"{path.name} imports another program: {name}"
        assert RANK[theirs] < RANK[mine], f"{path.relative_to(TOP)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_pure_modules_touch_nothing_outside(path):
    if not str(path.relative_to(PACKAGE)).startswith(PURE):
        return
    found = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))} & IMPURE_IMPORTS
    assert not found, f"{path.relative_to(TOP)} is pure, but imports {sorted(found)}"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_processes_sockets_locks_and_syncs_are_touched_in_unix_only(path):
    if layer(parts_of(path)) in ("unix", "install"):
        return
    tree = ast.parse(path.read_text())
    found = {name.split(".")[0] for name in imported(tree)} & SYSTEM_IMPORTS
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
             and node.value.id == "os" and node.attr in SYSTEM_CALLS}
    assert not found | calls, f"{path.relative_to(TOP)} uses {sorted(found | calls)}"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_files_and_functions_are_small(path):
    source = path.read_text()
    assert source.count("\n") <= FILE_LIMIT
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert code_lines(node, source) <= FUNCTION_LIMIT, f"{node.name} is too long"


def code_lines(function, source):
    """The lines of a function without blanks, comments and docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        body = body[1:]
    if not body:
        return 0
    rows = source.split("\n")[body[0].lineno - 1:body[-1].end_lineno]
    return sum(bool(row.strip()) and not row.strip().startswith("#") for row in rows)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_each_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path.relative_to(TOP)} has no docstring"


@pytest.mark.parametrize("path", [path for path in MODULES if path.name not in ("__init__.py", "__main__.py")], ids=str)
def test_each_module_has_its_own_test_file(path):
    parts = parts_of(path)
    assert (TOP / "tests").joinpath(*parts[:-1], f"test_{parts[-1]}.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_state_at_module_level(path):
    """Names at module level are constants in capitals, functions and classes."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    private = name.id.lstrip("_")
                    assert private[:1].isupper() or name.id.startswith("__"), f"{path.relative_to(TOP)}:{node.lineno}: {name.id}"
        assert not isinstance(node, ast.Global)


def test_programs_scripts_and_pages_are_the_same_set():
    programs = {path.stem.rstrip("_").replace("_", "-") for path in (PACKAGE / "programs").glob("*.py") if path.stem != "__init__"}
    scripts = {path.name for path in (TOP / "bin").iterdir()}
    pages = {path.stem for path in (TOP / "man").glob("*.[18]")}
    assert scripts == programs
    assert programs <= pages, f"no man page: {sorted(programs - pages)}"
    others = {"qmail-command"}  # a page of section 8 about an interface, not a program
    assert pages - others <= programs, f"no program: {sorted(pages - others - programs)}"


def test_the_readme_names_each_program():
    rows = [line for line in (TOP / "README.md").read_text().split("\n") if line.startswith("| ")]
    named = [name for row in rows for name in row.split("|")[1].replace(",", " ").split()]
    programs = {path.name for path in (TOP / "bin").iterdir()}
    assert programs - set(named) == set()
    assert [name for name in programs if named.count(name) > 1] == []


def test_the_project_speaks_of_itself_only():
    """No paths of somebody's machine and no unfinished business in what is published."""
    bad = ("TODO:", "TODO(", "FIXME", "XXX", "/root/", "/work/")
    for folder in ("qmailpy", "launcher", "man", "bin", "crash", "fuzz"):
        for path in (TOP / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                text = path.read_text(errors="replace")
                for word in bad:
                    assert word not in text, f"{path.relative_to(TOP)} has {word}"
