"""Channel bindings of TLS (RFC 5056; RFC 5929; RFC 9266): what ties a login to one connection.

Which of them a connection has is for `client.handshake`, which has the connection; here they get
their names and, of a certificate, their value. Of DER only what leads to the signature's algorithm
is read, from octets that the TLS library has parsed before.
"""

from __future__ import annotations

from typing import Final

from imaplus.records import record


@record
class ChannelBinding:
    """A type of channel binding and its value on one connection.

    `type` is "tls-exporter" (RFC 9266), "tls-unique" or "tls-server-end-point" (RFC 5929).
    """

    type: str
    data: bytes


END_POINT: Final = "tls-server-end-point"
UNIQUE: Final = "tls-unique"
EXPORTER: Final = "tls-exporter"

_HASHES: Final = {
    # RFC 8017, appendix A.2.4
    "1.2.840.113549.1.1.4": "sha256",  # md5WithRSAEncryption: MD5 counts as SHA-256
    "1.2.840.113549.1.1.5": "sha256",  # sha1WithRSAEncryption: so does SHA-1
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.113549.1.1.14": "sha224",
    # RFC 5758, 3: ECDSA and DSA
    "1.2.840.10045.4.1": "sha256",  # ecdsa-with-SHA1
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    "1.2.840.10040.4.3": "sha256",  # dsa-with-SHA1
    "2.16.840.1.101.3.4.3.1": "sha224",
    "2.16.840.1.101.3.4.3.2": "sha256",
}
_PSS: Final = "1.2.840.113549.1.1.10"
_PSS_HASHES: Final = {
    "1.3.14.3.2.26": "sha256",  # SHA-1
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_SEQUENCE: Final = 0x30
_OID: Final = 0x06
_FIRST_FIELD: Final = 0xA0
MOST_OCTETS: Final = 1 << 16
"""Of a certificate. Those of TLS are a few thousand octets long."""


def server_end_point(certificate: bytes) -> ChannelBinding | None:
    """The tls-server-end-point binding of a server's certificate in DER (RFC 5929, 4.1).

    It is the certificate's hash, by the hash function of its signature, SHA-256 for MD5 and SHA-1.
    None where that function is undefined (Ed25519 and Ed448 have none) or not known.
    """
    name = signature_hash(certificate)
    if name is None:
        return None
    import hashlib

    return ChannelBinding(END_POINT, hashlib.new(name, certificate).digest())


def signature_hash(certificate: bytes) -> str | None:
    """The hash function for tls-server-end-point, as `hashlib` names it; None if there is none.

    Certificate = SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } (RFC 5280, 4.1).
    """
    try:
        if len(certificate) > MOST_OCTETS:
            return None
        whole, _ = _read(certificate, _SEQUENCE)
        _, rest = _read(whole, _SEQUENCE)  # tbsCertificate
        algorithm, _ = _read(rest, _SEQUENCE)
        oid, parameters = _read(algorithm, _OID)
        name = _format_oid(oid)
        if name != _PSS:
            return _HASHES.get(name)
        # RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm DEFAULT sha1, ... } (RFC 4055, 3.1)
        fields, _ = _read(parameters, _SEQUENCE)
        if not fields or fields[0] != _FIRST_FIELD:
            return "sha256"
        field, _ = _read(fields, _FIRST_FIELD)
        algorithm, _ = _read(field, _SEQUENCE)
        return _PSS_HASHES.get(_format_oid(_read(algorithm, _OID)[0]))
    except ValueError:
        return None


def _read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The contents of the element of this tag that data begins with, and what follows it.

    Raises: ValueError if there is none, or it is not DER.
    """
    if len(data) < 2 or data[0] != tag:
        raise ValueError(f"expected an element with the tag {tag:#x}")
    length, begin = data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 3 or len(data) < 2 + octets:
            raise ValueError("the length is indefinite, or too long")
        begin += octets
        length = int.from_bytes(data[2:begin], "big")
    if len(data) < begin + length:
        raise ValueError("the element ends too soon")
    return data[begin : begin + length], data[begin + length :]


def _format_oid(oid: bytes) -> str:
    """An object identifier as it is usually written (X.690, 8.19).

    Raises: ValueError if it is not one.
    """
    if not oid or oid[-1] & 0x80 or len(oid) > 32:
        raise ValueError("not an object identifier")
    numbers: list[int] = []
    value = 0
    for octet in oid:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
