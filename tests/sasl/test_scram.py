"""SCRAM: its three hash functions, the GS2 header and what is bound, and errors of the server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest

from imaplus.errors import ProtocolError
from imaplus.sasl import ChannelBinding, Password
from imaplus.sasl.scram import (
    Scram,
    ScramPlus,
    ScramSha1,
    ScramSha1Plus,
    ScramSha256,
    ScramSha256Plus,
    ScramSha512,
    ScramSha512Plus,
)

ADA = Password("ada", "hunter2")
UNIQUE = ChannelBinding("tls-unique", b"finished")
END_POINT = ChannelBinding("tls-server-end-point", b"\xff" * 32)
KINDS = [(ScramSha1, "sha1"), (ScramSha256, "sha256"), (ScramSha512, "sha512")]
PLUS = [(ScramSha1Plus, "sha1"), (ScramSha256Plus, "sha256"), (ScramSha512Plus, "sha512")]


def exchange(mechanism: Scram, digest: str, password: str = "hunter2") -> tuple[bytes, bytes]:
    """A whole login, the server's part written apart (RFC 5802, 3); GS2 header, channel binding."""
    steps = mechanism.start()
    first = next(steps)
    assert first is not None
    found = re.fullmatch(rb"([^,]+,[^,]*,)(n=ada,r=(.+))", first)
    assert found is not None
    header, bare, nonce = found.groups()
    server_first = b"r=%sSERVER,s=c2FsdA==,i=4096" % nonce
    final = steps.send(server_first)
    assert final is not None
    without_proof, _, proof = final.partition(b",p=")
    binding, _, again = without_proof.partition(b",r=")
    assert again == nonce + b"SERVER"
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), b"salt", 4096)
    message = b",".join((bare, server_first, without_proof))
    stored = hashlib.new(digest, hmac.new(salted, b"Client Key", digest).digest()).digest()
    signature = hmac.new(stored, message, digest).digest()
    key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
    assert hashlib.new(digest, key).digest() == stored
    server_key = hmac.new(salted, b"Server Key", digest).digest()
    verifier = base64.b64encode(hmac.new(server_key, message, digest).digest())
    assert steps.send(b"v=" + verifier) == b""
    mechanism.check()
    return header, base64.b64decode(binding.removeprefix(b"c="))


@pytest.mark.parametrize(("kind", "digest"), KINDS)
@pytest.mark.parametrize("could_bind", [True, False])
def test_without_binding(kind: type[Scram], digest: str, could_bind: bool) -> None:
    header, bound = exchange(kind(ADA, could_bind=could_bind), digest)
    assert header == bound == (b"y,," if could_bind else b"n,,")


@pytest.mark.parametrize(("kind", "digest"), PLUS)
@pytest.mark.parametrize("binding", [UNIQUE, END_POINT])
def test_with_binding(kind: type[ScramPlus], digest: str, binding: ChannelBinding) -> None:
    header, bound = exchange(kind(ADA, [binding]), digest)
    assert header == f"p={binding.type},,".encode()
    assert bound == header + binding.data


@pytest.mark.parametrize("mechanism", [ScramSha256(ADA), ScramSha256Plus(ADA, [UNIQUE])])
def test_the_server_may_explain_itself_at_once(mechanism: Scram) -> None:
    """A server-error in the place of its first message: its NO comes when we have answered."""
    steps = mechanism.start()
    next(steps)
    assert steps.send(b"e=other-error") == b""
    assert mechanism.error_details == "other-error"
    with pytest.raises(ProtocolError, match="before it was complete"):
        mechanism.check()
    with pytest.raises(StopIteration):
        steps.send(b"r=more")


def test_the_next_binding_is_for_a_type_that_the_server_has_not() -> None:
    mechanism = ScramSha256Plus(ADA, [UNIQUE, END_POINT])
    assert mechanism.next_binding() is None
    for error, expected in (
        (b"e=channel-bindings-dont-match", None),  # somebody is in between
        (b"e=unsupported-channel-binding-type", (END_POINT,)),
    ):
        steps = mechanism.start()
        next(steps)
        steps.send(error)
        found = mechanism.next_binding()
        assert (found and found.bindings) == expected
    assert type(found) is ScramSha256Plus
    steps = found.start()
    assert (next(steps) or b"").startswith(b"p=tls-server-end-point,,")
    steps.send(b"e=unsupported-channel-binding-type")
    assert found.next_binding() is None
