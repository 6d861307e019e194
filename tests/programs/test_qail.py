"""qail: mail goes into the mbox, then Mail reads it."""

from tests.checkout import LittleHome


def test_mail_is_moved_and_the_reader_started(tmp_path):
    home = LittleHome(tmp_path)
    home.program("maildir2mbox", "#!/bin/sh\necho moved $# $MAIL\n")
    home.program("Mail", '#!/bin/sh\necho "$0" "$@"\n')
    done = home.run("qail", "-f", "box", PATH=f"{tmp_path}/bin:/usr/bin:/bin", MAIL="mine")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"moved 0 mine\n{tmp_path}/bin/Mail -f box\n".encode(), b"")


def test_mail_that_cannot_be_moved(tmp_path):
    done = LittleHome(tmp_path).run("qail")
    assert (done.returncode, done.stderr) == (111, f"qail: fatal: unable to run {tmp_path}/bin/maildir2mbox: file does not exist\n".encode())
