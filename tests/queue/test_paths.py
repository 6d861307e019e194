"""The names of queue files."""

from qmailpy.queue.paths import Paths


def test_split_and_flat_folders():
    paths = Paths("/q", 23)
    assert paths.mess(46) == "/q/mess/0/46"
    assert (paths.info(47), paths.local(47), paths.remote(47)) == ("/q/info/1/47", "/q/local/1/47", "/q/remote/1/47")
    assert (paths.todo(47), paths.intd(47), paths.bounce(47)) == ("/q/todo/47", "/q/intd/47", "/q/bounce/47")
    assert (paths.pid("a"), paths.lock("trigger"), paths.split_name(47)) == ("/q/pid/a", "/q/lock/trigger", "1/47")


def test_names_in_the_log():
    paths = Paths("/var/q", 23)
    assert (paths.short(paths.mess(47)), paths.short(paths.todo(47))) == ("mess/1/47", "todo/47")


def test_a_hashed_todo():
    paths = Paths("/q", 23, big_todo=True)
    assert (paths.todo(47), paths.intd(47), paths.bounce(47)) == ("/q/todo/1/47", "/q/intd/1/47", "/q/bounce/47")


def test_names_lie_in_their_folders():
    for big in (False, True):
        paths = Paths("/q", 5, big)
        for kind in ("mess", "info", "local", "remote", "todo", "intd", "bounce"):
            assert paths.name(kind, 12) == f"{paths.folder(kind, 12)}/12" == getattr(paths, kind)(12)
