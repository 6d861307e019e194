"""A small clamd on loopback that answers as it is told, and keeps what it gets."""

import socket
import threading

VIRUS = b"stream: Eicar-Signature FOUND"
CLEAN = b"stream: OK"


class Clamd:
    """While its block runs: `scans` lists for each connection that brought a command [command, message, whether its end came].

    ways  how it answers, one for each connection in turn, the last for all others:
          bytes          after the end of the message
          "hang up"      it closes after the end, without an answer
          "at once"      it closes what it accepts
          "silent"       it takes the message, and says nothing
          "deaf"         it does not even read
          "unended"      it answers without the end of a line, and closes
          ("says", bytes)          it answers the command, and closes
          ("early", bytes, least)  it answers and closes when so many bytes of the message have come
          ("old", bytes, least)    it knows STREAM only; it stops reading at so many bytes, 0: at the end
    """

    def __init__(self, *ways, host="127.0.0.1"):
        self.ways, self.scans, self.over, self.number = ways, [], threading.Event(), 0
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        port = self.listener.getsockname()[1]
        self.address = f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            way = self.ways[min(self.number, len(self.ways) - 1)]
            self.number += 1
            threading.Thread(target=self.talk, args=(connection, way), daemon=True).start()

    def talk(self, connection, way):
        try:
            with connection, connection.makefile("rb") as incoming:
                if way == "deaf":
                    self.over.wait(60)
                if way in ("at once", "deaf"):
                    return
                command = b""
                while not command.endswith((b"\0", b"\n")):
                    command += incoming.read(1) or b"\n"
                scan = [command, b"", False]
                self.scans.append(scan)
                if way[0] == "says":
                    connection.sendall(way[1] + command[-1:])
                elif way[0] == "old":
                    self.old(connection, scan, *way[1:])
                else:
                    self.instream(connection, incoming, scan, way)
        except OSError:
            pass

    def instream(self, connection, incoming, scan, way):
        while size := int.from_bytes(incoming.read(4), "big"):
            scan[1] += incoming.read(size)
            if way[0] == "early" and len(scan[1]) >= way[2]:
                connection.sendall(way[1] + b"\0")
                return
        scan[2] = True
        if way == "silent":
            self.over.wait(60)
        elif way == "unended":
            connection.sendall(CLEAN)
        elif way != "hang up":
            connection.sendall(way + b"\0")

    def old(self, connection, scan, verdict, least=0):
        if scan[0] != b"STREAM\n":
            connection.sendall(b"UNKNOWN COMMAND\n")
            return
        with socket.create_server(self.listener.getsockname()[:1] + (0,), family=self.listener.family) as second:
            connection.sendall(b"PORT %d\n" % second.getsockname()[1])
            stream, _ = second.accept()
            with stream:
                while (data := stream.recv(65536)) and (not least or len(scan[1]) < least):
                    scan[1] += data
                scan[2] = not data
        connection.sendall(verdict + b"\n")
