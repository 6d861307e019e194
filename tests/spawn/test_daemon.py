"""The spawners' loop, with real children of both programs."""

import os

import pytest

from tests.checkout import LittleHome


@pytest.fixture
def home(tmp_path):
    place = tmp_path / "home"
    place.mkdir()
    found = LittleHome(place)
    (place / "queue/mess/0").mkdir(parents=True)
    (place / "queue/lock").mkdir()
    (place / "queue/mess/0/46").write_text("message\n")
    (place / "users").mkdir()
    return found


def spawn(home, orders, spawner="qmail-rspawn", *arguments, spawn_limit=120):
    conf = home.path / "lib/home.conf"
    conf.write_text(conf.read_text().replace("spawn 120", f"spawn {spawn_limit}"))
    done = home.run(spawner, *arguments, stdin=orders, PATH=f"{home.path}/bin:{os.environ['PATH']}")
    return done.stdout


def order(number, message=b"0/46", sender=b"s@x", recipient=b"r@h"):
    return number + b"\0".join((message, sender, recipient)) + b"\0"


def test_hello_and_reports(home):
    home.program("qmail-remote", '#!/bin/sh\nprintf "r\\0K%s %s %s: " "$1" "$2" "$3"; cat; printf "\\0"\n')
    assert spawn(home, order(b"\5")) == b"\x78\5Kh s@x r@h: message\n\0"


def test_two_byte_numbers(home):
    home.program("qmail-remote", '#!/bin/sh\nprintf "r\\0Kok\\0"\n')
    assert spawn(home, order(b"\x01\x02"), spawn_limit=1000) == b"\xe8\3" + b"\1\2Kok\0"


@pytest.mark.parametrize(("wrong", "words"), [
    (order(b"\x78"), b"delnum too big"), (order(b"\0", b"0/47"), b"unable to open message"), (order(b"\0", b"0"), b"wrong type"), (order(b"\0", b"x"), b"nonnumerics"),
    (order(b"\0", recipient=b"r"), b"must include host name"),
])
def test_orders_that_cannot_be_carried_out(home, wrong, words):
    said = spawn(home, wrong)
    assert words in said
    assert said[2:3] in (b"Z", b"D")


def test_a_missing_program_defers(home):
    assert spawn(home, order(b"\0")).endswith(b"\0ZUnable to run qmail-remote.\n\0")
    (home.path / "bin/qmail-remote").write_text("no program")
    assert spawn(home, order(b"\0")).endswith(b"\0ZUnable to run qmail-remote.\n\0")


def test_children_get_three_descriptors_and_no_blocked_signal(home):
    home.program("qmail-remote", '#!/bin/sh\nexec 9<&-; printf "r\\0K"; ls /proc/self/fd | tr "\\n" " "; grep SigBlk /proc/self/status; printf "\\0"\n')
    text = spawn(home, order(b"\0"))
    assert text.startswith(b"\x78\0K0 1 2 3 SigBlk:\t0000000000000000\n")  # 3 is the folder that ls reads


def test_output_is_cut(home):
    home.program("qmail-local", "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\n")
    (home.path / "users/assign").write_text(f"=r:joe:{os.getuid() or 54321}:{os.getgid() or 54321}:/:::\n.\n")
    assert home.run("qmail-newu").returncode == 0
    os.chmod(home.path, 0o755)
    text = spawn(home, order(b"\0"), "qmail-lspawn", "./Mailbox")
    if text[2:] == b"ZUnable to run qmail-local.\n\0":
        pytest.skip("the test's folder is closed to others")
    assert text[2:].startswith(b"Kxxx")
    assert text.endswith(b"\nError report too long, sorry.\n\0")
    assert len(text) < 3010


def test_many_at_once(home):
    home.program("qmail-remote", '#!/bin/sh\nprintf "r\\0Kdone\\0"\n')
    text = spawn(home, b"".join(order(bytes([number])) for number in range(60)))
    assert sorted(report[0] for report in text[1:].split(b"Kdone\0")[:-1]) == list(range(60))


def test_a_usage_error(home):
    assert home.run("qmail-lspawn").returncode == 100
