"""Mechanisms that send the password as it is: PLAIN (RFC 4616) and LOGIN.

They are used under TLS only (RFC 8314), unless the caller allows the password in clear.
Neither prepares the text: the server does (RFC 4616, 2).
"""

from __future__ import annotations

from collections.abc import Generator

from imaplus.sasl.credentials import Password
from imaplus.sasl.mechanism import Mechanism
from imaplus.wire.secret import Secret


class Plain(Mechanism):
    """The password as it is (RFC 4616)."""

    name = "PLAIN"
    plain_text = True

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        who = self._who
        self.done: bool = True
        yield f"{who.authzid}\0{who.user}\0{who.password.reveal()}".encode()


class Login(Mechanism):
    """The password as it is, in two steps (never standardised; draft-murchison-sasl-login)."""

    name = "LOGIN"
    client_first = False
    plain_text = True

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = False
        prompt = yield None
        prompt = yield self._answer(prompt, otherwise=Secret(self._who.user))
        self.done = True
        yield self._answer(prompt, otherwise=self._who.password)

    def _answer(self, prompt: bytes, *, otherwise: Secret) -> bytes:
        # Quirk 82: "Username:", "User Name\0", "password"; what it asks for, else what is next.
        asked = prompt.lower()
        if b"pass" in asked:
            return self._who.password.reveal().encode()
        if b"user" in asked:
            return self._who.user.encode()
        return otherwise.reveal().encode()
