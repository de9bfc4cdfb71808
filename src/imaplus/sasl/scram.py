"""SCRAM (RFC 5802; RFC 7677; draft-melnikov-scram-sha-512), with channel binding or without.

A proof that reveals nothing, and the server's proof in return. User name and password go through
SASLprep (RFC 4013), as RFC 5802 has it: the servers' keys are derived from that form. RFC 8265
(which obsoletes RFC 7613) would replace it, and maps differently (NFC for NFKC), but neither RFC
5802 nor RFC 7677 was updated. For ASCII they are the same.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Generator, Sequence
from typing import ClassVar, Final

from imaplus.errors import InvalidArgument, ProtocolError
from imaplus.sasl.binding import ChannelBinding
from imaplus.sasl.credentials import Password
from imaplus.sasl.gs2 import gs2_header, saslname
from imaplus.sasl.mechanism import Mechanism, excerpt
from imaplus.wire.secret import Secret

MIN_ITERATIONS: Final = 4096
"""What SCRAM servers should ask for at least (RFC 7677, 4): fewer make proofs cheap to crack."""

MAX_ITERATIONS: Final = 1_000_000
"""About a second of work, and far above what servers use: more is an attack on our time."""


class Scram(Mechanism):
    """A proof that reveals nothing, and the server's proof in return (RFC 5802; RFC 7677).

    `could_bind` says that a -PLUS mechanism would have been used if the server had offered one: the
    server is told (gs2-cb-flag "y"), and refuses the login if it has (RFC 5802, 6), so that nobody
    in between can take the offer away. `nonce` is random unless a test needs it to be known. A
    response takes a tenth of a second or so for what servers ask today, about a second at
    `MAX_ITERATIONS`; the async client makes it in a thread.
    """

    slow = True
    hash: ClassVar[str]
    """The hash function, as `hashlib` names it."""

    def __init__(
        self, credentials: Password, *, could_bind: bool = False, nonce: str | None = None
    ) -> None:
        self._who = credentials
        self._nonce = nonce
        self._flag = "y" if could_bind else "n"
        self._binding_data = b""

    def start(self) -> Generator[bytes | None, bytes, None]:
        from secrets import token_urlsafe

        self.done, self.error_details = False, None
        user = _prepare("user name", Secret(self._who.user)).reveal()
        if not user:
            raise InvalidArgument("nothing is left of the user name when it is normalised")
        password = _prepare("password", self._who.password)
        ours = self._nonce or token_urlsafe(24)
        header = gs2_header(self._flag, self._who.authzid)
        first_bare = f"n={saslname(user)},r={ours}"
        server_first = yield (header + first_bare).encode()
        if self._notes_error(server_first):
            yield b""
            return
        nonce, salt, iterations = self._read_first(server_first, ours)
        binding = _base64(header.encode() + self._binding_data)
        final_bare = f"c={binding},r={nonce}"
        exchange = b",".join((first_bare.encode(), server_first, final_bare.encode()))
        proof, signature = self._sign(password, exchange, salt, iterations)
        server_final = yield f"{final_bare},p={proof.reveal()}".encode()
        self._verify(server_final, signature)
        yield b""  # to the server's last message IMAP wants an answer, and there is nothing to say

    def _read_first(self, message: bytes, ours: str) -> tuple[str, bytes, int]:
        """Nonce, salt and iterations of a server-first-message (RFC 5802, 7), without trusting."""
        # "m=" in front would be an extension that we must understand, so it does not match.
        found = re.fullmatch(rb"r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([0-9]{1,9})(,.*)?", message)
        if not found:
            raise ProtocolError(f"{self.name}: expected nonce, salt and iterations")
        nonce, iterations = found[1].decode("ascii"), int(found[3])
        if not nonce.startswith(ours) or nonce == ours:
            raise ProtocolError(f"{self.name}: the server's nonce does not extend ours")
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise ProtocolError(
                f"{self.name}: {iterations} iterations are not between "
                f"{MIN_ITERATIONS} and {MAX_ITERATIONS}"
            )
        try:
            salt = a2b_base64(found[2], strict_mode=True)
        except ValueError as error:
            raise ProtocolError(f"{self.name}: the salt is not base64") from error
        return nonce, salt, iterations

    def _sign(
        self, password: Secret, exchange: bytes, salt: bytes, iterations: int
    ) -> tuple[Secret, Secret]:
        """Our proof and the signature that the server must show, in base64 (RFC 5802, 3)."""
        import hashlib
        import hmac

        salted = hashlib.pbkdf2_hmac(self.hash, password.reveal().encode(), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", self.hash)
        stored_key = hashlib.new(self.hash, client_key).digest()
        client_signature = hmac.digest(stored_key, exchange, self.hash)
        proof = bytes(a ^ b for a, b in zip(client_key, client_signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.hash)
        signature = hmac.digest(server_key, exchange, self.hash)
        return Secret(_base64(proof)), Secret(_base64(signature))

    def _verify(self, message: bytes, signature: Secret) -> None:
        """Believe the server if it knows the password too; note its error if it sent one."""
        from hmac import compare_digest

        verdict = message.split(b",")[0]  # extensions may follow
        if self._notes_error(verdict):
            return
        if not compare_digest(verdict, b"v=" + signature.reveal().encode()):
            raise ProtocolError(
                f"{self.name}: the server does not prove that it knows the password"
            )
        self.done: bool = True

    def _notes_error(self, message: bytes) -> bool:
        """Whether it is a server-error (RFC 5802, 7): a NO follows it."""
        if not message.startswith(b"e="):
            return False
        self.error_details = excerpt(message[2:].decode("utf-8", "replace"))
        return True


class ScramPlus(Scram):
    """SCRAM that holds on this TLS connection only (RFC 5802, 6): nobody in between can pass it on.

    `bindings` are the channel bindings to use, the first one first; the next is used if the server
    refuses the type of the one before it (`next_binding()`).
    """

    def __init__(
        self, credentials: Password, bindings: Sequence[ChannelBinding], *, nonce: str | None = None
    ) -> None:
        super().__init__(credentials, nonce=nonce)
        self.bindings: tuple[ChannelBinding, ...] = tuple(bindings)
        self._flag = f"p={self.bindings[0].type}"
        self._binding_data = self.bindings[0].data

    def next_binding(self) -> ScramPlus | None:
        """What to try next after a refusal: the same with the next type, if the server does not
        have this one; None otherwise."""
        if self.error_details != "unsupported-channel-binding-type" or not self.bindings[1:]:
            return None
        return type(self)(self._who, self.bindings[1:])


class ScramSha1(Scram):
    """SCRAM with SHA-1 (RFC 5802)."""

    name = "SCRAM-SHA-1"
    hash = "sha1"


class ScramSha256(Scram):
    """SCRAM with SHA-256 (RFC 7677)."""

    name = "SCRAM-SHA-256"
    hash = "sha256"


class ScramSha512(Scram):
    """SCRAM with SHA-512 (draft-melnikov-scram-sha-512)."""

    name = "SCRAM-SHA-512"
    hash = "sha512"


class ScramSha1Plus(ScramPlus, ScramSha1):
    """SCRAM with SHA-1 and channel binding (RFC 5802)."""

    name = "SCRAM-SHA-1-PLUS"


class ScramSha256Plus(ScramPlus, ScramSha256):
    """SCRAM with SHA-256 and channel binding (RFC 7677)."""

    name = "SCRAM-SHA-256-PLUS"


class ScramSha512Plus(ScramPlus, ScramSha512):
    """SCRAM with SHA-512 and channel binding (draft-melnikov-scram-sha-512)."""

    name = "SCRAM-SHA-512-PLUS"


def _prepare(what: str, text: Secret) -> Secret:
    from imaplus.wire.saslprep import saslprep

    prepared = saslprep(text.reveal())
    if prepared is None:
        raise InvalidArgument(f"the {what} has characters that SCRAM does not allow (RFC 4013)")
    return Secret(prepared)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")
