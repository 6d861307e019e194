"""Dialogues as text: C: lines go in, S: lines must come out; played with whole lines, and byte by byte."""


def play(new_session, script):
    """Play a script against new sessions.  {} in an S: line stands for anything."""
    lines = [line.strip().encode() for line in script.strip().splitlines() if line.strip()]
    for step in (1 << 20, 1):
        session = new_session()
        said = session.greeting()
        for line in lines:
            who, text = line[:2], line[3:] + b"\r\n"
            if who == b"S:":
                got, _, said = said.partition(b"\r\n")
                assert agrees(text, got + b"\r\n"), f"{got!r} instead of {text!r}"
            else:
                assert said == b"", f"unexpected {said!r} before {text!r}"
                said = b"".join(answer for at in range(0, len(text), step) for answer in session.feed(text[at:at + step]))
        assert said == b"", f"left over: {said!r}"


def agrees(wanted, got):
    """Whether a line is what the script says."""
    before, mark, after = wanted.partition(b"{}")
    return got == wanted if not mark else got.startswith(before) and got.endswith(after)
