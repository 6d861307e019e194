"""Load with murder, in short form; and that each broken promise is seen."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

from crash.soak import clients, family
from crash.soak.family import Member, role_of
from crash.soak.letters import ASTRAY, TORN, WHOLE, Letters, address, following, ticket_of
from crash.soak.logs import Log, unexplained
from crash.soak.sink import Sink
from crash.soak.verdict import History, Verdict
from tests.checkout import TOP
from tests.home import wait_for

LETTERS = Letters(7)
TRACE = b"Return-Path: <a@b.example>\nDelivered-To: box1@here.example\nReceived: from x by y;\n  today\n"
TICKETS = [f"{number:06}-1" for number in range(40)]


def test_the_home_keeps_its_promises(single):
    single.control(me="here.example\n")
    command = [sys.executable, "-m", "crash.soak", "--home", str(single.path), "--seconds", "10", "--sessions", "20", "--messages", "300", "--every", "0.4"]
    env = {**os.environ, "PYTHONPATH": f"{TOP}:{TOP}/.build/site"}
    try:
        done = subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, timeout=200)
        lines = (single.path / "soak/log").read_text().split("\n")
        told = [line for line in lines if not re.search("status: |delivery|(new|info|end) msg", line)]
        assert done.returncode == 0, "\n".join([done.stdout + done.stderr, *told])
    finally:
        shutil.rmtree(single.path / "soak", ignore_errors=True)
    figures = {word: int(count) for word, count in re.findall(r"([a-z]+) (\d+)", done.stdout.rpartition("soak: ")[2])}
    assert figures["messages"] >= 20 and figures["kills"] >= 3 and figures["sessions"] >= 10
    assert not any(figures[word] for word in ("lost", "unexplained", "phantoms", "torn", "astray", "stuck", "remaining", "grown", "silent", "lines"))


def test_somebodys_home_is_left_alone(single):
    done = subprocess.run([sys.executable, "-m", "crash.soak", "--home", str(single.path)], cwd=TOP,
                          env={**os.environ, "PYTHONPATH": f"{TOP}:{TOP}/.build/site"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "has mail of its own" in done.stderr
    assert (single.path / "control/me").read_text() == "mx.test.example\n"


# the verdict


@pytest.fixture
def history():
    """Ten letters, all of which arrived, and were logged."""
    found = History(LETTERS.recipients, Log())
    found.sent.update(TICKETS[:10])
    for ticket in sorted(found.sent):
        for recipient in LETTERS.recipients(ticket):
            found.copies[recipient] = found.log.successes[recipient] = 1
    return found


def broken(history):
    return {word for word, found in Verdict(history).broken.items() if found}


def one(history):
    return sorted(history.copies)[3]


def test_nothing_broken(history):
    verdict = Verdict(history)
    assert verdict.kept() and verdict.lines() == [] and set(verdict.broken) >= {"lost", "torn"}


def test_a_lost_letter(history):
    gone = one(history)
    del history.copies[gone]
    assert Verdict(history).broken["lost"] == [gone] and not Verdict(history).kept()


def test_a_letter_that_one_of_its_recipients_did_not_get(history):
    ticket = next(ticket for ticket in TICKETS if len(LETTERS.recipients(ticket)) == 2)
    history.sent.add(ticket)
    there, missing = LETTERS.recipients(ticket)
    history.copies[there] = 1
    assert Verdict(history).broken["lost"] == [missing]


def test_a_copy_too_many(history):
    twice = one(history)
    history.copies[twice] = 2
    verdict = Verdict(history)
    assert verdict.broken["unexplained"] == [f"1 more of {twice}"] and (verdict.duplicated, verdict.explained) == (1, 0)


def test_a_copy_that_a_kill_explains(history):
    history.copies[one(history)], history.log.unsure[one(history)] = 2, 1
    history.kills["qmail-local"] = 1
    verdict = Verdict(history)
    assert verdict.kept() and (verdict.duplicated, verdict.explained, verdict.repeated) == (1, 1, 0)
    history.copies[one(history)] = 3
    assert broken(history) == {"unexplained"}


def test_more_copies_than_were_under_way_at_a_kill(history):
    for recipient in list(history.copies)[:2]:
        history.copies[recipient], history.log.unsure[recipient] = 2, 1
    history.kills["qmail-remote"] = 1
    assert Verdict(history).broken["explained"] == ["2 explained, for at most 1"]
    history.kills["qmail-remote"] = 2
    assert Verdict(history).kept()


def test_deliveries_that_were_reported_and_yet_repeated(history):
    for recipient in list(history.copies)[:3]:
        history.copies[recipient] = history.log.successes[recipient] = 2
    assert broken(history) == {"repeated"} and Verdict(history).repeated == 3
    history.kills["qmail-send"] = 4
    assert Verdict(history).kept()


def test_a_letter_that_nobody_had_sent_whole(history):
    history.copies[LETTERS.recipients(TICKETS[20])[0]] = 1
    assert Verdict(history).broken["phantoms"] == [TICKETS[20]]


def test_a_letter_that_arrived_without_being_accepted(history):
    history.doubtful.add(TICKETS[20])
    history.copies[LETTERS.recipients(TICKETS[20])[0]] = 1
    assert broken(history) == {"echoes"}
    history.kills["worker of queue"] = 1
    assert Verdict(history).kept() and Verdict(history).echoes == [TICKETS[20]]


@pytest.mark.parametrize(("name", "word"), [("torn", "torn"), ("astray", "astray"), ("left", "stuck"), ("remaining", "remaining"), ("grown", "grown"), ("silent", "silent")])
def test_other_flaws(history, name, word):
    getattr(history, name).append("something")
    verdict = Verdict(history)
    assert broken(history) == {word} and verdict.lines() == [f"    {word}: something"] and verdict.figures()[word] == 1


def test_a_line_that_nobody_has_foreseen(history):
    history.log.read("alert: unable to read the queue: input/output error; HELP!")
    assert broken(history) == {"lines"}


# the log


def read(*lines):
    log = Log()
    for line in lines:
        log.read(line)
    return log


BEGUN = "starting delivery 5: msg 77 to local box1-000001-1@here.example"


def test_deliveries_in_the_log():
    log = read("new msg 77", "info msg 77: bytes 9 from <a@b.example> qp 1 uid 0", BEGUN, "status: local 1/10 remote 0/20", "delivery 5: success: did_1+0+0/", "end msg 77")
    assert (log.begun["box1-000001-1"], log.successes["box1-000001-1"], log.unsure, log.unforeseen, log.ended) == (1, 1, {}, [], 1)


@pytest.mark.parametrize("line", ["delivery 5: deferral: ", "delivery 5: deferral: 127.0.0.1_does_not_like_recipient./Remote_host_said:_451_come_again/Giving_up_on_127.0.0.1./"])
def test_deferrals_that_were_asked_for(line):
    log = read(BEGUN, line)
    assert not log.unforeseen and not log.unsure and not log.under_way


def test_whose_end_nobody_can_tell():
    log = read(BEGUN)
    log.restart()
    assert log.unsure == {"box1-000001-1": 1}
    assert read(BEGUN, "delivery 5: deferral: qmail-local_crashed./").unsure == {"box1-000001-1": 1}


@pytest.mark.parametrize("line", ["delivery 5: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/", "delivery 5: deferral: Temporary_error_on_maildir_delivery._(#4.3.0)/",
                                  "qmail-smtpd: fatal: internal error: ValueError: x at a.py:1", "Traceback (most recent call last):"])
def test_lines_that_are_told(line):
    assert read(BEGUN, line).unforeseen == [line]


def test_a_line_for_each_kill_and_no_more():
    log = read(*["alert: oh no! lost qmail-clean connection! dying..."] * 5)
    log.restart()
    log.read("alert: oh no! lost qmail-clean connection! dying...")
    assert not log.unforeseen
    assert not unexplained(log.lines, {"qmail-clean": 2}) and "2 lines like" in unexplained(log.lines, {"qmail-clean": 1})[0]


# the letters


def test_letters_are_made_of_their_tickets():
    assert LETTERS.text(TICKETS[0]) == Letters(7).text(TICKETS[0]) != LETTERS.text(TICKETS[1])
    assert following("000001-1") == "000001-2"
    words = {recipient.partition("-")[0].rstrip("0123") for ticket in TICKETS for recipient in LETTERS.recipients(ticket)}
    assert words == {"box", "late", "now", "later"}
    assert (address("box1-000001-1"), address("later-000001-1")) == ("box1-000001-1@here.example", "later-000001-1@far.example")
    assert {ticket_of(recipient) for recipient in LETTERS.recipients(TICKETS[3])} == {TICKETS[3]}


def test_what_is_found():
    recipient = LETTERS.recipients(TICKETS[0])[0]
    word, text = recipient.partition("-")[0], LETTERS.text(TICKETS[0])
    assert LETTERS.judge(word, TRACE + text) == (WHOLE, recipient)
    other = next(box for box in ("box0", "box1", "now") if box != word)
    assert LETTERS.judge(other, TRACE + text)[0] == ASTRAY
    for torn in (text[:-1], text + b"more\n", b"mixed\n" + text, text.replace(b"\n.1 ", b"\n.9 "), LETTERS.text(TICKETS[1]) + text, b""):
        assert LETTERS.judge(word, torn)[0] == TORN, torn[:80]


# the other host


def dialogue(sink, *said):
    session = sink.session()
    next(session)
    return [session.send(line)[0] for line in said]


def test_the_other_host_takes_a_letter_at_the_second_try_and_tells_it(monkeypatch):
    from crash.soak import sink as module
    told = []
    monkeypatch.setattr(module, "tell", lambda *words: told.append(words))
    ticket = next(ticket for ticket in TICKETS if LETTERS.recipients(ticket)[0].startswith("later-"))
    sink, recipient = Sink(7), f"later-{ticket}"
    ask = f"RCPT TO:<{recipient}@far.example>\r\n".encode()
    assert dialogue(sink, ask) == [b"451 come again\r\n"]
    wire = LETTERS.text(ticket).replace(b"\n.", b"\n..").replace(b"\n", b"\r\n") + b".\r\n"
    assert dialogue(sink, ask, b"DATA\r\n", wire) == [b"250 ok\r\n", b"354 go ahead\r\n", b"250 ok\r\n"]
    dialogue(sink, ask, b"DATA\r\n", wire[40:])
    dialogue(sink, b"RCPT TO:<later-000099-1@far.example>\r\n", b"RCPT TO:<later-000099-1@far.example>\r\n", b"DATA\r\n", wire)
    assert told[0] == (WHOLE, recipient) and [words[0] for words in told[1:]] == [TORN, ASTRAY]


# the clients


def answer(listener, *scripts):
    """A server: one script of replies for each connection; the letter is read before the reply to it; None hangs up."""
    for script in scripts:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for reply in script:
                if reply is None:
                    break
                connection.sendall(reply + b"\r\n")
                if reply.startswith(b"221"):
                    break
                if reply.startswith(b"354"):
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                elif not lines.readline():
                    break


def test_what_a_client_makes_of_the_answers(monkeypatch):
    told = []
    monkeypatch.setattr(clients, "tell", lambda *words: told.append(words))
    monkeypatch.setattr(clients, "REST", 0.0)
    monkeypatch.setattr(signal, "signal", lambda number, action: None)
    one = next(number for number in range(40) if len(LETTERS.recipients(f"{number:06}-1")) == 1)
    ok, ready, begin = b"250 ok", b"354 go ahead", (b"220 here", b"250-here\r\n250 8BITMIME", b"250 ok")
    scripts = [(None,), (*begin, b"451 not now"), (*begin, ok, ready, None), (*begin, ok, ready, b"451 qq crashed"), (*begin, ok, ready, ok, b"221 bye")]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer, args=(listener, *scripts), daemon=True)
        server.start()
        clients.Clients(LETTERS, [one], [listener.getsockname()[1]], 1, 1000).run()
        server.join(30)
    assert [words for words in told if words[0] != "open"] == [
        ("away", "gone"), ("refused", f"{one:06}-1", "451 not now"), ("doubt", f"{one:06}-2", "gone"), ("doubt", f"{one:06}-3", "451 qq crashed"), ("sent", f"{one:06}-4")]


# who is who


def test_roles():
    pool, inner = ("qmail-pool", "-p", "2", "servers"), ("qmail-pool", "-s", "servers")
    members = {2: Member(1, "qmail-send"), 3: Member(2, "qmail-lspawn"), 4: Member(3, "qmail-lspawn"), 5: Member(3, "qmail-local"), 6: Member(2, "qmail-pool", pool),
              7: Member(6, "qmail-pool", inner), 8: Member(7, "qmail-pool", inner), 9: Member(1, "qmail-pool", inner), 10: Member(1, "qmail-tcpserver"),
              11: Member(10, "qmail-tcpserver"), 12: Member(1, "qmail-rspawn"), 13: Member(11, "qmail-smtpd"), 14: Member(13, "sh"), 15: Member(2, "qmail-clean")}
    assert {pid: role_of(pid, members, 1) for pid in members} == {
        2: "qmail-send", 3: "qmail-lspawn", 4: "qmail-local", 5: "qmail-local", 6: "keeper of servers", 7: "supervisor of servers", 8: "worker of servers", 9: "",
        10: "qmail-tcpserver", 11: "", 12: "", 13: "qmail-smtpd", 14: "", 15: "qmail-clean"}


def test_each_round_everybody_has_his_turn_once(tmp_path, monkeypatch):
    monkeypatch.setattr(family, "FLEETING", 0.0)
    shutil.copy(shutil.which("sleep"), tmp_path / "tcpserver")
    victim, noted = subprocess.Popen([tmp_path / "tcpserver", "1000"]), []
    wait_for(lambda: (found := family.look_at(victim.pid)) and found.name == "tcpserver")
    killer = family.Killer(1, os.getpid())
    for _ in family.ROLES:
        assert killer.strike(noted.append)
    assert victim.wait(30) == -signal.SIGKILL and noted == [f"killed tcpserver {victim.pid}"]
    assert killer.kills == {"tcpserver": 1} and killer.missed == dict.fromkeys(set(family.ROLES) - {"tcpserver"}, 1) and not killer.round
