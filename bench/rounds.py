"""Rounds, medians, ratios: what makes figures of a noisy machine comparable.

Each round measures every contender of a figure once, one after the other; only figures of one run are compared.
"""

import statistics
import time


class Contender:
    """One of those that a figure compares: `run` does the work once and returns how much of it was done (messages, sessions)."""

    def __init__(self, name, run):
        self.name, self.run = name, run
        self.seconds = []  # for one piece of work, by round

    def measure(self):
        """One round."""
        begun = time.perf_counter()
        done = self.run()
        self.seconds.append((time.perf_counter() - begun) / done)

    @property
    def median(self):
        """Seconds for one piece of work."""
        return statistics.median(self.seconds)


class Figure:
    """What is measured, in words, and who takes part; the first contender is what the others are compared with."""

    def __init__(self, name, about, contenders):
        self.name, self.about, self.contenders = name, about, contenders

    def measure(self, rounds):
        """Warm up once, then all rounds."""
        for contender in self.contenders:
            contender.run()
        for _ in range(rounds):
            for contender in self.contenders:
                contender.measure()

    def rows(self):
        """(contender, median in milliseconds, lowest, highest, ratio to the first) of each."""
        base = self.contenders[0].median
        for one in self.contenders:
            yield one.name, one.median * 1000, min(one.seconds) * 1000, max(one.seconds) * 1000, one.median / base

    def table(self):
        """The figure as lines of text."""
        yield f"{self.name}: {self.about}"
        for name, median, low, high, ratio in self.rows():
            yield f"  {name:<32} {median:10.3f} ms  ({low:.3f} to {high:.3f})  x {ratio:.2f}"

    def as_json(self):
        """The figure for comparisons by program."""
        return {"figure": self.name, "about": self.about,
                "contenders": [{"name": one.name, "seconds": one.seconds, "median": one.median} for one in self.contenders]}
