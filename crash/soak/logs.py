"""What qmail-send's log and those of the others tell: which deliveries were begun, how they ended, and which lines nobody has foreseen."""

import collections
import re

STARTING = re.compile(r"starting delivery (\d+): msg \d+ to (?:local|remote) (\S+)@")
ENDED = re.compile(r"delivery (\d+): (\w+)(?:: (.*))?")
UNSURE = re.compile(r"crashed|Possible_duplicate|produced_no_output")  # deferrals of what may have been delivered all the same
# Lines that need no reason.
PLAIN = re.compile(r"new msg |info msg |end msg |status: |starting delivery |"
                   r"delivery \d+: (success: |deferral: ($|\S+come_again|qmail-(local|remote)_crashed))")
# Lines that a kill is a reason for: how often each may come, by what was killed.  The reason may be older than the process that tells it.
REASONS = (
    (r"alert: oh no! lost spawn connection! dying\.\.\.", {"qmail-lspawn": 1, "qmail-rspawn": 1}),
    (r"alert: oh no! lost qmail-clean connection! dying\.\.\.", {"qmail-clean": 1}),
    (r"alert: cannot start: hath the daemon spawn no fire\?", {"qmail-lspawn": 1, "qmail-rspawn": 1}),
    (r"alert: cannot start: qmail-send is already running", {"qmail-send": 1}),
    (r"qmail-pool: (servers|queue): the supervisor has ended with status -9", {"supervisor of servers": 1, "supervisor of queue": 1}),
    (r"qmail-pool: (servers|queue): a supervisor did not get ready, but ended with status ", {"supervisor of servers": 1, "supervisor of queue": 1}),
    (r"qmail-pool: (servers|queue): worker \d+ ended with status -9", {"worker of servers": 1, "worker of queue": 1}),
    (r"qmail-pool: fatal: unable to begin: broken pipe", {"keeper of servers": 1, "keeper of queue": 1, "qmail-send": 2}),
    (r"warning: qmail-clean unable to clean up ", {"qmail-clean": 1}),
)


class Log:
    """What has been read so far; recipients are those of the letters.

    begun        {recipient: deliveries that were begun}
    successes    {recipient: that were reported as done}
    unsure       {recipient: of which nobody knows, since somebody was killed}
    lines        {text of REASONS: how often}
    unforeseen   lines that are none of these
    """

    def __init__(self):
        self.begun, self.successes, self.unsure, self.lines = (collections.Counter() for _ in range(4))
        self.unforeseen, self.under_way, self.last_words = [], {}, set()
        self.ended = 0

    def restart(self):
        """Another qmail-send has begun: nobody will tell it of the deliveries that were under way."""
        self.unsure.update(self.under_way.values())
        self.under_way.clear()
        self.last_words.clear()

    def read(self, line):
        """Take in one line."""
        if found := STARTING.match(line):
            self.begun[found[2]] += 1
            self.under_way[found[1]] = found[2]
        elif found := ENDED.match(line):
            recipient = self.under_way.pop(found[1], None)
            if recipient and found[2] == "success":
                self.successes[recipient] += 1
            elif recipient and UNSURE.search(found[3] or ""):
                self.unsure[recipient] += 1
        self.ended += line.startswith("end msg ")
        if not PLAIN.match(line):
            self.classify(line)

    def classify(self, line):
        """Count a line that needs a reason; what a qmail-send that is dying says again counts once."""
        if line in self.last_words:
            return
        if line.endswith("dying..."):
            self.last_words.add(line)
        for pattern, _ in REASONS:
            if re.match(pattern, line):
                self.lines[pattern] += 1
                return
        self.unforeseen.append(line)


def unexplained(lines, kills):
    """[text]: lines of REASONS that came more often than the kills explain."""
    found = []
    for pattern, reasons in REASONS:
        most = sum(kills.get(role, 0) * times for role, times in reasons.items())
        if lines.get(pattern, 0) > most:
            found.append(f"{lines[pattern]} lines like {pattern!r}, for {most}")
    return found
