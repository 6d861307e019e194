"""The model of a disk: what a power cut may leave, by the rules of four kinds of file systems."""

import pytest

from crash import disk

FILE = [("create", "q/a", 7), ("write", 7, 0, b"one")]
SYNCED = [*FILE, ("sync", 7)]
WHOLE = [*SYNCED, ("sync folder", "q")]


def left(model, *operations):
    """The contents that a cut after these operations may leave, by name; each state as "name=content ..."."""
    found = disk.Disk()
    for operation in operations:
        found.do(*operation)
    return sorted({" ".join(f"{name}={state.contents[file].decode()}" for name, file in sorted(state.names.items())) for state in disk.MODELS[model](found)})


@pytest.mark.parametrize(("model", "operations", "states"), [
    ("sync", FILE, ["q/a=one"]),
    ("ext4", FILE, ["", "q/a=", "q/a=one"]),
    ("ext4", SYNCED, ["", "q/a=one"]),
    ("newfile", SYNCED, ["q/a=one"]),
    ("posix", SYNCED, ["", "q/a=one"]),
    *((model, WHOLE, ["q/a=one"]) for model in disk.MODELS),
    # What was written later may be there or not; half of it, if it was written in two halves.
    ("posix", [*WHOLE, ("write", 7, 1, b"N")], ["q/a=oNe", "q/a=one"]),
    ("posix", [*WHOLE, ("cut", 7, 1)], ["q/a=o", "q/a=one"]),
    # Names come in order, but for that of a new file; the rest of a sync of one folder are the names before it, in whatever folder.
    ("ext4", [*WHOLE, ("unlink", "q/a"), ("create", "q/b", 8), ("sync", 8)], ["", "q/a=one", "q/b="]),
    ("newfile", [*WHOLE, ("unlink", "q/a"), ("create", "q/b", 8), ("sync", 8)], ["q/a=one q/b=", "q/b="]),
    ("ext4", [*SYNCED, ("link", "q/a", "r/a"), ("sync folder", "r")], ["q/a=one r/a=one"]),
    ("posix", [*SYNCED, ("link", "q/a", "r/a"), ("sync folder", "r")], ["q/a=one r/a=one", "r/a=one"]),
    ("posix", [*WHOLE, ("rename", "q/a", "r/b")], ["", "q/a=one", "q/a=one r/b=one", "r/b=one"]),
    # A number that is used again is another file.
    ("posix", [*WHOLE, ("unlink", "q/a"), ("create", "q/a", 7), ("write", 7, 0, b"two"), ("sync", 7)], ["q/a=one", "q/a=two"]),
])
def test_what_a_power_cut_may_leave(model, operations, states):
    assert left(model, *operations) == states


def test_every_state_comes_once_with_all_that_was_accepted_by_then():
    found = disk.states([*WHOLE, ("accepted", "one"), ("sync folder", "q"), ("accepted", "two")])
    held = [(sorted(state.contents.values()), sorted(state.accepted)) for state, _, _ in found.values()]
    assert sorted(held) == [([], []), ([b""], []), ([b"one"], ["one", "two"])]


@pytest.mark.parametrize(("count", "sets"), [(0, 1), (2, 4), (3, 8), (4, 10), (10, 22)])
def test_of_many_things_only_the_extremes_are_tried(count, sets):
    assert len(disk.choices(range(count))) == sets


def test_a_message_can_get_the_number_of_an_earlier_one():
    operations = [("create", "queue/pid/9", 9), ("link", "queue/pid/9", "queue/mess/0/9"), ("sync folder", "queue/mess/0"), ("create", "boxes/ann/new/9", 10)]
    assert disk.renumbered(operations, "9", "5") == [("create", "queue/pid/5", 9), ("link", "queue/pid/5", "queue/mess/0/5"), *operations[2:]]
