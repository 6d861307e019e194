"""Programs of a LittleHome behind a real listener on loopback, and a client that speaks with them in clear and in TLS."""

import os
import socket
import ssl
import subprocess
import sys
import threading

PATIENCE = 30


class Server:
    """Starts a program for each connection; `port`, `exits` as they come, and what they have said on standard error."""

    def __init__(self, home, program, *arguments, **env):
        self.home = home
        self.command = [sys.executable, "-I", "-S", str(home.path / "lib/qmailpy/boot.py"), program, program, *arguments]
        self.env = {"PATH": os.environ["PATH"], "QMAILQUEUE": str(home.recorder), "TCPREMOTEIP": "192.0.2.7", "TCPREMOTEHOST": "client.example", **env}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.children, self.news, self.errors = [], threading.Condition(), home.path / "stderr"
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for child in self.children:
            child.kill()
            child.wait()

    def accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line, open(self.errors, "ab") as errors, self.news:
                self.children.append(subprocess.Popen(self.command, stdin=line, stdout=line, stderr=errors, env=self.env, cwd=self.home.path))
                self.news.notify_all()

    def exit(self, number=-1):
        """The exit status of a program, by default the last, when it has ended."""
        with self.news:
            assert self.news.wait_for(lambda: self.children, PATIENCE)
        return self.children[number].wait(PATIENCE)

    def said(self):
        """What the programs have said on standard error."""
        return self.errors.read_text(errors="replace") if self.errors.exists() else ""


class Client:
    """A client's end of a connection."""

    def __init__(self, port):
        self.line = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.line.close()

    def hear_line(self):
        """The next line, without its end; "" if there is no more."""
        while b"\n" not in self.pending:
            try:
                data = self.line.recv(65536)
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                return ""
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return line.removesuffix(b"\r").decode("latin-1")

    def hear(self):
        """The lines of the next reply."""
        lines = [self.hear_line()]
        while lines[-1][3:4] == "-":
            lines.append(self.hear_line())
        return lines

    def say(self, *lines):
        """Say lines together; the last line of the reply to the last of them."""
        self.line.sendall(b"".join(line.encode("latin-1") + b"\r\n" for line in lines))
        return [self.hear()[-1] for _ in lines][-1]

    def tls(self, **how):
        """A handshake."""
        assert not self.pending
        self.line = client_context(**how).wrap_socket(self.line, server_hostname=how.get("name"))
        return self


def client_context(shown=None, version=None, ciphers=None, authority=None, name=None, folder=None):
    """A client's side: the certificate that it shows (as a file), its only version, its ciphers, who it trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = authority is not None
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=authority)
    if shown is not None:
        context.load_cert_chain(shown)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context
