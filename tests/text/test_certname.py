"""Names in certificates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.certname import fits, objection

HOSTS = ("mx1.d.example", "d.example", "a.mx1.d.example")
NO_MATCH = "certificate contains no matching dNSNnames"


@pytest.mark.parametrize(("dns_names", "common_name", "good"), [
    (["mx1.d.example"], "", (True, False, False)), (["*.d.example"], "", (True, False, False)), (["*"], "", (False, False, False)),
    (["other.example"], "mx1.d.example", (False, False, False)), ([], "MX1.D.EXAMPLE", (True, False, False)), (["x", "MX1.d.example"], "", (True, False, False)),
    ([], "*.d.example", (True, False, False)), ([], "*", (False, False, False)),
])
def test_the_table_of_names(dns_names, common_name, good):
    assert tuple(objection(host, dns_names, common_name) == "" for host in HOSTS) == good


@pytest.mark.parametrize(("dns_names", "common_name", "words"), [
    (["other.example"], "mx1.d.example", NO_MATCH), (["mx1.d.example\0.evil.example"], "", NO_MATCH), ([], "", "certificate contains no valid commonName"),
    ([], "other.example", "received certificate for other.example"), ([], "a\nb\x7f\xe9", "received certificate for a?b??"),
    ([], "x" * 999, "received certificate for " + "x" * 255),
])
def test_words(dns_names, common_name, words):
    assert objection("mx1.d.example", dns_names, common_name) == words


@pytest.mark.parametrize(("pattern", "host"), [("*.", "x."), ("*.d", ".d"), ("*.d", "d"), ("mx*.d", "mx1.d"), ("a.*.d", "a.b.d"), ("*.*.d", "a.b.d"), ("", "d"), ("**.d", "a.d")])
def test_a_star_is_one_whole_label_at_the_start_and_nothing_else(pattern, host):
    assert not fits(pattern, host)


@given(st.lists(st.text("ab*", min_size=1, max_size=2), min_size=1, max_size=4), st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4))
def test_label_by_label(pattern, host):
    star = len(pattern) > 1 and pattern[0] == "*"
    model = len(pattern) == len(host) and all(ours == theirs or (star and at == 0) for at, (ours, theirs) in enumerate(zip(pattern, host, strict=True)))
    assert fits(".".join(pattern), ".".join(host)) == model
