"""Shared syncs."""

from qmailpy.send.syncs import Syncs


class Held:
    """In the place of both the threads and the disk: a round ends when it is told to, with the paths that failed."""

    def __init__(self):
        self.rounds, self.paths = [], []

    def do(self, work, then):
        self.paths.append(work())
        self.rounds.append(then)

    def sync(self, paths):
        return set(paths)


def test_what_comes_during_a_round_goes_with_the_next():
    held, heard = Held(), []
    syncs = Syncs(held, held)
    for number in (1, 2):
        syncs.want(["common", f"own{number}"], lambda number, good: heard.append((number, good)), number)
    syncs.flush()
    syncs.want(["common"], lambda number, good: heard.append((number, good)), 3)
    syncs.flush()
    assert held.paths == [{"common", "own1", "own2"}]
    held.rounds[0]({"own2"})
    assert heard == [(1, True), (2, False)]
    assert not syncs.idle
    syncs.flush()
    assert held.paths[1:] == [{"common"}]
    held.rounds[1](set())
    assert heard[2:] == [(3, True)]
    assert syncs.idle
    syncs.flush()
    assert len(held.paths) == 2
