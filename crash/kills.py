"""Kill a process before each of its operations: what was accepted arrives, what was delivered does not come again, nothing is left."""

from crash.watch import kill
from crash.world import BOUNCE, MAILS, POOL, WATCHED, Unusable


class Verdict:
    """What became of the promises: what was broken, by kind.

    accepted  names of the messages that qmail-queue had said yes to
    broken    {kind: a line for each case}
    """

    def __init__(self, accepted):
        self.accepted = accepted
        self.broken = {}

    def judge(self, world, before, settled, emptied):
        """Compare with the copies that were there, and what was settled, when the daemons were started again."""
        copies, torn = world.copies()
        self.broken["lost"] = [f"{name} for {box}" for name, box in wanted(self.accepted) if not copies.get((name, box))]
        self.broken["duplicated"] = [f"{name} for {box}" for (name, box) in settled if copies.get((name, box), 0) > before.get((name, box), 0)]
        self.broken["stuck"] = [] if emptied else world.queued() or ["nothing, but the daemons do not end, or have ended"]
        self.broken["torn"] = torn
        self.broken["astray"] = [f"{name} for {box}" for name, box in copies if (name, box) not in wanted()]

    def lines(self):
        """A line for each kind that was broken."""
        return [f"    {word}: {', '.join(found)}" for word, found in self.broken.items() if found]


class Total:
    """The figures of many verdicts.

    unit   what is counted
    words  the kinds of broken promises that are looked for
    """

    def __init__(self, unit, *words):
        self.unit, self.figures = unit, {unit: 0, **dict.fromkeys(words, 0)}

    def add(self, verdict):
        """Count one; whether it breaks a promise."""
        self.figures[self.unit] += 1
        found = {word: len(verdict.broken.get(word, ())) for word in self.figures if word != self.unit}
        for word, count in found.items():
            self.figures[word] += count
        return any(found.values())


def wanted(accepted=None):
    """{(message, mailbox)} that belong together, of some messages or all."""
    pairs = {(mail.name, box) for mail in MAILS if accepted is None or mail.name in accepted for box in mail.boxes.values()}
    return {(BOUNCE, "sue") if box == BOUNCE else (name, box) for name, box in pairs}


def rehearse(world):
    """Run without an accident, in both ways; every point at which one can happen.  It must be without a flaw itself."""
    counts = count(world, None)
    counts[POOL] = count(world, POOL)[POOL]
    return [(program, number) for program in WATCHED for number in range(1, counts[program] + 1)]


def count(world, program):
    """{program: its operations} in a run in which that program takes part.  Raises Unusable."""
    world.pooled = program == POOL
    world.clear()
    world.watch.reset()
    world.start()
    codes = [world.inject(mail) for mail in MAILS]
    emptied = world.work()
    verdict = Verdict({mail.name for mail in MAILS})
    verdict.judge(world, world.copies()[0], set(), world.stop() and emptied)
    if any(codes) or verdict.lines():
        raise Unusable("\n".join([f"without any accident: exit codes {codes}", *verdict.lines(), (world.path / "log").read_text()]))
    return world.watch.counts()


def strike(world, program, number):
    """Kill one program before that operation, then start all again; a Verdict, or None if it did not come so far."""
    world.pooled = program == POOL
    world.clear()
    world.watch.reset((program, number, kill))
    world.start()
    accepted = {mail.name for mail in MAILS if world.inject(mail) == 0}
    world.work()
    ended = world.stop()
    if not world.watch.struck:
        return None
    before, settled = world.copies()[0], world.settled()
    world.watch.reset()
    world.age()
    (world.path / "ready").touch()
    world.start()
    emptied = world.work()
    verdict = Verdict(accepted)
    verdict.judge(world, before, settled, world.stop() and emptied and ended)
    return verdict


def run(world, options, say):
    """Strike at each point, or at one of `every`, or only at those of one program; the figures."""
    points = [point for point in rehearse(world) if options.only in (None, point[0])]
    total = Total("points", "lost", "duplicated", "stuck", "torn", "astray")
    for program, number in points[::options.every]:
        verdict = strike(world, program, number)
        if verdict is None:
            continue
        if total.add(verdict):
            say("\n".join([f"{program} killed before its operation {number}:", *verdict.lines(), (world.path / "log").read_text()]))
            if options.first:
                break
    return total.figures
