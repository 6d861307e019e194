"""Which files TLS is made of."""

import pytest

from qmailpy.home import Home
from qmailpy.serve.tls import material
from tests.smtp.world import values


@pytest.mark.parametrize(("given", "asks", "authorities", "revoked"), [
    ({}, True, None, None),
    ({"clientca_pem": True, "clientcrl_pem": True, "tlsclients": frozenset()}, True, "/q/control/clientca.pem", "/q/control/clientcrl.pem"),
    ({"clientca_pem": True, "tlsclients": frozenset()}, True, "/q/control/clientca.pem", None),
    ({"clientca_pem": True, "clientcrl_pem": True}, True, None, None),
    ({"clientca_pem": True, "clientcrl_pem": True, "tlsclients": frozenset()}, False, None, None),
])
def test_authorities_where_they_matter(given, asks, authorities, revoked):
    found = material(Home("/q"), values(**given), ask_clients=asks)
    assert (found.authorities, found.revoked) == (authorities, revoked)


def test_the_rest():
    found = material(Home("/q"), values(tlsserverciphers=[b"HIGH", b"!RC4"]))
    assert (found.certificate, found.names, found.words) == ("/q/control/servercert.pem", "/q/control/servercerts", [b"HIGH", b"!RC4"])
    assert found.parameters == ("/q/control/dh2048.pem", "/q/control/dh1024.pem")
    assert found.outdated == ("/q/control/dh512.pem", "/q/control/rsa512.pem")
