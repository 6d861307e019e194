"""What a home consists of."""

import os
import pathlib

from qmailpy.home import Home
from qmailpy.install import hier

TOP = pathlib.Path(__file__).resolve().parents[2]


def home(**facts):
    found = Home("/h")
    found.users = {role: (role, number) for number, role in enumerate(("alias", "qmaild", "qmaill", "root", "qmailp", "qmailq", "qmailr", "qmails"), 100)}
    found.groups = {"qmail": ("qmail", 200), "nofiles": ("nofiles", 201)}
    for name, value in facts.items():
        setattr(found, name, value)
    return found


def modes(entries):
    return {entry.path: (entry.role, oct(entry.mode)) for entry in entries}


def test_the_queue_as_c_has_it():
    found = modes(hier.queue(home()))
    assert found["queue"] == ("qmailq", "0o750")
    assert found["queue/mess/22"] == ("qmailq", "0o750")
    assert found["queue/info/0"] == found["queue/remote/22"] == ("qmails", "0o700")
    assert found["queue/lock/trigger"] == ("qmails", "0o622")
    assert found["queue/lock/tcpto"] == ("qmailr", "0o644")
    assert found["queue/lock/sendmutex"] == ("qmails", "0o600")
    assert found["queue/lock/boot"] == ("qmails", "0o644")  # C has none
    assert "queue/todo/0" not in found
    assert len(found) == 1 + 3 + 1 + 4 * 24 + 5


def test_a_hashed_todo_and_another_split():
    found = modes(hier.queue(home(split=5, big_todo=True)))
    assert found["queue/todo/4"] == ("qmailq", "0o750")
    assert "queue/mess/5" not in found


def test_programs_and_owners():
    entry = hier.program_entry(home(), "qmail-queue")
    assert (entry.mode, hier.owner(home(), entry)) == (0o4711, (105, 200))
    assert hier.owner(home(), hier.program_entry(home(), "qmail-smtpd")) == (0, 200)
    assert hier.program_entry(home(), "qmail-start").mode == 0o700
    single = home(single=True)
    entry = hier.program_entry(single, "qmail-queue")
    assert (entry.mode, hier.owner(single, entry)) == (0o711, (os.geteuid(), os.getegid()))


def test_what_a_queue_shows(tmp_path):
    assert hier.layout_of(str(tmp_path)) is None
    for number in range(7):
        (tmp_path / "mess" / str(number)).mkdir(parents=True)
    assert hier.layout_of(str(tmp_path)) == (7, False)
    (tmp_path / "todo/0").mkdir(parents=True)
    assert hier.layout_of(str(tmp_path)) == (7, True)


def test_boot_scripts_as_c_has_them():
    found = modes(entry for entry, _ in hier.boot())
    assert all(found[f"boot/{name}"] == ("root", "0o755") for name in (
        "home", "home+df", "proc", "proc+df", "binm1", "binm1+df", "binm2", "binm2+df", "binm3", "binm3+df"))
    assert found["boot/service/qmail-pop3d/log/run"] == found["boot/service/qmail-pop3d/log"] == ("root", "0o755")
    assert found["boot/systemd/qmail-send.service"] == ("root", "0o644")


def test_every_file_of_boot_is_installed_and_executable_if_it_is_to_run():
    sources = {source: entry for entry, source in hier.boot() if source}
    assert set(sources) == {str(path.relative_to(TOP)) for path in (TOP / "boot").rglob("*") if path.is_file()}
    for source, entry in sources.items():
        assert os.access(TOP / source, os.X_OK) == bool(entry.mode & 0o111), source


def test_folders_come_before_what_is_in_them():
    seen = {entry.path for entry in hier.folders(home())}
    for entry, _ in hier.boot():
        assert os.path.dirname(entry.path) in seen
        seen.add(entry.path)


def test_other_names_lead_to_programs():
    for name, program in hier.OTHER_NAMES.items():
        assert (TOP / "qmailpy/programs" / f"{program.replace('-', '_')}.py").exists()
        assert hier.program_entry(home(), name).mode == 0o755
