"""Units of systemd, read, and what of their sandbox a test can put itself into without systemd: capabilities, memory, system calls, address families."""

import configparser
import ctypes
import os
import platform
import re
import shutil
import socket
import struct
import subprocess

import pytest

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_MDWE = 22, 23, 24, 65
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE, NO_FAMILY = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 97  # EPERM, EAFNOSUPPORT
HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
                "CAP_NET_BIND_SERVICE": 10, "CAP_AUDIT_WRITE": 29}


def need_systemd():
    """The path of systemd-analyze; skips the test where there is none."""
    found = shutil.which("systemd-analyze")
    if not found:
        pytest.skip("needs systemd-analyze, of systemd")
    return found


def calls(group):
    """The system calls of one of systemd's groups."""
    said = subprocess.run([need_systemd(), "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True).stdout
    words = [line.strip() for line in said.splitlines()[1:] if line.startswith("    ") and not line.strip().startswith("#")]
    return {call for word in words for call in (calls(word) if word.startswith("@") else [word])}


def numbers():
    """{system call: its number}"""
    if platform.machine() != "x86_64" or not os.path.exists(HEADER):
        pytest.skip("needs the numbers of system calls (linux-libc-dev), and knows them on x86_64 only")
    with open(HEADER) as text:
        return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", text.read())}


class Unit:
    """One unit file: `lines` of its [Service]."""

    def __init__(self, path):
        unit = configparser.ConfigParser(interpolation=None, strict=True)
        unit.optionxform = str
        with open(path) as text:
            unit.read_file(text)
        self.lines = dict(unit["Service"])

    def confine(self):
        """What a child does to live as the unit lets it, before it executes something; made here, since it needs the help of other programs."""
        kept = {CAPABILITIES[name] for name in self.lines["CapabilityBoundingSet"].split()}
        program = filter_of(*self.allowed(), [getattr(socket, name) for name in self.lines["RestrictAddressFamilies"].split()])
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
        room = ctypes.create_string_buffer(code)
        wanted = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(room))
        no_writable_code = self.lines.get("MemoryDenyWriteExecute") == "yes"

        def become():
            number = 0
            while LIBC.prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0:
                assert number in kept or LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0
                number += 1
            if no_writable_code:
                LIBC.prctl(PR_SET_MDWE, 1, 0, 0, 0)  # fails before Linux 6.3, which cannot refuse that this way
            assert LIBC.prctl(PR_SET_SECCOMP, 2, wanted, 0, 0) == 0
            assert room  # what the kernel has read was still there

        return become

    def allowed(self):
        """(the numbers of the system calls that are let through or kept away, whether they are let through)"""
        known, words = numbers(), self.lines["SystemCallFilter"].removeprefix("~").split()
        return {known[call] for word in words for call in calls(word) if call in known}, not self.lines["SystemCallFilter"].startswith("~")


def filter_of(listed, let_through, families):
    """A program for the kernel's filter: (code, jump if true, jump if false, value)."""
    program = [(LOAD, 0, 0, 4), (JUMP_EQUAL, 1, 0, 0xC000003E), (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, 0)]
    checks = [(JUMP_EQUAL, 0, len(families) + 3, numbers()["socket"]), (LOAD, 0, 0, 16)]
    checks += [(JUMP_EQUAL, len(families) - place, 0, family) for place, family in enumerate(families)]
    program += [*checks, (RETURN, 0, 0, NO_FAMILY), (LOAD, 0, 0, 0)]
    for number in sorted(listed):
        program += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW if let_through else REFUSE)]
    return [*program, (RETURN, 0, 0, REFUSE if let_through else ALLOW)]
