"""What qmail-queue's exit codes mean (qmail-queue(8); aio: QMAILQUEUE and the custom error message)."""

from __future__ import annotations

ADDRESS_TOO_LONG = 11
REJECTED = 31
OUT_OF_MEMORY = 51
TIMED_OUT = 52
WRITE_ERROR = 53
READ_ERROR = 54
NO_CONTROLS = 55
NO_HOME, NO_QUEUE, NO_PID, NO_MESS, NO_INTD, NO_TODO = 61, 62, 63, 64, 65, 66
BUG = 81
CUSTOM = 82
BAD_ENVELOPE = 91
UNRUNNABLE = 120

TROUBLE_CREATING = "Zqq trouble creating files in queue (#4.3.0)"
TEXTS = {
    ADDRESS_TOO_LONG: "Denvelope address too long for qq (#5.1.3)",
    115: "Denvelope address too long for qq (#5.1.3)",
    REJECTED: "Dmail server permanently rejected message (#5.3.0)",
    OUT_OF_MEMORY: "Zqq out of memory (#4.3.0)",
    TIMED_OUT: "Zqq timeout (#4.3.0)",
    WRITE_ERROR: "Zqq write error or disk full (#4.3.0)",
    READ_ERROR: "Zqq read error (#4.3.0)",
    NO_CONTROLS: "Zqq unable to read configuration (#4.3.0)",
    56: "Zqq trouble making network connection (#4.3.0)",
    NO_HOME: "Zqq trouble in home directory (#4.3.0)",
    **dict.fromkeys((NO_QUEUE, NO_PID, NO_MESS, NO_INTD, NO_TODO), TROUBLE_CREATING),
    71: "Zmail server temporarily rejected message (#4.3.0)",
    72: "Zconnection to mail server timed out (#4.4.1)",
    73: "Zconnection to mail server rejected (#4.4.1)",
    74: "Zcommunication with mail server failed (#4.4.2)",
    BUG: "Zqq internal bug (#4.3.0)",
    BAD_ENVELOPE: "Zqq internal bug (#4.3.0)",
    UNRUNNABLE: "Zunable to exec qq (#4.3.0)",
}
CRASHED = "Zqq crashed (#4.3.0)"
NO_PROGRAM = "Zqqt failure (#4.3.0)"
CUSTOM_LIMIT = 255  # bytes of a custom text


def text_of(code: int, custom: bytes = b"") -> str:
    """The verdict of a queue program: "D..." permanent, "Z..." temporary; "" for 0.

    code    its exit status; negative: the signal that ended it
    custom  what it wrote where a custom text may come from; counts with exit 82 only
    """
    if code == 0:
        return ""
    if code < 0:
        return CRASHED
    if code == CUSTOM and (text := custom_text(custom)):
        return text
    if code in TEXTS:
        return TEXTS[code]
    return "Dqq permanent problem (#5.3.0)" if 11 <= code <= 40 else "Zqq temporary problem (#4.3.0)"


def custom_text(custom: bytes) -> str:
    """A usable custom text, as one clean line that begins with D or Z; "" where there is none (aio: QMAILQUEUE)."""
    text = custom[:CUSTOM_LIMIT].rstrip(b"\r\n\t ")
    if len(custom) <= 2 or len(text) < 2:
        return ""
    letter = "D" if text.startswith(b"D") else "Z"  # whatever it is, as in C
    return letter + "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in text[1:])
