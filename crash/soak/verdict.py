"""What became of the promises: pure, of what was told, what was found, and who was killed."""

from crash.soak.letters import CONCURRENCY, ticket_of
from crash.soak.logs import unexplained

ENTRANCE = ("worker", "supervisor", "keeper", "qmail-send", "qmail-tcpserver", "tcpserver", "qmail-smtpd", "qmail-queue")  # those that a letter comes in by
# Of how many deliveries nobody knows, at most, when one of these is killed: as many as there may be at a time (CONCURRENCY).
CARRIED = {"qmail-send": sum(CONCURRENCY.values()), "qmail-lspawn": CONCURRENCY["local"], "qmail-rspawn": CONCURRENCY["remote"],
           "qmail-local": 1, "qmail-remote": 1}
REPEATS, FEW = 0.25, 2  # deliveries that were reported as done, and yet repeated: for each kill of qmail-send; and that many anyway


class History:
    """All that is known when it is over.

    sent        {ticket} of letters that were accepted
    doubtful    {ticket} of those that were sent, but not accepted
    copies      {recipient: whole copies}
    torn, astray, left, remaining, grown, silent    a line for each case
    kills       {role: how often}
    log         a logs.Log
    recipients  gives those of a ticket
    """

    def __init__(self, recipients, log):
        self.recipients, self.log = recipients, log
        self.sent, self.doubtful, self.copies, self.kills = set(), set(), {}, {}
        self.torn, self.astray, self.left, self.remaining, self.grown, self.silent = ([] for _ in range(6))


class Verdict:
    """Figures, and what is broken: {word: a line for each case}.

    duplicated  copies beyond the first
    explained   those that come from a delivery whose end nobody could tell, since somebody was killed
    repeated    those that come from a delivery that had been reported as done
    echoes      letters that arrived though the client was not told that they were accepted
    """

    def __init__(self, history):
        log, copies = history.log, history.copies
        extras = {recipient: count - 1 for recipient, count in copies.items() if count > 1}
        twice = {recipient: min(count, log.successes[recipient] - 1) for recipient, count in extras.items() if log.successes[recipient] > 1}
        covered = {recipient: min(count - twice.get(recipient, 0), log.unsure[recipient]) for recipient, count in extras.items()}
        arrived = {ticket_of(recipient) for recipient in copies}
        self.echoes = sorted(arrived & history.doubtful)
        self.duplicated, self.repeated, self.explained = (sum(found.values()) for found in (extras, twice, covered))
        self.broken = {
            "lost": sorted(recipient for ticket in history.sent for recipient in history.recipients(ticket) if not copies.get(recipient)),
            "unexplained": [f"{count} more of {recipient}" for recipient, count in extras.items() if count > covered[recipient] + twice.get(recipient, 0)],
            "explained": self.too_many("explained", self.explained, sum(most * history.kills.get(role, 0) for role, most in CARRIED.items())),
            "repeated": self.too_many("repeated", self.repeated, FEW + REPEATS * history.kills.get("qmail-send", 0)),
            "phantoms": sorted(arrived - history.sent - history.doubtful),
            "echoes": self.too_many("echoes", len(self.echoes), sum(count for role, count in history.kills.items() if role.split(" ")[0] in ENTRANCE)),
            "torn": history.torn,
            "astray": history.astray,
            "stuck": history.left,
            "remaining": history.remaining,
            "grown": history.grown,
            "silent": history.silent,
            "lines": log.unforeseen + unexplained(log.lines, history.kills),
        }

    @staticmethod
    def too_many(word, count, most):
        """What to say of a count that has a bound."""
        return [f"{count} {word}, for at most {most:g}"] if count > most else []

    def figures(self):
        """{word: count}, without those that are told otherwise."""
        return {
            "lost": len(self.broken["lost"]), "duplicated": f"{self.duplicated} (explained {self.explained}, repeated {self.repeated})",
            "unexplained": len(self.broken["unexplained"]), "echoes": len(self.echoes),
            **{word: len(self.broken[word]) for word in ("phantoms", "torn", "astray", "stuck", "remaining", "grown", "silent", "lines")},
        }

    def kept(self):
        """Whether all promises were."""
        return not any(self.broken.values())

    def lines(self, most=20):
        """A line for each that was broken, with at most so many cases."""
        return [f"    {word}: {'; '.join(found[:most])}{' ...' if found[most:] else ''}" for word, found in self.broken.items() if found]
