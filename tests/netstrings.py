"""Messages for QMTP and QMQP, and the replies."""

from qmailpy.text.netstring import encoded


def joined(*strings):
    """Netstrings, one after the other."""
    return b"".join(map(encoded, strings))


def qmtp(body=b"\nSubject: x\n\nbody\n", sender=b"a@b.example", recipients=(b"c@ours.example",)):
    """One message by QMTP; the first byte of the body tells its line ends."""
    return joined(body, sender, joined(*recipients))


def qmqp(message=b"Subject: x\n\nbody\n", sender=b"a@b.example", recipients=(b"c@ours.example",)):
    """One message by QMQP."""
    return encoded(joined(message, sender, *recipients))


def replies(said):
    """The texts of the netstrings that a server has said."""
    found = []
    while said:
        size, _, rest = said.partition(b":")
        end = int(size)
        assert rest[end:end + 1] == b","
        found.append(rest[:end])
        said = rest[end + 1:]
    return found
