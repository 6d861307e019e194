"""qmail-cert: make the servers' certificate, or a request for one.  See qmail-cert(8)."""

from __future__ import annotations

import datetime
import os

import click

from qmailpy.exits import OK, PERMANENT, Temporary, complain, during
from qmailpy.home import here
from qmailpy.serve.certificate import Holder, new_key, request, self_signed, text_of
from qmailpy.settings.initial import checked
from qmailpy.settings.load import load
from qmailpy.unix.files import contents, replace
from qmailpy.unix.tls_server import private_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.home import Home
    from qmailpy.serve.certificate import Key

SERVER, CLIENT = "servercert.pem", "clientcert.pem"
MODE = 0o640


@click.command(help="Make control/servercert.pem: a key, and a certificate that vouches for itself. An existing one is left alone.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A name of this host; may be given several times. Default: what control/me says.")
@click.option("--email", default="", metavar="ADDRESS", help="An e-mail address to put into the certificate; other hosts may let its bearer relay.")
@click.option("--days", type=click.IntRange(1, 36500), default=366, show_default=True, help="How long the certificate is good.")
@click.option("--ec", "elliptic", is_flag=True, help="A key for elliptic curves (P-256); without this, RSA with 2048 bits.")
@click.option("--request", "wanted", is_flag=True, help="Write a request for an authority, for the key in servercert.pem or a new one.")
@click.option("--output", default="req.pem", show_default=True, metavar="FILE", help="Where the request goes.")
def command(names: tuple[str, ...], email: str, days: int, elliptic: bool, wanted: bool, output: str) -> None:
    """What the command line says, done."""
    home = here()
    holder = Holder([checked(name) for name in names] or [own_name(home)], email)
    try:
        if wanted:
            write_request(home, holder, output, elliptic=elliptic)
        else:
            write_certificate(home, holder, days, elliptic=elliptic)
    except ValueError as problem:
        raise click.UsageError(f"no certificate can be made out to that: {problem}") from None


def own_name(home: Home) -> str:
    """This host's name.  Raises Temporary."""
    me = load(home, ["me"]).line("me")
    if not me:
        raise Temporary("there is no control/me; --name says which name to use")
    return checked(me.decode("utf-8", "surrogateescape"))


def write_certificate(home: Home, holder: Holder, days: int, *, elliptic: bool) -> None:
    """Make key and certificate, unless there are any."""
    path = home.at("control", SERVER)
    if os.path.lexists(path):
        print(f"{path} is there already: nothing was done.")
        return
    key = new_key(elliptic=elliptic)
    put(home, text_of(key) + self_signed(key, holder, days, datetime.datetime.now(datetime.UTC)))
    print(f"{path}: a key, and a certificate for {', '.join(holder.names)} that is good for {days} days.")
    link_client(home)


def write_request(home: Home, holder: Holder, output: str, *, elliptic: bool) -> None:
    """Make a request for the key that there is, or for a new one."""
    path = home.at("control", SERVER)
    key = existing_key(path)
    text = request(key or (fresh := new_key(elliptic=elliptic)), holder)
    if key is None:
        put(home, text_of(fresh))
        print(f"{path}: a new key.")
        link_client(home)
    with during(f"unable to write {output}"):
        replace(output, text)
    print(f"{output}: a request for {', '.join(holder.names)}. Give it to an authority. What that gives back, and its own certificates between, belong")
    print(f"into {path}, in the place of an older certificate, if there is one: the key must stay.")


def existing_key(path: str) -> Key | None:
    """The key in a file; None if there is no such file.  Raises Temporary if it has none."""
    with during(f"unable to read {path}"):
        data = contents(path)
    if data is None:
        return None
    key = private_key(data)
    if key is None:
        raise Temporary(f"{path}: there is no private key in it, or one under a password")
    return key


def put(home: Home, text: bytes) -> None:
    """Write servercert.pem, for qmail-smtpd and, by its group, for qmail-remote to read, and for nobody else."""
    with during(f"unable to write control/{SERVER}"):
        replace(home.at("control", SERVER), text, MODE, (home.uid("qmaild"), home.gid("qmail")))


def link_client(home: Home) -> None:
    """Let qmail-remote show the same certificate, unless it has one."""
    path = home.at("control", CLIENT)
    if not os.path.lexists(path):
        with during(f"unable to make control/{CLIENT}"):
            os.symlink(SERVER, path)
        print(f"{path}: the same, for servers that ask who we are.")


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    os.umask(0o077)
    try:
        return command.main(argv[1:], prog_name="qmail-cert", standalone_mode=False) or OK
    except click.ClickException as problem:
        complain(f"qmail-cert: fatal: {problem.format_message()}")
        return PERMANENT
