"""Those who send: many SMTP sessions in one process, which tells what became of each attempt.

    sent TICKET             250 after the letter: it must arrive
    refused TICKET WHY      it was not wholly sent, so it must not arrive
    doubt TICKET WHY        it was sent, and the answer was no, or none at all: it may arrive
    silent TICKET           nobody has said anything for so long
    open NUMBER             sessions, every now and then
    away WHY                no session came about
"""

import collections
import signal
import time

from crash.soak.letters import Letters, address, following
from crash.soak.wire import LINE, Gone, Talks, connect, tell
from qmailpy.unix.process import allow_descriptors

PATIENCE = 60  # seconds for an answer
REST = 0.5  # seconds before a letter is tried again, or a connection
TICK = 0.02
EVERY = 1.0  # seconds between two lines on how many sessions there are
DESCRIPTORS = 4096
MOST = 4  # letters over one connection


class Refused(Exception):
    """A reply that is not the one that was hoped for."""


class Clients:
    """Sends its share of the letters.

    letters   what is sent
    numbers   of the letters
    ports     of the listeners; sessions take turns
    sessions  so many at a time
    rate      letters a second
    """

    def __init__(self, letters, numbers, ports, sessions, rate):
        self.letters, self.ports, self.sessions, self.rate = letters, ports, sessions, rate
        self.due = collections.deque(f"{number:06}-1" for number in numbers)
        self.later = collections.deque()  # (time, ticket) of those that are to be tried again
        self.talks = Talks(PATIENCE)
        self.begun = self.away_until = time.monotonic()
        self.given = self.opened = 0
        self.ending = False

    def run(self):
        """Send them all, or until TERM."""
        signal.signal(signal.SIGTERM, lambda number, frame: setattr(self, "ending", True))
        told = 0.0
        while not self.finished():
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                self.due.appendleft(self.later.popleft()[1])
                self.given -= 1
            self.distribute(now)
            self.talks.turn(TICK)
            if now > told + EVERY:
                told = now
                self.talks.give_up()
                tell("open", str(len(self.talks)))
        tell("open", "0")

    def finished(self):
        """Whether there is nothing to do any more."""
        return not self.talks and (self.ending or not (self.due or self.later))

    def distribute(self, now):
        """Open sessions, and give letters to those that wait for one, as many as are due."""
        over = self.ending or not (self.due or self.later)
        while not over and len(self.talks) < self.sessions and now >= self.away_until:
            self.opened += 1
            self.talks.begin(connect(self.ports[self.opened % len(self.ports)]), self.session())
        for talk in self.talks.waiting():
            if over:
                self.talks.answer(talk, "")
            elif self.due and self.given < (now - self.begun) * self.rate:
                self.given += 1
                self.talks.answer(talk, self.due.popleft())

    # one session

    def session(self):
        """A dialogue: some letters, one after the other."""
        try:
            yield from ask(b"", b"220")
            yield from ask(b"EHLO client.example\r\n", b"250")
        except (Gone, Refused) as problem:
            self.away_until = time.monotonic() + REST
            tell("away", str(problem))
            return
        try:
            for _ in range(MOST):
                if not (ticket := (yield b"", None)):
                    break
                yield from self.post(ticket)
            yield b"QUIT\r\n", LINE
        except (Gone, Refused):
            pass  # that is told, if it was about a letter

    def post(self, ticket):
        """Send one letter.  Raises Gone, Refused."""
        recipients = [address(recipient) for recipient in self.letters.recipients(ticket)]
        text = self.letters.text(ticket).replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
        try:
            for said in (f"MAIL FROM:<{ticket}@client.example>", *(f"RCPT TO:<{recipient}>" for recipient in recipients)):
                yield from ask(said.encode() + b"\r\n", b"250")
            yield from ask(b"DATA\r\n", b"354")
        except (Gone, Refused) as problem:
            self.again("refused", ticket, problem)
            raise
        try:
            yield from ask(text + b".\r\n", b"250")
        except (Gone, Refused) as problem:
            self.again("refused" if isinstance(problem, Gone) and problem.unsent else "doubt", ticket, problem)
            raise
        tell("sent", ticket)

    def again(self, word, ticket, problem):
        """Have a letter tried again, under another ticket."""
        tell(word, ticket, str(problem))
        if isinstance(problem, Gone) and problem.silent:
            tell("silent", ticket)
        self.later.append((time.monotonic() + REST, following(ticket)))


def ask(said, wanted):
    """Say something, and hear the last line of the reply.  Raises Refused if it is another one."""
    heard = yield said, LINE
    while heard[3:4] == b"-":
        heard = yield b"", LINE
    if not heard.startswith(wanted):
        raise Refused(heard.decode("latin-1").strip())


def work(seed, numbers, ports, sessions, rate):
    """What a child does."""
    allow_descriptors(DESCRIPTORS)
    Clients(Letters(seed), numbers, ports, sessions, rate).run()
    return 0
