"""Messages for QMTP and QMQP, the replies, and a small server that takes them."""

import socket
import threading

from qmailpy.text.netstring import Ended, Reader, encoded

KEPT = 1_000_000  # bytes; of a longer netstring the server keeps its size only


def joined(*strings):
    """Netstrings, one after the other."""
    return b"".join(map(encoded, strings))


def qmtp(body=b"\nSubject: x\n\nbody\n", sender=b"a@b.example", recipients=(b"c@ours.example",)):
    """One message by QMTP; the first byte of the body tells its line ends."""
    return joined(body, sender, joined(*recipients))


def qmqp(message=b"Subject: x\n\nbody\n", sender=b"a@b.example", recipients=(b"c@ours.example",)):
    """One message by QMQP."""
    return encoded(joined(message, sender, *recipients))


def replies(said):
    """The texts of the netstrings that a server has said."""
    found = []
    while said:
        size, _, rest = said.partition(b":")
        end = int(size)
        assert rest[end:end + 1] == b","
        found.append(rest[:end])
        said = rest[end + 1:]
    return found


class Server:
    """While its block runs, reads `count` netstrings of each connection and answers; answer None: hangs up at once.

    got  a list for each connection: the netstrings
    """

    def __init__(self, count, answer, host="127.0.0.1", port=0):
        self.count, self.answer, self.got = count, answer, []
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.place = f"[{host}]:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(20)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                if self.answer is not None:
                    self.talk(connection)

    def talk(self, connection):
        reader = Reader(lambda: connection.recv(65536))
        try:
            self.got.append([self.read(reader) for _ in range(self.count)])
            connection.sendall(self.answer)
        except (OSError, Ended):
            pass  # the client has gone

    @staticmethod
    def read(reader):
        size, parts = reader.length(), []
        for block in reader.blocks(size):
            if size <= KEPT:
                parts.append(block)
        reader.comma()
        return b"".join(parts) if size <= KEPT else size
