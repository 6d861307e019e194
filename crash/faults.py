"""Let each operation fail, the disk be full from it on, or the clock jump at it.

Mail is refused or deferred, never bounced, and all goes on when the fault ends.
"""

import errno

from crash.kills import Total, Verdict, rehearse
from crash.watch import AHEAD, FULL, PASSED, error, full, jump
from crash.world import MAILS, POOL
from qmailpy.queue.exitcodes import text_of

SWEPT = 40 * 3600  # seconds: older than any leftover becomes
JUMP = 50 * 3600  # more than that: nothing that is being written may look like a leftover, whatever the clock says
# What happens, and how far the clock is ahead before.
ACCIDENTS = {"i/o error": (error(errno.EIO), 0), "no space": (error(errno.ENOSPC), 0), "too many open files": (error(errno.EMFILE), 0), "full disk": (full, 0),
             "clock forward": (jump(JUMP), 0), "clock back": (jump(0), JUMP)}
LATER = 2000  # seconds: longer than anything in qmail-send waits after trouble with a file
EXPECTED = b"failure: Sorry,_no_mailbox_here"


def strike(world, program, number, accident, ahead):
    """Have it happen at that operation, end it, let time pass; a Verdict, or None if it did not come so far."""
    world.pooled = program == POOL
    world.clear()
    world.watch.reset((program, number, accident))
    world.watch.change(AHEAD, ahead)
    world.start()
    codes = {mail: world.inject(mail) for mail in MAILS}
    world.work()
    if not world.watch.struck:
        world.stop()
        return None
    world.rest()
    world.watch.change(FULL, 0)
    world.watch.change(PASSED, LATER)
    world.watch.plan = None
    if not world.alive() and not world.started():
        world.stop()
        world.start()  # as its supervisor does
    again = {mail: world.inject(mail) for mail, code in codes.items() if code}
    emptied = world.finish(world.under_way)
    world.watch.change(PASSED, LATER + SWEPT)
    emptied = emptied and world.finish(world.queued)
    verdict = Verdict({mail.name for mail in MAILS})
    verdict.judge(world, {}, set(), world.stop() and emptied)
    verdict.broken["wrong"] = [f"exit code {code} for {mail.name}" for mail, code in codes.items() if code and text_of(code)[:1] != "Z"]
    verdict.broken["wrong"] += [f"exit code {code} for {mail.name}, when all was well again" for mail, code in again.items() if code]
    verdict.broken["wrong"] += [line.decode() for line in (world.path / "log").read_bytes().split(b"\n") if b" failure: " in line and EXPECTED not in line]
    return verdict


def run(world, options, say):
    """Strike at each point, or at one of `every`, or only at those of one program; the figures."""
    points = [point for point in rehearse(world) if options.only in (None, point[0])]
    total = Total("faults", "lost", "stuck", "torn", "astray", "wrong")
    for program, number in points[::options.every]:
        for name, accident in ACCIDENTS.items():
            verdict = strike(world, program, number, *accident)
            if verdict is not None and total.add(verdict):
                say("\n".join([f"{name} at operation {number} of {program}:", *verdict.lines(), (world.path / "log").read_text()]))
                if options.first:
                    return total.figures
    return total.figures
