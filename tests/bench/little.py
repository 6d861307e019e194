"""A small real server for the benchmark's own tests: what it takes by SMTP is a file in a Maildir at once; and what figures ask of a Bench."""

import itertools
import types

from qmailpy.bench import measure
from qmailpy.bench.servers import Server
from tests import maildirs
from tests.smtpsink import SmtpSink


class MaildirSink(SmtpSink):
    """Takes messages into a Maildir."""

    def __init__(self, folder):
        super().__init__()
        self.maildir, self.numbers = maildirs.make(folder), itertools.count()

    def keep(self, sender, recipients, data):
        super().keep(sender, recipients, data)
        (self.maildir / "new" / str(next(self.numbers))).write_bytes(data)


class LittleServer(Server):
    """A server that has no queue."""

    def __init__(self, sink):
        super().__init__("little")
        self.maildir, self.ports, self.stops = str(sink.maildir), {"listener": sink.port}, 0

    def stop(self):
        self.stops += 1

    def queued(self):
        return 0


class LittleBench:
    """Servers that are up already, and one round."""

    def __init__(self, *servers, sink=None):
        self.servers, self.sink, self.waiting, self.restarted = servers, sink, [], []

    def up(self, place, waiting=0):
        self.waiting.append(waiting)
        return self.servers

    def restart(self, server):
        self.restarted.append(server.name)

    def compare(self, table, *, most=1000, warm_up=True):
        measure.run(table, 1, lambda text: None, warm_up=False)
        return table


PLACE = types.SimpleNamespace(name="disk")
