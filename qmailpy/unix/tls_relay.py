"""TLS for work that knows nothing of it: a child does the work in clear over pipes, and this process carries its words to the client and back.

The child can do what it likes, execute other programs, too; this process needs no rights for what it does.
"""

from __future__ import annotations

import os
import select

from qmailpy.unix.connection import Gone
from qmailpy.unix.fds import BLOCK, TimedOut, close_quietly
from qmailpy.unix.poll import Poll
from qmailpy.unix.process import fork_working, pipe, standard, wait
from qmailpy.unix.tls import RECORD, Failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qmailpy.unix.process import Identity
    from qmailpy.unix.tls import Layer


def behind_tls(work: Callable[[], int], layer: Layer, seconds: float, identity: Identity | None, tell: Callable[[str], object]) -> int:
    """Have a child do `work` with the client on descriptors 0 and 1, within TLS; its exit status, or minus the signal.

    seconds   for the handshake, and for both sides to say nothing
    identity  what this process becomes for good before it hears a word; None: it stays who it is
    tell      gets a sentence if there is no handshake

    Raises OSError if there can be no child.
    """
    theirs, down = pipe()
    up, ours = pipe()
    try:
        child = fork_working(work, {**standard(), 0: theirs, 1: ours})
    except OSError:
        close_quietly(theirs, down, up, ours)
        raise
    close_quietly(theirs, ours)
    relay = Relay(layer, down, up)
    try:
        if identity is not None:
            identity.assume()
        layer.handshake(seconds)
        relay.run(seconds)
    except TimedOut:
        tell("tls: handshake failed: timed out")
    except Gone as problem:
        tell(f"tls: handshake failed: {problem.reason if isinstance(problem, Failed) else 'the client has gone'}")
    finally:
        relay.stop_telling()  # which is what the child waits for, if it waits
        close_quietly(up)
    return wait(child)


class Relay:
    """Carries bytes between a client in TLS and a child in clear, until the child has nothing more to say.

    down, up  pipes to the child, and from it
    """

    def __init__(self, layer: Layer, down: int, up: int) -> None:
        self.layer, self.engine = layer, layer.engine
        self.source, self.target, self.down, self.up = layer.below.source, layer.below.target, down, up
        self.to_client = self.to_child = b""
        self.client_speaks = self.child_speaks = True
        self.child_listens = True

    def run(self, seconds: float) -> None:
        """Carry, until the child ends, or the client cannot be heard or told anything, or nothing happens for so long."""
        try:
            self._hear_client(b"")  # what came together with the end of the handshake
            while self.child_speaks or self.to_client:
                poll = self._waiting()
                ready = set(poll.wait(seconds))
                if not ready:
                    return
                self._carry(ready)
            self.layer.close()
        except Failed:
            self.layer.close()
        except OSError:
            pass  # the client has gone

    def _waiting(self) -> Poll:
        """For what this can go on with: nothing is read that there is no room for."""
        poll = Poll()
        if self.client_speaks and not self.to_child:
            poll.add(self.source)
        if self.child_speaks and not self.to_client:
            poll.add(self.up)
        if self.to_child:
            poll.add(self.down, write=True)
        if self.to_client:
            poll.add(self.target, write=True)
        return poll

    def _carry(self, ready: set[int]) -> None:
        if self.up in ready:
            data = os.read(self.up, RECORD)
            self.child_speaks = bool(data)
            self.engine.encrypt(data)
            self.to_client += self.engine.take()
        if self.source in ready:
            data = os.read(self.source, BLOCK)
            if data:
                self._hear_client(data)
            else:
                self._client_is_silent()
        if self.down in ready:
            self._tell_child()
        if self.target in ready:
            self.to_client = self.to_client[os.write(self.target, self.to_client[:select.PIPE_BUF]):]

    def _hear_client(self, data: bytes) -> None:
        self.engine.put(data)
        while said := self.engine.decrypt():
            self.to_child += said
        self.to_client += self.engine.take()
        if said is not None:
            self._client_is_silent()
        if not self.child_listens:
            self.to_child = b""

    def _client_is_silent(self) -> None:
        """The client will say no more: nor do we, once the child has it all."""
        self.client_speaks = False
        if not self.to_child:
            self.stop_telling()

    def _tell_child(self) -> None:
        try:
            self.to_child = self.to_child[os.write(self.down, self.to_child[:select.PIPE_BUF]):]
        except OSError:  # it does not listen any more; it may still speak
            self.stop_telling()
        if not self.to_child and not self.client_speaks:
            self.stop_telling()

    def stop_telling(self) -> None:
        """Close the pipe to the child."""
        self.to_child = b""
        if self.child_listens:
            self.child_listens = False
            close_quietly(self.down)
