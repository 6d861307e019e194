"""qmail-getpw."""

import os

from tests.checkout import LittleHome


def test_six_fields_come_out(tmp_path):
    done = LittleHome(tmp_path).run("qmail-getpw", "no-such-user-here")
    assert done.returncode == 0
    assert done.stdout == b"alias\0%d\0%d\0%s/alias\0-\0no-such-user-here\0" % (os.getuid(), os.getgid(), os.fsencode(tmp_path))
