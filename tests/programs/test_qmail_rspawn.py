"""qmail-rspawn: its own part; the loop is tested with spawn/daemon."""

import os

from tests.checkout import LittleHome


def test_dead_hosts_are_forgotten_and_a_swapped_program_is_found_in_path(tmp_path):
    home = LittleHome(tmp_path)
    (tmp_path / "queue/mess/0").mkdir(parents=True)
    (tmp_path / "queue/mess/0/46").write_text("m\n")
    (tmp_path / "queue/lock").mkdir()
    (tmp_path / "queue/lock/tcpto").write_bytes(b"\1" * 1024)
    home.program("qmail-remote", '#!/bin/sh\nprintf "r\\0K%s|%s|%s\\0" "$1" "$2" "$3"\n')
    order = b"\0" + b"0/46\0s@x\0a@b@far\0"
    assert home.run("qmail-rspawn", stdin=order, PATH=f"{tmp_path}/bin:{os.environ['PATH']}").stdout == b"\x78\0Kfar|s@x|a@b@far\0"
    assert (tmp_path / "queue/lock/tcpto").read_bytes() == bytes(1024)
    other = home.program("other", '#!/bin/sh\nprintf "hno\\0Dno\\0"\n')
    assert home.run("qmail-rspawn", stdin=order, QMAILREMOTE=str(other)).stdout == b"\x78\0Dnono\0"
