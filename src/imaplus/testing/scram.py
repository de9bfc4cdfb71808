"""The server side of SCRAM, with and without channel binding (RFC 5802; RFC 7677; RFC 5929)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from imaplus.testing.sasl import (
    MECHANISMS,
    Exchange,
    Mechanism,
    act_as,
    attributes,
    make_denial,
    text_of,
)

if TYPE_CHECKING:
    from imaplus.testing.session import Session

ITERATIONS: Final = 4096
"""The minimum that RFC 7677 allows, so that tests are fast."""
HASHES: Final = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


def _refuse(error: str) -> Exchange:
    """Send a server-error (RFC 5802, 7), then raise No."""
    yield f"e={error}".encode()
    raise make_denial(f"Authentication failed: {error}")


def _find_binding(session: Session, channel: str, *, plus: bool) -> bytes | str:
    """Return the channel binding data; a server-error as str if the gs2-cb-flag is wrong."""
    if channel == "n" and not plus:
        return b""
    if channel == "y" and not plus:
        # The client supports channel binding and believes that the server does not (RFC 5802, 6).
        return "server-does-support-channel-binding" if session.offers_plus else b""
    kind = channel.removeprefix("p=")
    if not plus or kind == channel:
        return "other-error"
    return session.bindings.get(kind, "unsupported-channel-binding-type")


def _scram(session: Session, digest: str, *, plus: bool) -> Exchange:
    client_first = text_of((yield b""))
    channel, _, rest = client_first.partition(",")
    authzid, _, bare = rest.partition(",")
    binding = _find_binding(session, channel, plus=plus)
    if isinstance(binding, str):
        return (yield from _refuse(binding))
    header = f"{channel},{authzid},".encode() + binding
    said = attributes(bare)
    account = session.hub.accounts.get(said.get("n", "").replace("=2C", ",").replace("=3D", "="))
    if account is None or not said.get("r"):
        raise make_denial()
    nonce = said["r"] + secrets.token_urlsafe(18)
    salt = hashlib.sha256(account.user.encode()).digest()[:16]
    server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i={ITERATIONS}"
    client_final = text_of((yield server_first.encode()))
    final = attributes(client_final)
    if final.get("r") != nonce:
        raise make_denial()
    if final.get("c") != base64.b64encode(header).decode():
        return (yield from _refuse("channel-bindings-dont-match"))
    salted = hashlib.pbkdf2_hmac(digest, account.password.encode(), salt, ITERATIONS)
    without_proof = client_final.rpartition(",p=")[0]
    signed = f"{bare},{server_first},{without_proof}".encode()
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), signed, digest)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    if not hmac.compare_digest(final.get("p", ""), base64.b64encode(proof).decode()):
        raise make_denial()
    server_key = hmac.digest(salted, b"Server Key", digest)
    verifier = base64.b64encode(hmac.digest(server_key, signed, digest))
    yield b"v=" + verifier
    return act_as(account, authzid.removeprefix("a="))


def _mechanism(digest: str, *, plus: bool) -> Mechanism:
    def run(session: Session) -> Exchange:
        return _scram(session, digest, plus=plus)

    return run


for _name, _digest in HASHES.items():
    MECHANISMS[_name] = _mechanism(_digest, plus=False)
    MECHANISMS[f"{_name}-PLUS"] = _mechanism(_digest, plus=True)
