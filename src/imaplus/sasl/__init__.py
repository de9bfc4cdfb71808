"""SASL (RFC 4422): credentials, and mechanisms as generators from challenges to responses.

A mechanism knows its messages and nothing of the wire: base64, `+`, `*` and the number of rounds
are the caller's. `choose` decides which mechanisms may be used, and in which order. Secrets stay
inside `Secret` until the response that carries them is made: none is ever in a repr, an error or a
local variable of a frame that can fail. Each family of mechanisms is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaplus.sasl.binding import ChannelBinding
    from imaplus.sasl.choice import choose
    from imaplus.sasl.cram import CramMd5
    from imaplus.sasl.credentials import (
        Anonymous,
        AsyncCredentialsSource,
        BearerToken,
        Credentials,
        CredentialsSource,
        External,
        Kerberos,
        Password,
    )
    from imaplus.sasl.kerberos import Gssapi
    from imaplus.sasl.mechanism import Mechanism
    from imaplus.sasl.memory import LoginMemory
    from imaplus.sasl.oauth import OAuthBearer, XOAuth2
    from imaplus.sasl.plain import Login, Plain
    from imaplus.sasl.scram import (
        ScramSha1,
        ScramSha1Plus,
        ScramSha256,
        ScramSha256Plus,
        ScramSha512,
        ScramSha512Plus,
    )
    from imaplus.sasl.simple import AnonymousMechanism, ExternalMechanism

_MODULES = {
    "binding": "ChannelBinding",
    "choice": "choose",
    "cram": "CramMd5",
    "credentials": (
        "Anonymous AsyncCredentialsSource BearerToken Credentials CredentialsSource External "
        "Kerberos Password"
    ),
    "kerberos": "Gssapi",
    "mechanism": "Mechanism",
    "memory": "LoginMemory",
    "oauth": "OAuthBearer XOAuth2",
    "plain": "Login Plain",
    "scram": ("ScramSha1 ScramSha1Plus ScramSha256 ScramSha256Plus ScramSha512 ScramSha512Plus"),
    "simple": "AnonymousMechanism ExternalMechanism",
}
"""The names by module, as above: `hashlib` and the like take longer to load than a login."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names.split():
            from importlib import import_module

            return getattr(import_module(f"imaplus.sasl.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Anonymous",
    "AnonymousMechanism",
    "AsyncCredentialsSource",
    "BearerToken",
    "ChannelBinding",
    "CramMd5",
    "Credentials",
    "CredentialsSource",
    "External",
    "ExternalMechanism",
    "Gssapi",
    "Kerberos",
    "Login",
    "LoginMemory",
    "Mechanism",
    "OAuthBearer",
    "Password",
    "Plain",
    "ScramSha1",
    "ScramSha1Plus",
    "ScramSha256",
    "ScramSha256Plus",
    "ScramSha512",
    "ScramSha512Plus",
    "XOAuth2",
    "choose",
]
