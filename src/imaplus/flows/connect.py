"""From the greeting to a session one can work with (RFC 9051, 3 and 6.2; RFC 8314).

TLS where it was asked for, capabilities, login by the strongest means that both sides have, ID,
ENABLE. In clear nothing is sent but CAPABILITY and STARTTLS, unless the caller said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaplus.core.listing import List
from imaplus.core.session import Authenticate, Enable, GetCapability, Login, StartTls
from imaplus.errors import (
    AuthenticationFailed,
    CapabilityMissing,
    CommandError,
    Refused,
    Rejected,
    TlsFailed,
)
from imaplus.extensions.id import Id
from imaplus.protocol.command import Flow, Handshake, State
from imaplus.protocol.connection import Connection
from imaplus.sasl import Credentials, Mechanism, Password, choose

DEFAULT_ENABLE = ("IMAP4REV2",)
"""What is switched on wherever it is offered."""


def connect(
    connection: Connection,
    credentials: Credentials | None,
    *,
    starttls: bool,
    mechanisms: Sequence[str] | None = None,
    in_clear: bool = False,
    identity: tuple[tuple[str, str | None], ...] = (),
    enable: Iterable[str] = DEFAULT_ENABLE,
    host: str | None = None,
    port: int | None = None,
) -> Flow[None]:
    """Bring a connection that has had its greeting to where mailboxes can be opened.

    Raises:
        TlsFailed: TLS was asked for, and the server does not do it.
        AuthenticationFailed: the server does not accept the credentials.
        CapabilityMissing: no way to log in is acceptable to both sides.
    """
    if starttls:
        yield from upgrade(connection)
    if not connection.capabilities:
        yield from GetCapability()
    if connection.state is State.NOT_AUTHENTICATED and credentials is not None:
        yield from authenticate(
            connection, credentials, mechanisms=mechanisms, in_clear=in_clear, host=host, port=port
        )
        if not connection.capabilities:
            yield from GetCapability()
        if connection.greets_as("Microsoft Exchange"):
            yield from List("", ("",))  # quirk 26: OK to a wrong password, and BAD to the rest
    if connection.state is not State.AUTHENTICATED:
        return
    if identity and connection.can("ID"):  # quirk 49: NetEase refuses those who do not say
        yield from Id(identity)
    wanted = tuple(name for name in enable if connection.can(name))
    if wanted and connection.can("ENABLE"):
        yield from Enable(wanted)


def upgrade(connection: Connection) -> Flow[None]:
    """STARTTLS, without which nothing goes on (RFC 9051, 6.2.1)."""
    if connection.state is not State.NOT_AUTHENTICATED:
        raise TlsFailed("the server greets with PREAUTH, which leaves no room for STARTTLS")
    if not connection.capabilities:
        yield from GetCapability()
    if not connection.can("STARTTLS"):
        raise TlsFailed("the server does not offer STARTTLS: nothing is sent in clear")
    try:
        yield from StartTls()
    except CommandError as error:
        raise TlsFailed(f"the server refuses STARTTLS: {error.text}") from error
    yield from Handshake()


def authenticate(
    connection: Connection,
    credentials: Credentials,
    *,
    mechanisms: Sequence[str] | None = None,
    in_clear: bool = False,
    host: str | None = None,
    port: int | None = None,
) -> Flow[None]:
    """Log in by the strongest mechanism that both sides have, and by no weaker one if it fails."""
    secure = connection.secure or in_clear
    offered = [name[5:] for name in connection.capabilities if name.startswith("AUTH=")]
    if choices := choose(
        credentials, offered, secure=secure, allowed=mechanisms, host=host, port=port
    ):
        yield from _by_mechanism(connection, choices[0])
        return
    wants_login = mechanisms is None or "LOGIN" in mechanisms
    if isinstance(credentials, Password) and wants_login and not credentials.authzid:
        if connection.can("LOGINDISABLED"):
            raise CapabilityMissing("a way to log in but LOGIN, which it forbids here,", "login")
        if not secure:
            raise TlsFailed("the password would travel in clear: use TLS, or allow it expressly")
        yield from _accepted(Login(credentials.user, credentials.password), None)
        return
    raise CapabilityMissing(f"a mechanism for {type(credentials).__name__}", "login")


def _by_mechanism(connection: Connection, mechanism: Mechanism) -> Flow[None]:
    early = connection.can("SASL-IR")
    try:
        yield from _accepted(Authenticate(mechanism, early), mechanism)
    except Rejected:
        if not early:
            raise
        # quirk 49: QQ announces SASL-IR, and answers BAD to it
        yield from _accepted(Authenticate(mechanism), mechanism)


def _accepted(command: Authenticate | Login, mechanism: Mechanism | None) -> Flow[None]:
    """A NO to a login is a failed login, with or without a response code that says so."""
    try:
        yield from command
    except Refused as error:
        details = mechanism.error_details if mechanism is not None else None
        if type(error) is not Refused and details is None:
            raise
        text = f"{error.text} ({details})" if details else error.text
        raise AuthenticationFailed(
            error.command, error.status, error.code, text, error.data
        ) from error
