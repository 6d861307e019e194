"""Words for ciphers."""

import pytest

from qmailpy.text.ciphers import ciphers


@pytest.mark.parametrize(("lines", "older", "newer", "level"), [
    ([], b"DEFAULT", b"", None),
    ([b""], b"DEFAULT", b"", None),
    ([b"HIGH", b"MEDIUM"], b"HIGH:MEDIUM", b"", None),
    ([b"HIGH,MEDIUM !RC4;A"], b"HIGH:MEDIUM:!RC4:A", b"", None),
    ([b"TLS_AES_128_GCM_SHA256:HIGH:TLS_X"], b"HIGH", b"TLS_AES_128_GCM_SHA256:TLS_X", None),
    ([b"TLS_AES_128_GCM_SHA256"], b"", b"TLS_AES_128_GCM_SHA256", None),
    ([b"@SECLEVEL=0"], b"DEFAULT:@SECLEVEL=0", b"", 0),
    ([b"HIGH@SECLEVEL=1", b"@SECLEVEL=0"], b"HIGH@SECLEVEL=1:@SECLEVEL=0", b"", 0),
    ([b"HIGH:@SECLEVEL=2"], b"HIGH:@SECLEVEL=2", b"", 2),
    ([b"HIGH:@SECLEVEL=x"], b"HIGH:@SECLEVEL=x", b"", None),
    ([b"HIGH:@SECLEVEL=10"], b"HIGH:@SECLEVEL=10", b"", None),
])
def test_words(lines, older, newer, level):
    found = ciphers(lines)
    assert (found.older, found.newer, found.level) == (older, newer, level)
    assert found.weak == (level == 0)
