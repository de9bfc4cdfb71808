"""Certificates for localhost, made by openssl: a CA, a server, a client, and a stranger.

The stranger (`other-ca.pem`) must not verify the server: that is what it is for.
"""

from __future__ import annotations

from .machine import Lab, run, write

_DAYS = ("-sha256", "-days", "3650")
_LEAF = """\
basicConstraints=critical,CA:FALSE
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""
_SERVER = """\
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
"""
_CLIENT = """\
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
"""


def make_certificates(lab: Lab) -> None:
    """Fill the lab's tls directory, unless that was done before."""
    tls = lab.tls
    if lab.ca.exists():
        return
    tls.mkdir(exist_ok=True)
    _authority(lab, "other-ca", "imaplus lab, unrelated CA")
    _authority(lab, "issuer", "imaplus lab CA")
    _issue(lab, "server", "/CN=localhost", _SERVER)
    _issue(lab, "alice", "/CN=alice", _CLIENT)  # SASL EXTERNAL
    # Courier wants key and certificate in one file.
    key, certificate = ((tls / f"server.{suffix}").read_text() for suffix in ("key", "pem"))
    write(tls / "server-both.pem", key + certificate)
    # The CA's file comes last: it says that all is there.
    write(lab.ca, (tls / "issuer.pem").read_text())
    lab.give(tls)
    for public in ("ca.pem", "other-ca.pem", "server.pem"):
        (tls / public).chmod(0o644)
    tls.chmod(0o755)


def _authority(lab: Lab, name: str, common_name: str) -> None:
    argv: list[object] = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *_DAYS]
    argv += ["-subj", f"/CN={common_name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    argv += ["-keyout", lab.tls / f"{name}.key", "-out", lab.tls / f"{name}.pem"]
    run(argv)


def _issue(lab: Lab, name: str, subject: str, usage: str) -> None:
    tls = lab.tls
    request = tls / f"{name}.csr"
    ask: list[object] = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-sha256"]
    ask += ["-subj", subject, "-keyout", tls / f"{name}.key", "-out", request]
    run(ask)
    extensions = write(tls / f"{name}.ext", usage + _LEAF)
    sign: list[object] = ["openssl", "x509", "-req", *_DAYS, "-in", request, "-extfile", extensions]
    sign += ["-CA", tls / "issuer.pem", "-CAkey", tls / "issuer.key", "-CAcreateserial"]
    sign += ["-out", tls / f"{name}.pem"]
    run(sign)
