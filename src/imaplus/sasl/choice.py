"""Which mechanisms may be used with given credentials, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from imaplus.sasl.credentials import (
    Anonymous,
    BearerToken,
    Credentials,
    External,
    Kerberos,
    Password,
)
from imaplus.sasl.mechanism import Mechanism

if TYPE_CHECKING:
    from imaplus.sasl.binding import ChannelBinding


def no_bindings() -> Sequence[ChannelBinding]:
    """Without TLS there is nothing to bind to."""
    return ()


def choose(
    credentials: Credentials,
    offered: Collection[str],
    *,
    secure: bool,
    in_clear: bool = False,
    allowed: Sequence[str] | None = None,
    host: str | None = None,
    port: int | None = None,
    bindings: Callable[[], Sequence[ChannelBinding]] = no_bindings,
) -> list[Mechanism]:
    """The mechanisms to try, best first; none if there is none that may be used.

    `offered` are the names after `AUTH=` in the server's capabilities. What sends a secret in clear
    is left out unless the connection is `secure` (encrypted, or local), or the caller allows it
    `in_clear`. `allowed` names the only
    mechanisms to use, in order of preference; it does not permit a secret in clear. `host` and
    `port` are for OAUTHBEARER and GSSAPI. `bindings` gives the connection's channel bindings, best
    first. tls-server-end-point is used if `allowed` names a -PLUS mechanism, or after a type that
    the server refuses.

    For a password the order is SCRAM with channel binding, SCRAM, then on a secure connection
    PLAIN, CRAM-MD5, LOGIN (RFC 8314), on another CRAM-MD5, and PLAIN and LOGIN if allowed.
    """
    names_offered = {name.upper() for name in offered}
    names = None if allowed is None else list(dict.fromkeys(name.upper() for name in allowed))
    if isinstance(credentials, Password):
        candidates = _by_password(credentials, names_offered, secure, names, bindings)
    else:
        candidates = _otherwise(credentials, host, port)
    if names is not None:
        by_name = {mechanism.name: mechanism for mechanism in candidates}
        candidates = [by_name[name] for name in names if name in by_name]
    return [
        mechanism
        for mechanism in candidates
        if mechanism.name.upper() in names_offered
        and (secure or in_clear or not mechanism.plain_text)
        and mechanism.available()
    ]


def _otherwise(
    credentials: BearerToken | External | Anonymous | Kerberos | Mechanism,
    host: str | None,
    port: int | None,
) -> list[Mechanism]:
    """Every mechanism that can carry credentials other than a password, best first."""
    match credentials:
        case Mechanism():
            return [credentials]
        case BearerToken():
            from imaplus.sasl.oauth import OAuthBearer, XOAuth2

            return [OAuthBearer(credentials, host=host, port=port), XOAuth2(credentials)]
        case External():
            from imaplus.sasl.simple import ExternalMechanism

            return [ExternalMechanism(credentials)]
        case Anonymous():
            from imaplus.sasl.simple import AnonymousMechanism

            return [AnonymousMechanism(credentials)]
        case Kerberos():
            from imaplus.sasl.kerberos import Gssapi

            return [Gssapi(credentials, host=host)]


def _by_password(
    credentials: Password,
    offered: Collection[str],
    secure: bool,
    allowed: Sequence[str] | None,
    bindings: Callable[[], Sequence[ChannelBinding]],
) -> list[Mechanism]:
    """Every mechanism that can carry a password, in order of strength."""
    candidates: list[Mechanism] = []
    if any(name.startswith("SCRAM-") for name in (offered if allowed is None else allowed)):
        candidates += _by_scram(credentials, offered, allowed, bindings)
    from imaplus.sasl.plain import Login, Plain

    if credentials.authzid:  # CRAM-MD5 and LOGIN have no place for it
        return [*candidates, Plain(credentials)]
    from imaplus.sasl.cram import CramMd5

    cram = CramMd5(credentials)
    first: Mechanism = Plain(credentials)
    last: Mechanism = Login(credentials)
    if "/" in credentials.user:  # quirk 83, Exchange: PLAIN fails for DOMAIN\user/shared
        first, last = last, first
    return [*candidates, *([first, cram, last] if secure else [cram, first, last])]


def _by_scram(
    credentials: Password,
    offered: Collection[str],
    allowed: Sequence[str] | None,
    bindings: Callable[[], Sequence[ChannelBinding]],
) -> list[Mechanism]:
    from imaplus.sasl import scram
    from imaplus.sasl.binding import END_POINT

    plus = (scram.ScramSha512Plus, scram.ScramSha256Plus, scram.ScramSha1Plus)
    bare = (scram.ScramSha512, scram.ScramSha256, scram.ScramSha1)
    named = allowed is not None and any(kind.name in allowed for kind in plus)
    usable: Sequence[ChannelBinding] = ()
    if named or allowed is None:
        usable = bindings()
        # Each version of TLS has a type that -PLUS servers must have: tls-unique (RFC 5802, 6.1),
        # since TLS 1.3 tls-exporter (RFC 9266, 3). Few have others.
        if not named and all(each.type == END_POINT for each in usable):
            usable = ()
    # "y" takes back what we can do where the server says that it cannot (RFC 5802, 6).
    could_bind = bool(usable) and not any(name.endswith("-PLUS") for name in offered)
    candidates: list[Mechanism] = [kind(credentials, could_bind=could_bind) for kind in bare]
    return [kind(credentials, usable) for kind in plus if usable] + candidates
