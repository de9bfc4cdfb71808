"""From the greeting to a session one can work with (RFC 9051, 3 and 6.2; RFC 8314).

TLS where it was asked for, capabilities, login by the strongest means that both sides have, ID,
ENABLE. In clear nothing is sent but CAPABILITY and STARTTLS, unless the caller said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from imaplus.core.listing import List
from imaplus.core.mailboxes import Opened, Select
from imaplus.core.session import (
    DEFAULT_ENABLE,
    Authenticate,
    Enable,
    GetCapability,
    Login,
    StartTls,
)
from imaplus.errors import (
    AuthenticationFailed,
    CapabilityMissing,
    CommandError,
    Refused,
    Rejected,
    StateError,
    TlsFailed,
)
from imaplus.extensions.id import Id
from imaplus.protocol.command import Ahead, Command, Flow, Handshake, State, Together
from imaplus.protocol.connection import Connection
from imaplus.sasl import Credentials, Password, choose

READS_AHEAD: Final = ("Dovecot",)
"""Products that read what is sent behind a login (RFC 9051, 5.5), by the words of their greeting.

Others may lose it, and never answer: Courier 5.0 what came behind LOGIN, Cyrus 3.6 what came behind
AUTHENTICATE, and so does what hands a connection on to another process without its buffer.
"""


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
    opening: Select | None = None,
) -> Flow[Opened | None]:
    """Bring a connection that has had its greeting to where mailboxes can be opened.

    ID, ENABLE and `opening` are sent together, and with the login where that is safe.

    Raises:
        TlsFailed: TLS was asked for, and the server does not do it.
        AuthenticationFailed: the server does not accept the credentials.
        CapabilityMissing: no way to log in is acceptable to both sides.
        StateError: there is something to open, and nobody to open it for.
    """
    wanted = tuple(enable)
    last = () if opening is None else (opening,)
    if starttls:
        yield from upgrade(connection)
    if not connection.capabilities:
        yield from GetCapability()
    if connection.state is State.NOT_AUTHENTICATED and credentials is not None:
        login = login_command(
            connection, credentials, mechanisms=mechanisms, in_clear=in_clear, host=host, port=port
        )
        if _may_go_ahead(connection, login):
            results = yield from _accepted(login, *_preparations(identity, wanted), *last)
            if not connection.capabilities:
                yield from GetCapability()
            return _opened(results)
        yield from _log_in(login)
        if not connection.capabilities:
            yield from GetCapability()
        if connection.greets_as("Microsoft Exchange"):
            yield from List("", ("",))  # quirk 26: OK to a wrong password, and BAD to the rest
    if connection.state is not State.AUTHENTICATED:
        if opening is not None:
            raise StateError("nobody has logged in: no mailbox can be opened")
        return None
    offered = tuple(name for name in wanted if connection.can(name))
    preparations = _preparations(
        identity if connection.can("ID") else (), offered if connection.can("ENABLE") else ()
    )
    rest = (*preparations, *last)
    return _opened((yield from Together(*rest))) if rest else None


def _preparations(
    identity: tuple[tuple[str, str | None], ...], enable: tuple[str, ...]
) -> tuple[Command[Any], ...]:
    """What comes before anything else; quirk 49: NetEase refuses those who do not say who."""
    return (*((Id(identity),) if identity else ()), *((Enable(enable),) if enable else ()))


def _may_go_ahead(connection: Connection, login: Login | Authenticate) -> bool:
    """Whether commands may be sent behind the login: all that they need is known before it, for
    ENABLE passes over what the server does not have (RFC 5161, 3.1)."""
    return (
        login.leads_to is not None
        and any(map(connection.greets_as, READS_AHEAD))
        and connection.can("ID")
        and connection.can("ENABLE")
    )


def _opened(results: list[Any]) -> Opened | None:
    """What SELECT came to, if there was one. Raises the first error."""
    for each in results:
        if isinstance(each, CommandError):
            raise each
    return results[-1] if results and isinstance(results[-1], Opened) else None


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
    yield from _log_in(
        login_command(
            connection, credentials, mechanisms=mechanisms, in_clear=in_clear, host=host, port=port
        )
    )


def login_command(
    connection: Connection,
    credentials: Credentials,
    *,
    mechanisms: Sequence[str] | None = None,
    in_clear: bool = False,
    host: str | None = None,
    port: int | None = None,
) -> Login | Authenticate:
    """The command that logs in by the strongest mechanism that both sides have."""
    secure = connection.secure or in_clear
    offered = [name[5:] for name in connection.capabilities if name.startswith("AUTH=")]
    if choices := choose(
        credentials, offered, secure=secure, allowed=mechanisms, host=host, port=port
    ):
        return Authenticate(choices[0], connection.can("SASL-IR"))
    wants_login = mechanisms is None or "LOGIN" in mechanisms
    if isinstance(credentials, Password) and wants_login and not credentials.authzid:
        if connection.can("LOGINDISABLED"):
            raise CapabilityMissing("a way to log in but LOGIN, which it forbids here,", "login")
        if not secure:
            raise TlsFailed("the password would travel in clear: use TLS, or allow it expressly")
        return Login(credentials.user, credentials.password)
    raise CapabilityMissing(f"a mechanism for {type(credentials).__name__}", "login")


def _log_in(command: Login | Authenticate) -> Flow[None]:
    try:
        yield from _accepted(command)
    except Rejected:
        if not isinstance(command, Authenticate) or not command.initial_response:
            raise
        # quirk 49: QQ announces SASL-IR, and answers BAD to it
        yield from _accepted(Authenticate(command.mechanism))


def _accepted(command: Login | Authenticate, *ahead: Command[Any]) -> Flow[list[Any]]:
    """What comes of what is sent behind a login. A NO to the login is a failed login, with or
    without a response code that says so."""
    try:
        if ahead:
            return (yield from Ahead(command, *ahead))[1:]
        yield from command
        return []
    except (Refused, Rejected) as error:
        details = command.mechanism.error_details if isinstance(command, Authenticate) else None
        if type(error) is not Refused and details is None:
            raise  # BAD is a failed login if the server has explained it, and read on for an answer
        text = f"{error.text} ({details})" if details else error.text
        raise error.retyped(AuthenticationFailed, text) from error
