"""config-fast."""

from tests.checkout import LittleHome


def test_the_files_are_made(tmp_path):
    home = LittleHome(tmp_path)
    done = home.run("config-fast", "Mail.Example.ORG")
    assert (done.returncode, done.stderr) == (0, b"")
    found = {name: (tmp_path / "control" / name).read_text() for name in ("me", "defaultdomain", "plusdomain", "locals", "rcpthosts")}
    assert found == {"me": "mail.example.org\n", "defaultdomain": "example.org\n", "plusdomain": "example.org\n", "locals": "mail.example.org\n",
                     "rcpthosts": "mail.example.org\n"}


def test_bad_calls(tmp_path):
    home = LittleHome(tmp_path)
    assert home.run("config-fast").returncode == 100
    done = home.run("config-fast", "two words")
    assert (done.returncode, done.stderr) == (111, b"config-fast: fatal: 'two words' is not the name of a host\n")
