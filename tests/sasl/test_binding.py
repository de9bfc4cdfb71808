"""Channel bindings: the hash of tls-server-end-point, by certificates of many kinds."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from imaplus.sasl.binding import ChannelBinding, server_end_point, signature_hash

RSA = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def certificate(key: object, algorithm: object, pss: bool = False) -> bytes:
    """A self-signed certificate in DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),  # type: ignore[attr-defined]
        x509.random_serial_number(),
        datetime.datetime(2020, 1, 1),
        datetime.datetime(2040, 1, 1),
    )
    more = {"rsa_padding": padding.PSS(padding.MGF1(algorithm), 20)} if pss else {}  # type: ignore[arg-type]
    made = builder.sign(key, algorithm, **more)  # type: ignore[arg-type]
    return made.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("key", "algorithm", "pss", "expected"),
    [
        (RSA, hashes.SHA256(), False, "sha256"),
        (RSA, hashes.SHA384(), False, "sha384"),
        (RSA, hashes.SHA512(), False, "sha512"),
        (RSA, hashes.SHA224(), False, "sha224"),
        (RSA, hashes.SHA256(), True, "sha256"),
        (RSA, hashes.SHA384(), True, "sha384"),
        (RSA, hashes.SHA512(), True, "sha512"),
        (CURVE, hashes.SHA256(), False, "sha256"),
        (CURVE, hashes.SHA384(), False, "sha384"),
        (CURVE, hashes.SHA512(), False, "sha512"),
        (EDWARDS, None, False, None),
    ],
)
def test_the_hash_is_the_signatures(
    key: object, algorithm: object, pss: bool, expected: str | None
) -> None:
    der = certificate(key, algorithm, pss)
    assert signature_hash(der) == expected
    found = server_end_point(der)
    if expected is None:
        assert found is None
    else:
        data = hashlib.new(expected, der).digest()
        assert found == ChannelBinding("tls-server-end-point", data)


def element(tag: int, *parts: bytes) -> bytes:
    """One element of DER that is shorter than 128 octets."""
    contents = b"".join(parts)
    return bytes((tag, len(contents))) + contents


def signed_by(oid: str, *parameters: bytes) -> bytes:
    """What of a certificate is read: its signature algorithm stands behind the rest."""
    algorithm = element(0x30, element(0x06, bytes.fromhex(oid)), *parameters)
    return element(0x30, element(0x30), algorithm, element(0x03, b"\0signature"))


PSS = "2a864886f70d01010a"


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        (signed_by("2a864886f70d010104"), "sha256"),  # MD5 (RFC 5929, 4.1)
        (signed_by("2a864886f70d010105"), "sha256"),  # SHA-1
        (signed_by("2a8648ce3d0401"), "sha256"),  # ECDSA with SHA-1
        (signed_by("2a8648ce380403"), "sha256"),  # DSA with SHA-1
        (signed_by("608648016503040302"), "sha256"),  # DSA with SHA-256
        (signed_by(PSS, element(0x30)), "sha256"),  # SHA-1 by default
        (signed_by(PSS, element(0x30, element(0xA1))), "sha256"),
        (signed_by(PSS), None),
        (signed_by("2a0304"), None),
        (signed_by(""), None),
        (signed_by("2a83"), None),
        (b"", None),
        (b"\x30\x80\0\0", None),
        (b"\x30\x84\0\0\0\0", None),
        (b"\x30" * 10_000, None),
        (b"\x30\x83\xff\xff\xff" + b"\0" * 100, None),
        (b"\0" * 100_000, None),
    ],
)
def test_old_hashes_and_what_is_no_certificate(der: bytes, expected: str | None) -> None:
    assert signature_hash(der) == expected
    assert (server_end_point(der) is None) == (expected is None)


@given(st.binary(max_size=200))
def test_anything_is_read_without_an_error(der: bytes) -> None:
    signature_hash(der)


WHOLE = certificate(CURVE, hashes.SHA256())


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_certificate_with_a_wrong_octet_is_read_without_an_error(place: int, octet: int) -> None:
    signature_hash(WHOLE[:place] + bytes((octet,)) + WHOLE[place + 1 :])
    assert signature_hash(WHOLE[:place]) is None
