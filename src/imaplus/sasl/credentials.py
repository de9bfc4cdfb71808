"""Credentials: the identity of a user and the proof of it, independent of mechanisms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from imaplus.errors import InvalidArgument
from imaplus.records import record
from imaplus.sasl.mechanism import Mechanism
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.secret import Secret

VISIBLE: Final = lazy_pattern(r"[\x21-\x7e]+")
"""Visible ASCII without spaces."""


@record(init=False)
class Password:
    """A user with a password; `authzid` names another user to act as, where the server allows it.

    PLAIN and SCRAM carry an authzid (RFC 4616, 2; RFC 5802, 5.1). LOGIN and CRAM-MD5 have no place
    for it, and are not used with one.

    Raises: InvalidArgument for no user at all, and for NUL and lone surrogates in any of them.
    """

    user: str
    password: Secret
    authzid: str

    def __init__(self, user: str, password: str | Secret, authzid: str = "") -> None:
        password = Secret(password)
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "password", password)
        object.__setattr__(self, "authzid", authzid)
        if not user:
            raise InvalidArgument("the user name is empty")
        insist_on_text("user name", Secret(user))
        insist_on_text("password", password)
        insist_on_text("authorization identity", Secret(authzid))


@record(init=False)
class BearerToken:
    """A user with an OAuth 2.0 access token (RFC 6750), which the caller obtained.

    `user` is the mailbox to open: OAUTHBEARER sends it as the authzid (RFC 7628, 3.1), XOAUTH2 as
    `user=`.

    Raises: InvalidArgument for no user, and for a token that is not visible ASCII.
    """

    user: str
    token: Secret

    def __init__(self, user: str, token: str | Secret) -> None:
        token = Secret(token)
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "token", token)
        insist_on_text("user name", Secret(user))
        if not user or "\1" in user:  # ^A ends a field of XOAUTH2
            raise InvalidArgument("the user name is empty or has a control character")
        if not VISIBLE.fullmatch(token.reveal()):
            raise InvalidArgument("the token is empty, or not visible ASCII without spaces")


@record
class External:
    """The identity of the connection: a TLS client certificate, or the user of a socket.

    `authzid` names another user to act as (RFC 4422, appendix A).
    """

    authzid: str = ""

    def __post_init__(self) -> None:
        insist_on_text("authorization identity", Secret(self.authzid))


@record
class Anonymous:
    """An anonymous login; `trace` is a text for the server's log, such as an address (RFC 4505)."""

    trace: str = "anonymous"

    def __post_init__(self) -> None:
        insist_on_text("trace", Secret(self.trace))
        if len(self.trace) > 255:
            raise InvalidArgument("the trace is longer than 255 characters (RFC 4505, 3)")


@record
class Kerberos:
    """The owner of a Kerberos ticket, for GSSAPI (RFC 4752). Needs `imaplus[kerberos]`.

    The ticket is the one that `kinit` or a login has left in the credentials cache, or that a
    keytab gives (KRB5CCNAME, KRB5_CLIENT_KTNAME). `user` is the principal to use
    ("ann@EXAMPLE.ORG"), the cache's own if empty; `authzid` the user to act as, the principal's own
    if empty. `host` is the host in the server's principal, imap/HOST; the one that we connect to if
    empty.
    """

    user: str = ""
    authzid: str = ""
    host: str = ""

    def __post_init__(self) -> None:
        insist_on_text("user name", Secret(self.user))
        insist_on_text("authorization identity", Secret(self.authzid))
        if self.host and not VISIBLE.fullmatch(self.host):
            raise InvalidArgument(f"not a host name in ASCII: {self.host!r}")


Credentials: TypeAlias = Password | BearerToken | External | Anonymous | Kerberos | Mechanism
"""Credentials for a login: one of these, or your own `Mechanism`."""
CredentialsSource: TypeAlias = Callable[[], Credentials]
"""A function that returns credentials when they are needed, for instance a fresh token."""
AsyncCredentialsSource: TypeAlias = Callable[[], Credentials | Awaitable[Credentials]]
"""The same for the async client; it may return an awaitable."""


def insist_on_text(what: str, text: Secret) -> None:
    """Refuse NUL and lone surrogates, without showing what has them.

    Raises: InvalidArgument.
    """
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text.reveal()):
        raise InvalidArgument(f"the {what} has NUL or a lone surrogate in it")
