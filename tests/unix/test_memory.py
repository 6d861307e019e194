"""What the C library does with memory that is free."""

from qmailpy.unix.limits import private_bytes
from qmailpy.unix.memory import tidy
from tests.pools import in_child


def test_what_is_free_goes_back_to_the_system():
    def work():
        kept = []
        for _ in range(4000):  # small enough not to be mapped one by one, and every second one stays until the end
            kept += [b"x" * 8000, b"x" * 600]
        before = private_bytes()
        del kept[::2]
        held = private_bytes()
        tidy()
        return held - before, before - private_bytes()

    held, returned = in_child(work)
    assert held > -8 << 20
    assert returned > 16 << 20
