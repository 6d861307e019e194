"""The letters that are sent, each made of its ticket alone, so that whoever finds one can tell whether it is whole, and belongs there.

A ticket is NUMBER-ATTEMPT: a client that was not told "250" tries again under a new one.  A recipient is WORD-TICKET; the word is the mailbox.
"""

import random
import re

HERE, FAR = "here.example", "far.example"
CONCURRENCY = {"local": 10, "remote": 20}  # deliveries at a time
BOXES = 4  # mailboxes of each kind
SIZES = (300, 1000, 4000, 70000)  # bytes; the last is more than a pipe holds
WEIGHTS = (40, 40, 19, 1)
BOTH = 8  # one of so many letters goes to two recipients, one on each channel
TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*)*\Z")
TICKET = re.compile(rb"^X-Soak: (\d+-\d+)$", re.M)
WHOLE, TORN, ASTRAY = "whole", "torn", "astray"


class Letters:
    """All letters of one run."""

    def __init__(self, seed):
        self.seed = seed

    def recipients(self, ticket):
        """[recipient]: a quarter of all go to each kind of mailbox; `late` and `later` do not take them at the first try."""
        number = ticket.partition("-")[0]
        chance = random.Random(f"{self.seed} to {number}")  # noqa: S311 (chance that can be had again)
        box = chance.randrange(BOXES)
        local, remote = chance.choice((f"box{box}", f"late{box}")), chance.choice(("now", "later"))
        words = (local, remote) if chance.randrange(BOTH) == 0 else (chance.choice((local, remote)),)
        return [f"{word}-{ticket}" for word in words]

    def text(self, ticket):
        """The letter, with LF behind each line."""
        chance = random.Random(f"{self.seed} says {ticket}")  # noqa: S311
        size, word = chance.choices(SIZES, WEIGHTS)[0], chance.randbytes(20).hex()
        head = f"Subject: soak\nX-Soak: {ticket}\n\n"
        body = "".join(f"{'.' * (line % 3)}{line} {word}\n" for line in range(size // 45))
        return f"{head}{body}end of {ticket}\n".encode()

    def judge(self, word, data):
        """(WHOLE, recipient), or (TORN or ASTRAY, what was found), of a letter that a mailbox has, with LF behind each line."""
        if not (found := TICKET.search(data)):
            return TORN, f"{len(data)} bytes without a ticket in {word}"
        ticket = found[1].decode()
        text = self.text(ticket)
        if not data.endswith(text) or not TRACE.match(data[:-len(text)]):
            return TORN, f"{ticket} in {word}"
        recipient = f"{word}-{ticket}"
        return (WHOLE, recipient) if recipient in self.recipients(ticket) else (ASTRAY, f"{ticket} in {word}")


def address(recipient):
    """Where a recipient is."""
    return f"{recipient}@{FAR if is_far(recipient) else HERE}"


def is_far(recipient):
    """Whether he is on another host."""
    return recipient.startswith(("now-", "later-"))


def ticket_of(recipient):
    """The ticket of the letter that he gets."""
    return recipient.partition("-")[2]


def following(ticket):
    """The ticket for the next attempt."""
    number, _, attempt = ticket.partition("-")
    return f"{number}-{int(attempt) + 1}"
