"""A small DNS server on loopback, by UDP and TCP, that answers from a zone or fails as it is told."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ODD = ("SERVFAIL", "REFUSED", "silent", "garbage", "wrong id", "wrong question")


class DnsServer:
    """While its block runs, serves {"NAME TYPE": [value, ..]} or {"NAME": one of ODD}; `asked` lists the questions.

    cut  answers by UDP are truncated, so that clients must come by TCP
    """

    def __init__(self, zone, *, cut=False, host="127.0.0.1"):
        self.zone = {name.lower(): value for name, value in zone.items()}
        self.cut, self.asked = cut, []
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        while True:
            self.udp = socket.socket(kind, socket.SOCK_DGRAM)
            self.udp.bind((host, 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = socket.create_server((host, self.port), family=kind)
                break
            except OSError:
                self.udp.close()
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.env = {"DNSCACHEIP": self.address}

    def __enter__(self):
        for work in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *problem):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def serve_udp(self):
        while True:
            try:
                data, client = self.udp.recvfrom(65535)
            except OSError:
                return
            if not data:
                return  # shut down
            for reply in self.replies(data, self.cut):
                self.udp.sendto(reply, client)

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                size = int.from_bytes(stream.read(2), "big")
                for reply in self.replies(stream.read(size), False):
                    connection.sendall(len(reply).to_bytes(2, "big") + reply)

    def replies(self, data, cut):
        """What is sent for a query."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        how = self.zone.get(name)
        if how == "silent":
            return
        if how == "garbage":
            yield b"\xff" * 30
            return
        response = dns.message.make_response(query)
        if how in ("SERVFAIL", "REFUSED"):
            response.set_rcode(dns.rcode.from_text(how))
        elif how == "wrong id":
            response.id ^= 1
        elif how == "wrong question":
            response.question[0] = dns.rrset.RRset(dns.name.from_text("other.example"), question.rdclass, question.rdtype)
        else:
            self.fill(response, name, kind)
        if cut:
            response.answer = []
            response.flags |= dns.flags.TC
        yield response.to_wire(max_size=65535)

    def fill(self, response, name, kind):
        """Add the records of the zone."""
        values = self.zone.get(f"{name} {kind.lower()}")
        if values is None and (alias := self.zone.get(f"{name} cname")):
            response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", *alias))
            if self.zone.get("follow", True):
                self.fill(response, alias[0].rstrip(".").lower(), kind)
        elif values is not None:
            response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", kind, *values))
        elif not any(key.split(" ")[0] == name for key in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
