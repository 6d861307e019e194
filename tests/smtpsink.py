"""A small SMTP server on loopback that keeps what it gets; its replies can be set, and it may speak TLS and ask for a login."""

import base64
import contextlib
import hashlib
import hmac
import socket
import ssl
import threading

REPLIES = {"greeting": "220 sink.example", "EHLO": "250 sink.example", "HELO": "250 sink.example", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go ahead",
           "end": "250 ok queued", "QUIT": "221 bye", "STARTTLS": "220 begin", "AUTH": "334", "username": "334 UGFzc3dvcmQ6", "password": "235 welcome"}
CHALLENGE = "<1.2@sink.example>"


def tls_context(folder, pem, **settings):
    """What a server needs that shows the certificate in `pem`; other attributes of the context can be given."""
    path = folder / "sink.pem"
    path.write_text(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


class SmtpSink:
    """While its block runs, takes messages: `messages` is a list of (sender, [recipients], data), `visits` of Visit.

    replies     {verb, "greeting", "end", or what LOGIN asks for: reply}, of RCPT also a list in turn; None hangs up there; or what gives one for a Visit
    tls         an ssl.SSLContext: STARTTLS is offered; implicit: TLS begins at once
    mechanisms  what is offered for AUTH; in_tls_only: not before TLS
    """

    def __init__(self, replies=(), host="127.0.0.1", port=0, *, tls=None, implicit=False, mechanisms="", in_tls_only=False):
        self.replies = {**REPLIES, **dict(replies)}
        self.tls, self.implicit, self.mechanisms, self.in_tls_only = tls, implicit, mechanisms, in_tls_only
        self.messages, self.commands, self.visits, self.news = [], [], [], threading.Condition()
        self.open = 0
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.stop()

    def stop(self):
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def wait(self, count, seconds=30):
        """Wait until so many messages have come."""
        with self.news:
            self.news.wait_for(lambda: len(self.messages) >= count, seconds)
        return self.messages

    def keep(self, sender, recipients, data):
        """Take a message over: before the client hears that it is taken."""
        with self.news:
            self.messages.append((sender, recipients, data))
            self.news.notify_all()

    def settled(self, seconds=30):
        """The visits, once all of them are over."""
        with self.news:
            assert self.news.wait_for(lambda: not self.open, seconds)
        return self.visits

    def serve(self):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            visit = Visit(self, connection, peer[0])
            self.visits.append(visit)
            self.open += 1
            threading.Thread(target=self.talk, args=(visit,), daemon=True).start()

    def talk(self, visit):
        with contextlib.suppress(OSError):
            visit.session()
        visit.lines.close()
        visit.connection.close()
        with self.news:
            self.open -= 1
            self.news.notify_all()


class Visit:
    """One connection: where it came from, what was said, (mechanism, name, password); if it was in TLS, the cipher, the client's certificate, the name asked for."""

    def __init__(self, sink, connection, peer):
        self.sink, self.connection, self.peer = sink, connection, peer
        self.lines = connection.makefile("rb")
        self.commands, self.login, self.cipher, self.certificate, self.asked_for = [], None, None, None, None
        self.sender, self.recipients = None, []

    def session(self):
        if self.sink.implicit:
            self.encrypt()
        if not self.say("greeting"):
            return
        for line in self.next_lines():
            self.commands.append(line)
            self.sink.commands.append(line)
            words = line.decode("latin-1").split()
            if not self.obey(words[0].upper() if words else "", line):
                return

    def next_lines(self):
        """The lines, of whatever stream there is at the moment."""
        while line := self.lines.readline():
            yield line

    def obey(self, verb, line):
        """Do what is asked; whether the session goes on."""
        if verb == "EHLO":
            return self.say(verb, self.offers())
        if verb == "AUTH":
            return self.auth(line.split()[1].decode().upper())
        if verb == "MAIL":
            self.sender, self.recipients = line.split(b"<", 1)[1].split(b">")[0], []
        elif verb == "RCPT":
            self.recipients.append(line.split(b"<", 1)[1].split(b">")[0])
            replies = self.sink.replies["RCPT"]
            return self.send(replies[len(self.recipients) - 1] if isinstance(replies, list) else replies)
        if verb == "STARTTLS" and self.sink.tls is None:
            return self.send("502 unimplemented")
        if not self.say(verb) or verb == "QUIT":
            return False
        if verb == "STARTTLS" and self.said.startswith("220"):
            self.encrypt()
        if verb == "DATA" and self.said.startswith("3"):
            return self.take() and self.say("end")
        return True

    def offers(self):
        """What EHLO tells."""
        if self.sink.tls is not None and self.cipher is None:
            yield "STARTTLS"
        if self.may_log_in():
            yield "AUTH " + self.sink.mechanisms

    def may_log_in(self):
        return bool(self.sink.mechanisms) and not (self.sink.in_tls_only and self.cipher is None)

    def encrypt(self):
        self.sink.tls.sni_callback = lambda connection, name, context: setattr(self, "asked_for", name)
        self.connection = self.sink.tls.wrap_socket(self.connection, server_side=True)
        self.lines = self.connection.makefile("rb")
        self.cipher = self.connection.cipher()
        self.certificate = self.connection.getpeercert()

    def auth(self, mechanism):
        """One exchange; everybody is let in unless the replies say otherwise."""
        self.login = (mechanism,)
        if not (self.sink.replies["AUTH"] or "").startswith("334"):
            return self.say("AUTH")
        if mechanism == "LOGIN":
            name = self.ask("334 VXNlcm5hbWU6")
            self.login = (mechanism, name)
            if not self.say("username") or not self.said.startswith("334"):
                return self.said is not None
            self.login = (mechanism, name, self.answer())
        elif mechanism == "PLAIN":
            self.login = (mechanism, *self.ask("334 ").split("\0")[1:])
        else:
            name, _, proof = self.ask(f"334 {base64.b64encode(CHALLENGE.encode()).decode()}").rpartition(" ")
            self.login = (mechanism, name, proof)
        return self.say("password")

    def ask(self, prompt):
        self.send(prompt)
        return self.answer()

    def answer(self):
        self.heard = self.lines.readline()
        return base64.b64decode(self.heard).decode("latin-1")

    def take(self):
        """Take a message."""
        data = []
        for line in self.next_lines():
            if line == b".\r\n":
                self.sink.keep(self.sender, self.recipients, b"".join(data))
                return True
            data.append(line.removeprefix(b"."))
        return False

    def say(self, what, more=()):
        return self.send(self.sink.replies.get(what, "500 what?"), more)

    def send(self, reply, more=()):
        """Say something; False, in the place of it, to hang up."""
        self.said = reply = reply(self) if callable(reply) else reply
        if reply is None:
            return False
        rows = [reply, *(reply[:4] + word for word in more)] if reply[:1] == "2" else [reply]
        self.connection.sendall("".join(row[:3] + ("-" if number < len(rows) else " ") + row[4:] + "\r\n" for number, row in enumerate(rows, 1)).encode())
        return True


def proof(password):
    """What CRAM-MD5 shows for a password."""
    return hmac.new(password.encode(), CHALLENGE.encode(), hashlib.md5).hexdigest()
