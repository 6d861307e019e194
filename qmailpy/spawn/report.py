"""What a spawner tells qmail-send of a delivery: K, Z or D and text, made of how the child ended and what it printed."""

from __future__ import annotations

# How the child of qmail-lspawn says that it did not come to run qmail-local (C: qlx.h).
USAGE, ROOT, NFS, NO_ALIAS, CDB, SYSTEM, NO_MEMORY, UNRUNNABLE, NO_GETPW = 112, 113, 115, 116, 117, 118, 119, 120, 121

LOCAL_TROUBLE = {
    CDB: "ZTrouble reading users/cdb in qmail-lspawn.\n",
    NO_MEMORY: "ZOut of memory in qmail-lspawn.\n",
    SYSTEM: "ZTemporary failure in qmail-lspawn.\n",
    NO_ALIAS: "ZUnable to find alias user!\n",
    ROOT: "ZNot allowed to perform deliveries as root.\n",
    USAGE: "ZInternal qmail-lspawn bug.\n",
    NFS: "ZNFS failure in qmail-local.\n",
    126: "DUnable to run qmail-local.\n",
    UNRUNNABLE: "ZUnable to run qmail-local.\n",
    NO_GETPW: "ZUnable to run qmail-getpw.\n",
}
LOCAL_TEMPORARY = (111, 71, 74, 75)
LOCAL_LIMIT = 3000  # bytes of output that go into a report
TOO_LONG = b"\nError report too long, sorry.\n"


def of_local(status: int, output: bytes) -> bytes:
    """The report of a qmail-local.  `status`: its exit code, or minus the signal that ended it."""
    if status < 0:
        return b"Zqmail-local crashed.\n"
    if status in LOCAL_TROUBLE:
        return LOCAL_TROUBLE[status].encode()
    letter = b"K" if status == 0 else b"Z" if status in LOCAL_TEMPORARY else b"D"
    return letter + output.partition(b"\0")[0]


def of_remote(status: int, output: bytes) -> bytes:
    """The report of a qmail-remote, of its records: r, h or s for the recipient, then K, Z or D for the message."""
    if status < 0:
        return b"Zqmail-remote crashed.\n"
    if status == 111:
        return b"ZUnable to run qmail-remote.\n"
    if status:
        return b"DUnable to run qmail-remote.\n"
    if not output:
        return b"Zqmail-remote produced no output.\n"
    records = output.split(b"\0")[:-1]
    rank = {b"K": 1, b"Z": 0, b"D": -1}
    message = next((rank[record[:1]] for record in records if record[:1] in rank), -1)
    verdict = {b"s": 0, b"h": -1}.get(output[:1], message)
    text = {1: b"K", 0: b"Z", -1: b"D"}[verdict]
    if records:
        text += records[0][1:]
        # The second record tells why, unless the message fared better than this recipient.
        if message <= verdict and records[1:] and records[1][:1] in rank:
            text += records[1][1:]
    return text
