"""GSSAPI with Kerberos 5 (RFC 4752), by the package `gssapi`: the extra `imaplus[kerberos]`.

No security layer is negotiated: that is TLS's work. The package is loaded when it is used.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, Final

from imaplus.errors import ProtocolError, UsageError
from imaplus.sasl.credentials import Kerberos
from imaplus.sasl.mechanism import Mechanism, excerpt

NO_LAYER: Final = 1
"""The bit of "no security layer" (RFC 4752, 3.3)."""


class Gssapi(Mechanism):
    """A Kerberos ticket, and the server's proof in return (RFC 4752).

    `host` is that of the server's principal, imap/HOST. The first response waits for the server's
    empty challenge: making it may take a question to the key distribution centre, which the async
    client does not wait for in its event loop.
    """

    name = "GSSAPI"
    client_first = False
    slow: ClassVar[bool] = True

    def __init__(self, credentials: Kerberos, *, host: str | None = None) -> None:
        self._who = credentials
        self._host = credentials.host or host or "localhost"

    @staticmethod
    def available() -> bool:
        """Whether the package `gssapi` is installed, and the system's library for it."""
        try:
            _library()
        except (ImportError, OSError):
            return False
        return True

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done = False
        self.error_details: str | None = None
        challenge = yield None
        if challenge:
            raise ProtocolError("GSSAPI: the server speaks first")
        context = self._context()
        token = self._step(context, None)
        while not context.complete:
            token = self._step(context, (yield token))
        if not int(context.actual_flags) & 2:  # GSS_C_MUTUAL_FLAG (RFC 2744, 5.19)
            raise ProtocolError("GSSAPI: the server does not prove who it is")
        # The context is complete; the server's offer of security layers comes with GSS_Wrap.
        offer = self._unwrap(context, (yield token))
        if len(offer) != 4 or not offer[0] & NO_LAYER:
            raise ProtocolError("GSSAPI: the server insists on a security layer; TLS has one")
        answer = bytes((NO_LAYER, 0, 0, 0)) + self._who.authzid.encode()
        self.done: bool = True
        yield bytes(context.wrap(answer, False).message)

    def _context(self) -> Any:
        gssapi = _library()
        kerberos = gssapi.MechType.kerberos
        try:
            name = gssapi.Name(f"imap@{self._host}", gssapi.NameType.hostbased_service)
            user = gssapi.Name(self._who.user, gssapi.NameType.user) if self._who.user else None
            ours = gssapi.Credentials(name=user, usage="initiate", mechs=[kerberos])
        except gssapi.exceptions.GSSError as error:
            raise UsageError(f"no Kerberos ticket: {_said(error)}") from None
        flags = gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.integrity
        return gssapi.SecurityContext(
            name=name, creds=ours, mech=kerberos, flags=flags, usage="initiate"
        )

    def _step(self, context: Any, token: bytes | None) -> bytes:
        gssapi = _library()
        try:
            return context.step(token) or b""
        except gssapi.exceptions.GSSError as error:
            if token is None:  # the server has not said anything yet
                raise UsageError(
                    f"no Kerberos ticket for imap@{self._host}: {_said(error)}"
                ) from None
            raise ProtocolError(
                f"GSSAPI: the server's token is not accepted: {_said(error)}"
            ) from None

    def _unwrap(self, context: Any, challenge: bytes) -> bytes:
        gssapi = _library()
        try:
            return bytes(context.unwrap(challenge).message)
        except gssapi.exceptions.GSSError as error:
            raise ProtocolError(
                f"GSSAPI: the server's offer is not accepted: {_said(error)}"
            ) from None


def _library() -> Any:
    """The package, which has no types."""
    from importlib import import_module

    return import_module("gssapi")


def _said(error: Exception) -> str:
    """The library's words, without the Python names around them."""
    return excerpt(" ".join(str(error).split()))
