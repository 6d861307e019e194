"""A small SMTP server on loopback that keeps what it gets; its replies can be set."""

import socket
import threading

REPLIES = {"greeting": "220 sink.example", "EHLO": "250 sink.example", "HELO": "250 sink.example", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go ahead",
           "end": "250 ok queued", "QUIT": "221 bye"}


class SmtpSink:
    """While its block runs, takes messages: `messages` is a list of (sender, [recipients], data).

    replies  {verb, "greeting" or "end": reply}; None hangs up there
    """

    def __init__(self, replies=(), host="127.0.0.1", port=0):
        self.replies = {**REPLIES, **dict(replies)}
        self.messages, self.commands, self.news = [], [], threading.Condition()
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def wait(self, count, seconds=30):
        """Wait until so many messages have come."""
        with self.news:
            self.news.wait_for(lambda: len(self.messages) >= count, seconds)
        return self.messages

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            try:
                self.session(connection, lines)
            except OSError:
                pass

    def session(self, connection, lines):
        if not self.say(connection, "greeting"):
            return
        sender, recipients = None, []
        for line in lines:
            self.commands.append(line)
            verb = line[:4].decode("latin-1").strip().upper()
            if verb == "MAIL":
                sender, recipients = line.split(b"<", 1)[1].split(b">")[0], []
            elif verb == "RCPT":
                recipients.append(line.split(b"<", 1)[1].split(b">")[0])
            if not self.say(connection, verb) or verb == "QUIT":
                return
            if verb == "DATA" and (self.replies["DATA"] or "").startswith("3"):
                self.take(lines, sender, recipients)
                if not self.say(connection, "end"):
                    return

    def take(self, lines, sender, recipients):
        data = []
        for line in lines:
            if line == b".\r\n":
                with self.news:
                    self.messages.append((sender, recipients, b"".join(data)))
                    self.news.notify_all()
                return
            data.append(line.removeprefix(b"."))

    def say(self, connection, what):
        reply = self.replies.get(what, "500 what?")
        if reply is None:
            return False
        connection.sendall(reply.encode() + b"\r\n")
        return True
