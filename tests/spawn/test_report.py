"""What becomes of a child's end and words."""

import pytest

from qmailpy.spawn.report import of_local, of_remote


@pytest.mark.parametrize(("status", "output", "report"), [
    (0, b"did 1+0+0\n", b"Kdid 1+0+0\n"), (100, b"no\n", b"Dno\n"), (111, b"later", b"Zlater"), (71, b"", b"Z"), (74, b"", b"Z"), (75, b"", b"Z"), (1, b"x", b"Dx"),
    (99, b"", b"D"), (0, b"a\0b", b"Ka"), (-9, b"x", b"Zqmail-local crashed.\n"), (120, b"", b"ZUnable to run qmail-local.\n"),
    (113, b"", b"ZNot allowed to perform deliveries as root.\n"), (117, b"", b"ZTrouble reading users/cdb in qmail-lspawn.\n"),
])
def test_local(status, output, report):
    assert of_local(status, output) == report


@pytest.mark.parametrize(("status", "output", "report"), [
    (0, b"r\0Kok\n\0", b"Kok\n"), (0, b"rnice\0Kok\n\0", b"Knice" + b"ok\n"), (0, b"r\0Zlater\0", b"Zlater"), (0, b"hno\n\0Dgiving up\0", b"Dno\ngiving up"),
    (0, b"sno\n\0Dgiving up\0", b"Zno\ngiving up"), (0, b"hno\n\0Kok\0", b"Dno\n"), (0, b"sno\n\0Kok\0", b"Zno\n"), (0, b"Zcould not\n\0", b"Zcould not\n"),
    (0, b"r\0", b"D"), (0, b"r", b"D"), (0, b"", b"Zqmail-remote produced no output.\n"), (111, b"x", b"ZUnable to run qmail-remote.\n"),
    (-11, b"", b"Zqmail-remote crashed.\n"), (1, b"", b"DUnable to run qmail-remote.\n"),
])
def test_remote(status, output, report):
    assert of_remote(status, output) == report
