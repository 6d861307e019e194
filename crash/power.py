"""Cut the power at each moment: every state that a disk may be left in is given to the daemons, which must lose nothing of what was accepted."""

import ast
import os

from crash import disk
from crash.kills import Total, Verdict
from crash.world import MAILS, Unusable

OTHER_BOOT = "00000000-0000-0000-0000-000000000000 0\n"
RUNS = ((True, False), (False, False), (False, True))  # whether messages come in turn, and whether the queue's pool stores them, which syncs otherwise


def record(world, in_turn, pooled):
    """The operations of a run without an accident; with `in_turn` a message comes when the one before it has gone, and gets its number."""
    journal = world.path / "journal"
    world.pooled = pooled
    world.clear()
    journal.unlink(missing_ok=True)
    world.watch.reset(journal=str(journal))
    world.start()
    for mail in MAILS:
        if world.inject(mail):
            raise Unusable(f"without any accident: {mail.name} is refused")
        world.watch.note("accepted", mail.name)
        if in_turn:
            world.work()
    world.work()
    world.stop()
    world.pooled = False
    world.watch.reset()
    operations = [ast.literal_eval(line) for line in journal.read_text().splitlines()]
    # The lock folder is no message's: it is left as it is.
    operations = [operation for operation in operations if not any(str(word).startswith("queue/lock") for word in operation)]
    compare(world, operations)
    return with_one_number(operations) if in_turn else operations


def with_one_number(operations):
    """The operations of messages that came in turn, as if the file of each had got the inode number of the first."""
    links, first = [], None
    for at, operation in enumerate(list(operations)):
        if operation[0] == "link" and "/mess/" in operation[2]:
            links.append((at, os.path.basename(operation[2])))
        elif operation[0] == "accepted":
            begin, number = links[-1]
            first = first or number
            operations[begin:] = disk.renumbered(operations[begin:], number, first)
    return operations


def compare(world, operations):
    """Make sure that what was written down is what was done: the disk of the model and the real one hold the same."""
    model = disk.Disk()
    for operation in operations:
        model.do(*operation)
    real = {name: (world.path / name).read_bytes() for name in [*world.queued(), *world.files("boxes")]}
    if real != {name: model.data[file] for name, file in model.names.items()}:
        raise Unusable(f"the journal does not tell what the disk has: {sorted(set(real) ^ set(model.names))}")


def fill(world, state):
    """Put a state on the disk, in place of what is there."""
    world.clear()
    first = {}
    for name, file in state.names.items():
        path = world.path / name
        if file in first:
            os.link(first[file], path)
        else:
            path.write_bytes(state.contents[file])
            first[file] = path
    world.booted(OTHER_BOOT)  # the power was cut: the host was started again


def restart(world, state):
    """Start the daemons with that disk, twice if they leave something: some of what a power cut has left they look for only when they start.  A Verdict."""
    fill(world, state)
    world.age()
    (world.path / "ready").touch()
    world.start()
    emptied = world.work(lambda: world.files("queue/mess", "queue/todo")) and world.stop()
    if emptied and left(world):
        world.start()
        emptied = world.work(lambda: left(world)) and world.stop()
    verdict = Verdict(state.accepted)
    verdict.judge(world, {}, set(), emptied)
    return verdict


def left(world):
    """What is still in the queue, without envelopes that have no message: the qmail-queue that gets their number removes them."""
    messages = {os.path.basename(name) for name in world.files("queue/mess")}
    return [name for name in world.queued() if "/intd/" not in name or os.path.basename(name) in messages]


def run(world, options, say):
    """Go through all states, or one of `every`; the figures."""
    total = Total("states", "lost", "stuck", "torn", "astray")
    for in_turn, pooled in RUNS:
        for state, model, count in list(disk.states(record(world, in_turn, pooled)).values())[::options.every]:
            verdict = restart(world, state)
            if total.add(verdict):
                head = f"power cut behind operation {count}, disk as {model}: {' '.join(sorted(state.names))}"
                say("\n".join([head, *verdict.lines(), (world.path / "log").read_text()]))
                if options.first:
                    return total.figures
    return total.figures
