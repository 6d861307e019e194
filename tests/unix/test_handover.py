"""Local sockets that hand work over."""

import os
import select
import socket
import stat

import pytest

from qmailpy.text.poolwire import EXIT, HIGHEST, TAKEN
from qmailpy.unix import handover
from qmailpy.unix.handover import Door, ask, hand_over, opened, pair, place, reach
from tests.home import PATIENCE, wait_for
from tests.pools import in_child


def test_a_message_arrives_with_its_descriptors():
    one, other = pair()
    source, target = os.pipe()
    one.send(b"request", [target])
    data, fds = other.receive_request(5)
    assert data == b"request" and len(fds) == 1
    assert not os.get_inheritable(fds[0])
    os.write(fds[0], b"x")
    assert os.read(source, 1) == b"x"
    for fd in (source, target, *fds):
        os.close(fd)


def test_rule_6_who_says_nothing_is_not_waited_for():
    one, other = pair()
    with pytest.raises(TimeoutError):
        other.receive_request(0.01)
    one.close()
    assert other.receive(1) == b""


@pytest.mark.parametrize("size", [300 << 10])
def test_a_request_that_is_too_large_is_refused_and_nothing_stays_open(size):
    one, other = pair()
    fd = os.open("/dev/null", os.O_RDONLY)
    one._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    before = len(os.listdir("/proc/self/fd"))
    try:
        one.send(b"x" * size, [fd])
    except OSError:
        return  # the system takes no such message
    with pytest.raises(OSError, match="too large"):
        other.receive_request(5)
    assert len(os.listdir("/proc/self/fd")) == before


def test_who_is_at_the_other_end():
    one, _ = pair()
    peer = one.peer()
    assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.geteuid(), os.getegid())
    assert peer.groups == {os.getegid(), *os.getgroups()}
    assert peer.label == handover.label()


def test_rule_11_the_end_of_the_other_side_is_told_at_once():
    def work():
        told = []
        one, other = pair()
        other.watch(lambda: told.append("ended"))
        one.send(b"word")
        before = list(told)
        one.close()
        wait_for(lambda: told)
        other.unwatch()
        return before, told[:1]

    assert in_child(work) == ([], ["ended"])


def test_an_end_that_came_before_is_told_as_well():
    def work():
        told = []
        one, other = pair()
        one.close()
        other.watch(lambda: told.append("ended"))
        return told

    assert in_child(work) == ["ended"]


def test_rule_4_a_socket_appears_as_a_whole_and_replaces_a_stale_one(tmp_path):
    path = str(tmp_path / "socket")
    Door(path, 0o600).close()  # what a supervisor that was killed leaves
    assert reach(path, [os.geteuid()]) is None
    door = Door(path, 0o666)
    assert os.listdir(tmp_path) == ["socket"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    assert reach(path, [os.geteuid()]) is not None
    assert door.accept() is not None
    assert door.accept() is None
    door.remove()
    assert os.listdir(tmp_path) == []


def test_rule_4_a_name_that_is_anothers_by_now_stays(tmp_path):
    old, new = (Door(str(tmp_path / "socket"), 0o600) for _ in range(2))
    old.remove()
    assert os.listdir(tmp_path) == ["socket"]
    new.remove()
    assert os.listdir(tmp_path) == []


def test_rule_1_names_may_be_deep(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    os.chdir(deep)
    door = Door("socket", 0o600)
    assert reach(str(deep / "socket"), [os.geteuid()]) is not None
    door.close()


def test_rule_1_who_listens_must_be_one_of_those_expected(tmp_path):
    door = Door(str(tmp_path / "socket"), 0o600)
    assert reach(str(tmp_path / "socket"), [os.geteuid() + 1]) is None
    door.close()


@pytest.mark.parametrize(("word", "expected"), [(TAKEN + b"77", 77), (b"B", None), (b"C", None), (b"", None)])
def test_rule_1_without_taken_there_is_no_worker(tmp_path, word, expected):
    path = str(tmp_path / "socket")
    door = Door(path, 0o600)
    if (pid := os.fork()) == 0:
        wait_for(lambda: (link := door.accept()) and (link.receive_request(5), word and link.send(word), link.receive(5) if word == TAKEN + b"77" else None))
        os._exit(0)
    found = hand_over(path, [os.geteuid()], b"request", [])
    assert (found and found[1]) == expected
    if found:
        found[0].close()
    os.waitpid(pid, 0)


def test_rule_1_a_pool_that_says_nothing_is_given_up_and_cannot_take_it_later(tmp_path):
    door = Door(str(tmp_path / "socket"), 0o600)
    assert hand_over(str(tmp_path / "socket"), [os.geteuid()], b"request", [], 0.01) is None
    link = door.accept()
    assert link.receive_request(1)[0] == b"request"
    with pytest.raises(OSError):
        link.send(TAKEN)


def test_where_this_process_lives():
    assert place() == place()
    assert len(place().split()) == 7


def answering(tmp_path, *words):
    """A pool that gives these answers, one to each connection; its path, and the process."""
    path = str(tmp_path / "socket")
    door = Door(path, 0o600)
    if (pid := os.fork()) == 0:
        for word in words:
            link = wait_for(door.accept)
            link.receive_request(5)
            link.send(word)
            if word[:1] == TAKEN:
                link.receive(5)
        os._exit(0)
    return path, pid


def test_rule_1_a_pool_that_is_busy_is_asked_again_for_a_while(tmp_path):
    path, pid = answering(tmp_path, b"B", b"B", TAKEN + b"77")
    found = hand_over(path, [os.geteuid()], b"request", [], busy=PATIENCE)
    assert found[1] == 77
    found[0].close()
    os.waitpid(pid, 0)


@pytest.mark.parametrize(("word", "busy"), [(b"B", 0.0), (b"C", PATIENCE)])
def test_rule_1_but_not_by_those_who_do_not_want_to_wait_and_not_after_any_other_answer(tmp_path, word, busy):
    path, pid = answering(tmp_path, word, word)
    assert hand_over(path, [os.geteuid()], b"request", [], busy=busy) is None
    assert hand_over(path, [os.geteuid()], b"request", [], busy=0) is None
    os.waitpid(pid, 0)


@pytest.mark.parametrize("soon", [True, False])
def test_who_has_nothing_more_to_say_is_woken_at_the_end_of_the_work_but_not_later_than_it_must_be_taken(tmp_path, soon):
    path, (go, on) = str(tmp_path / "socket"), os.pipe()
    door = Door(path, 0o600)
    if (pid := os.fork()) == 0:
        link = wait_for(door.accept)
        link.receive_request(5)
        link.send(TAKEN + b"77")
        if not soon:
            select.select([go], [], [], PATIENCE)
        link.send(EXIT + b"\7")
        os._exit(0)
    found = hand_over(path, [os.geteuid()], b"request", [], PATIENCE if soon else 0.1, whole=True)
    assert found[1] == 77
    if soon:
        assert found[0].gone()
    else:
        assert not found[0].gone()
        os.write(on, b"x")
    assert found[0].receive(PATIENCE) == EXIT + b"\7"
    found[0].close()
    os.waitpid(pid, 0)
    for fd in (go, on):
        os.close(fd)


@pytest.mark.parametrize("words", [[], [b"C"]])
def test_whole_work_that_nobody_takes_is_known_as_soon_as_they_go(tmp_path, words):
    path = str(tmp_path / "socket")
    door = Door(path, 0o600)
    if (pid := os.fork()) == 0:
        link = wait_for(door.accept)
        link.receive_request(5)
        for word in words:
            link.send(word)
        os._exit(0)
    assert hand_over(path, [os.geteuid()], b"request", [], 60, whole=True) is None
    os.waitpid(pid, 0)


@pytest.mark.parametrize("length", [50, 107, 108, 200])
def test_a_pool_is_reached_by_a_path_of_any_length(tmp_path, length, monkeypatch):
    folder = str(tmp_path)
    while len(folder) + len("/socket") < length:
        folder += "/" + "x" * min(length - len(folder) - len("/socket") - 1, 50)
    os.makedirs(folder, exist_ok=True)
    monkeypatch.chdir(folder)
    door = Door("socket", 0o600)  # as a supervisor makes it
    link = reach(folder + "/socket", [os.geteuid()])
    assert link is not None and wait_for(door.accept) is not None


def test_rule_1_an_answer_is_heard_though_the_request_was_not_read():
    one, other = pair()
    one.send(b"request")
    other.discard()
    other.send(b"B")
    other.close()
    assert one.receive(5) == b"B"


def test_rule_1_an_answer_is_heard_that_came_before_the_request():
    one, other = pair()
    other.discard()
    other.send(b"B")
    other.close()
    assert ask(one, b"request", [], 5) == b"B"


def test_a_message_is_collected_if_it_is_there():
    one, other = pair()
    assert other.peek(3) == b"" and other.collect(100) is None
    source, target = os.pipe()
    one.send(b"m" * 100, [source, target])
    one.send(b"next")
    assert other.peek(3) == other.peek(3) == b"mmm"
    data, fds = other.collect(100)
    assert data == b"m" * 100 and len(fds) == 2 and not any(map(os.get_inheritable, fds))
    with pytest.raises(OSError):
        other.collect(2)  # it is longer
    for fd in (source, target, *fds):
        os.close(fd)
    one.close()
    assert other.peek(3) == b""
    assert other.collect(100) == (b"", [])
    other.close()


def test_fourteen_descriptors_fit_into_one_message():
    one, other = pair()
    one.send(b"x", [0] * 14)
    _, fds = other.collect(10)
    assert len(fds) == 14
    for fd in fds:
        os.close(fd)
    one.send(b"x", [0] * 15)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        other.collect(10)
    assert len(os.listdir("/proc/self/fd")) == before
    one.close()
    other.close()


def test_who_refuses_takes_what_was_sent_before():
    one, other = pair()
    one.send(b"before")
    other.refuse()
    with pytest.raises(OSError):
        one.send(b"after")
    assert other.collect(10)[0] == b"before"
    assert other.collect(10) == (b"", [])
    one.close()
    other.close()


def test_a_connection_can_be_moved_and_made_of_a_descriptor():
    one, other = pair()
    before = one.fileno()
    one.move()
    assert one.fileno() >= HIGHEST > before
    again = opened(os.dup(other.fileno()))
    assert again.fileno() >= HIGHEST
    one.send(b"x")
    assert again.collect(10)[0] == b"x"
    for link in (one, other, again):
        link.close()
