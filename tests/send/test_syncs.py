"""Shared syncs, and removals before them."""

from qmailpy.send.syncs import Syncs


class Held:
    """In the place of both the threads and the disk: a round ends when it is told to; `failing` is what cannot be synced."""

    def __init__(self, failing=()):
        self.rounds, self.paths, self.failing = [], [], set(failing)

    def do(self, work, then):
        found = work()
        self.rounds.append(lambda: then(found))

    def sync(self, paths):
        self.paths.append(set(paths))
        return self.failing & set(paths)


def test_what_comes_during_a_round_goes_with_the_next():
    held, heard = Held(["own2"]), []
    syncs = Syncs(held, held)
    for number in (1, 2):
        syncs.want(["common", f"own{number}"], lambda number, good: heard.append((number, good)), number)
    syncs.flush()
    syncs.want(["common"], lambda number, good: heard.append((number, good)), 3)
    syncs.flush()
    assert held.paths == [{"common", "own1", "own2"}]
    held.rounds[0]()
    assert heard == [(1, True), (2, False)]
    assert not syncs.idle
    syncs.flush()
    assert held.paths[1:] == [{"common"}]
    held.rounds[1]()
    assert heard[2:] == [(3, True)]
    assert syncs.idle
    syncs.flush()
    assert len(held.paths) == 2


def test_what_is_to_go_has_gone_before_anything_is_synced(tmp_path):
    files = [tmp_path / name for name in ("one", "two")]
    files[0].touch()  # the other one has gone before
    held, heard = Held(), []
    held.sync = lambda paths: heard.append((sorted(paths), list(tmp_path.iterdir()))) or set()
    syncs = Syncs(held, held)
    syncs.want(["a", "b"], lambda number, good: heard.append((number, good)), 7, map(str, files))
    syncs.flush()
    held.rounds[0]()
    assert heard == [(["a", "b"], []), (7, True)]


def test_what_cannot_go_is_told_and_keeps_what_follows(tmp_path):
    first, folder, last = tmp_path / "first", tmp_path / "folder", tmp_path / "last"
    first.touch()
    folder.mkdir()  # no file
    last.touch()
    held, heard = Held(), []
    syncs = Syncs(held, held)
    syncs.want(["a"], lambda number, good: heard.append((number, good)), 7, map(str, (first, folder, last)), lambda number, path: heard.append((number, path)))
    syncs.want(["b"], lambda number, good: heard.append((number, good)), 8)
    syncs.flush()
    held.rounds[0]()
    assert held.paths == [{"b"}]
    assert heard == [(7, str(folder)), (8, True)]
    assert last.exists() and not first.exists()
