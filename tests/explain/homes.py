"""A home of control files for questions about it."""

from qmailpy.explain.trace import Trace
from qmailpy.home import Home
from qmailpy.settings.load import load
from qmailpy.settings.table import SETTINGS

BASE = {"me": "mx.example\n", "rcpthosts": "ours.example\n.wild.example\n", "locals": "ours.example\n"}


def home_with(path, **control):
    """A home with these control files; "_" stands for a dot in a name."""
    for folder in ("control", "alias", "users"):
        (path / folder).mkdir(exist_ok=True)
    for name, text in {**BASE, **control}.items():
        (path / "control" / name.replace("_", ".")).write_text(text)
    home = Home(str(path))
    home.single = True
    return home


def trace_of(home, env=()):
    """Its settings, traced."""
    return Trace(home, load(home, SETTINGS, dict(env)))
