"""Many that wait, in one place."""

import os
import socket

import pytest

from qmailpy.unix.shelf import OWN, Shelf


@pytest.fixture
def waiting():
    """(a shelf, a function that puts one on it): that gives the client's end, and the guard's other end, of which the shelf has the rest."""
    shelf, opened = Shelf(), []

    def put(due=10.0, data=b"x", guarded=True):
        (client, source), (caller, guard) = socket.socketpair(), socket.socketpair(type=socket.SOCK_SEQPACKET)
        opened.extend((client, caller))
        fds = [guard.detach(), source.detach()]
        shelf.put(fds[1], fds, data, due, fds[0] if guarded else None)
        return client, caller, fds

    yield shelf, put
    for one in opened:
        one.close()


def test_who_has_something_to_read_is_told_until_it_is_quiet(waiting):
    shelf, put = waiting
    client, _, (_, source) = put()
    put()
    assert shelf.wait(0) == ([], [], [])
    client.sendall(b"y")
    assert shelf.wait(0) == ([source], [], [])
    assert shelf.wait(0) == ([source], [], [])
    shelf.quiet(source)
    shelf.quiet(source)
    assert shelf.wait(0) == ([], [], [])


def test_an_end_is_something_to_read(waiting):
    shelf, put = waiting
    client, _, (_, source) = put()
    client.close()
    assert shelf.wait(1) == ([source], [], [])


@pytest.mark.parametrize("guarded", [True, False])
def test_the_end_of_a_guard_is_told_if_somebody_wants_to_know(waiting, guarded):
    shelf, put = waiting
    _, caller, (_, source) = put(guarded=guarded)
    caller.close()
    assert shelf.wait(0) == ([], [source] if guarded else [], [])


def test_other_descriptors(waiting):
    shelf, _ = waiting
    read, write = os.pipe()
    shelf.add(read)
    shelf.add(write, write=True)
    assert shelf.wait(0) == ([], [], [write])
    os.write(write, b"x")
    shelf.drop(write)
    assert shelf.wait(0) == ([], [], [read])


def test_what_is_due(waiting):
    shelf, put = waiting
    sources = [put(due=due)[2][1] for due in (3.0, 1.0, 2.0)]
    assert shelf.due(0.5) == ([], 1.0)
    assert shelf.due(2.0) == (sources[1:], 3.0)
    assert shelf.due(9.0) == (sources, None)


def test_what_is_taken_away_is_closed_and_says_nothing_more(waiting):
    shelf, put = waiting
    client, caller, fds = put(data=b"state")
    copies = [os.dup(fd) for fd in fds]  # as another process has them
    assert shelf.look_at(fds[1]) == (b"state", fds)
    assert (len(shelf), fds[1] in shelf) == (1, True)
    shelf.remove(fds[1])
    client.sendall(b"y")
    caller.close()
    assert shelf.wait(0) == ([], [], [])
    assert (len(shelf), fds[1] in shelf) == (0, False)
    for fd in fds:
        with pytest.raises(OSError):
            os.fstat(fd)
    for fd in copies:
        os.close(fd)


def test_what_cannot_be_waited_for_is_not_kept(waiting):
    shelf, _ = waiting
    fd = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(OSError):
        shelf.put(fd, [fd], b"", 1.0, None)
    assert len(shelf) == 0
    os.close(fd)


def test_there_is_room_for_as_many_descriptors_as_the_limit_says(waiting, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda which: (OWN + 10, 4096))
    shelf = Shelf()
    assert shelf.has_room(10) and not shelf.has_room(11)
    one, other = os.pipe()
    shelf.put(one, [one, other], b"", 1.0, None)
    assert shelf.has_room(8) and not shelf.has_room(9)
    shelf.remove(one)
    assert shelf.has_room(10)
