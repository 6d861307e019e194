"""Whether a certificate is that of a host, by the names in it (aio: TLS in qmail-remote; RFC 6125 section 6.4)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 255  # characters of a stranger's name that are told on


def fits(pattern: str, host: str) -> bool:
    """Whether a name in a certificate, which may begin with `*.` for exactly one label, is that of a host.  Case does not matter."""
    pattern, host = pattern.lower(), host.lower()
    if not pattern.startswith("*."):
        return pattern == host
    label, _, rest = host.partition(".")
    return bool(label and rest) and rest == pattern[2:]


def objection(host: str, dns_names: Sequence[str], common_name: str) -> str:
    """Why a certificate is not that of a host, in the words of a report; "" if it is.

    dns_names    the DNS names in its subjectAltName; without any, `common_name` counts
    """
    if dns_names:
        return "" if any(fits(name, host) for name in dns_names) else "certificate contains no matching dNSNnames"
    if not common_name:
        return "certificate contains no valid commonName"
    if fits(common_name, host):
        return ""
    return "received certificate for " + "".join(sign if " " <= sign <= "~" else "?" for sign in common_name[:SHOWN])
