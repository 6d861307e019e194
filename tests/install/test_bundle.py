"""The modules of a library in one file."""

import os
import subprocess
import sys

import pytest

from qmailpy.install import bundle


@pytest.fixture
def place(tmp_path):
    for name, text in (("__init__.py", ""), ("boot.py", "x = 1\n"), ("a.py", "import qmailpy.inner.b\n"), ("inner/__init__.py", "y = 2\n"), ("inner/b.py", "z = __file__\n")):
        path = tmp_path / "qmailpy" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    bundle.make(str(tmp_path))
    return tmp_path


def test_modules_are_named_as_they_are_imported(place):
    assert [name for name, _ in bundle.modules(str(place))] == ["qmailpy", "qmailpy.a", "qmailpy.boot", "qmailpy.inner", "qmailpy.inner.b"]


def test_what_was_made_has_no_differences(place):
    assert list(bundle.differences(str(place))) == []
    assert bundle.main(["--check", str(place)]) == 0


def test_differences_are_named(place, capsys):
    (place / "qmailpy/inner/b.py").write_text("z = 3\n")
    (place / "qmailpy/boot.py").write_text("x = 2\n")
    (place / "qmailpy/new.py").write_text("")
    assert bundle.main(["--check", str(place)]) == 1
    assert capsys.readouterr().out.split() == ["qmailpy.boot", "qmailpy.new", "qmailpy.inner.b", "boot.pyc"]


@pytest.mark.parametrize("name", [bundle.NAME, bundle.BOOT])
def test_a_file_that_is_gone_is_a_difference(place, name):
    os.unlink(place / name)
    assert list(bundle.differences(str(place)))


def test_the_modules_come_out_of_the_bundle(place):
    """And nowhere else: their sources are gone."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for name in ("a.py", "inner/__init__.py", "inner/b.py", "__init__.py"):
        (place / "qmailpy" / name).unlink()
    code = (f"import sys; sys.path.insert(0, {top!r}); import qmailpy.boot as boot; sys.meta_path.insert(0, boot.Bundle({str(place / 'modules')!r}));"
            "del sys.modules['qmailpy']; import qmailpy.a, qmailpy.inner; print(qmailpy.inner.y, qmailpy.inner.b.z, qmailpy.inner.__path__)")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["2", str(place / "qmailpy/inner/b.py"), f"['{place / 'qmailpy/inner'}']"], done.stderr


def test_a_bundle_for_another_interpreter_is_refused(place):
    from qmailpy.boot import Bundle

    path = place / "modules"
    path.write_bytes(b"other" + path.read_bytes()[5:])
    with pytest.raises(OSError, match="another interpreter"):
        Bundle(str(path))
