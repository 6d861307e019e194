"""The length of DH parameters."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmailpy.text.pem import dh_bits
from tests.pki import der, dh_parameters

BEGIN, END = b"-----BEGIN DH PARAMETERS-----\n", b"\n-----END DH PARAMETERS-----\n"


@pytest.mark.parametrize("bits", [16, 512, 1024, 2048, 2047, 8192])
def test_the_bits_of_the_prime(bits):
    text = dh_parameters(bits).encode()
    assert dh_bits(text) == dh_bits(b"words\n" + text) == dh_bits(text.replace(b"DH P", b"X9.42 DH P")) == bits


@pytest.mark.parametrize("data", [
    b"", BEGIN, BEGIN + END, BEGIN + b"MIIB" + END, BEGIN + b"x" + END, b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    BEGIN + base64.b64encode(der(0x31, der(2, b"\5"))) + END, BEGIN + base64.b64encode(der(0x30, der(3, b"\5"))) + END,
])
def test_what_is_no_such_file(data):
    assert dh_bits(data) is None


@given(st.binary())
def test_anything_is_a_number_or_nothing(data):
    found = dh_bits(BEGIN + base64.b64encode(data) + END)
    assert found is None or found >= 0
    assert dh_bits(data) is None
