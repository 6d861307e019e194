"""The table of settings holds what the code asks for, and its words can be shown."""

import ast
import pathlib

import pytest

from qmailpy.settings.kinds import Kind
from qmailpy.settings.table import ME, SETTINGS, VARIABLES

TOP = pathlib.Path(__file__).resolve().parents[2]
MODULES = [path for path in sorted((TOP / "qmailpy").rglob("*.py")) if "settings.load" in path.read_text()]


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_whole(name):
    setting = SETTINGS[name]
    assert setting.name == name and name.isprintable() and "/" not in name
    assert issubclass(setting.kind, Kind)
    assert setting.used_by and all(setting.used_by)
    assert setting.text.endswith(".") and "\n" not in setting.text
    assert len(setting.shown) in (2, 3)
    if setting.kind.name in ("list", "names", "map", "pem"):
        assert len(setting.shown) == 3, "a list says what its absence means"
        assert setting.default in (None, ME)
    elif setting.kind.name == "number":
        assert setting.default is None or isinstance(setting.default, int)
    if setting.literal is not None:
        assert setting.default is ME


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_is_whole(name):
    variable = VARIABLES[name]
    assert variable.name == name and name.replace("_", "").isalnum() and name == name.upper()
    assert variable.used_by and all((TOP / "bin" / program).exists() for program in variable.used_by)
    assert variable.text.endswith(".") and "\n" not in variable.text
    assert name not in {owned for setting in SETTINGS.values() for owned in (setting.env, setting.off, setting.zero)}


def names_asked_for(path):
    """The names that a module passes to load, and those it asks the values for."""
    tree = ast.parse(path.read_text())
    constants = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}

    def strings(node):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            elif isinstance(part, ast.Name) and part.id in constants:
                yield from strings(constants[part.id])

    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("load", "load_for_server") and len(node.args) > 1:
            yield from strings(node.args[1])
        values = isinstance(node.func, ast.Attribute) and node.func.attr in ("line", "number", "list", "names", "map", "flag", "known")
        if values and ast.unparse(node.func.value).endswith("values") and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TOP)))
def test_no_module_asks_for_a_setting_that_is_not_declared(path):
    assert set(names_asked_for(path)) <= set(SETTINGS)


def test_the_search_finds_names():
    found = set(names_asked_for(TOP / "qmailpy/programs/qmail_inject.py"))
    assert found == {"defaulthost", "defaultdomain", "plusdomain", "idhost"}
