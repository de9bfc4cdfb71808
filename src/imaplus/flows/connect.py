"""From the greeting to a session one can work with (RFC 9051, 3 and 6.2; RFC 8314).

TLS where it was asked for, capabilities, login (`flows.login` knows how), ID, ENABLE. In clear
nothing is sent but CAPABILITY and STARTTLS, unless the caller said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    CommandError,
    ProtocolError,
    StateError,
    TlsFailed,
)
from imaplus.extensions.id import Id
from imaplus.flows.extras import ask_for, is_login_failure
from imaplus.flows.login import DEFAULT, LoginOptions, is_stale, log_in, way_in
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Ask, Flow, Handshake, Together
from imaplus.protocol.state import State
from imaplus.sasl import BearerToken, Credentials
from imaplus.wire.names import names_of

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
    login: LoginOptions = DEFAULT,
    identity: tuple[tuple[str, str | None], ...] = (),
    enable: str | Iterable[str] = DEFAULT_ENABLE,
    opening: Select | None = None,
    renew: Callable[[], object] | None = None,
) -> Flow[Opened | None]:
    """Bring a connection that has had its greeting to where mailboxes can be opened.

    ID, ENABLE and `opening` are sent together, and with the login where that is safe. A server that
    refuses ID, ENABLE or CAPABILITY is used without. `renew` is asked for credentials if the token
    is refused as expired, and these are tried once.

    Raises:
        TlsFailed: TLS was asked for, and the server does not do it.
        AuthenticationFailed: the server does not accept the credentials.
        NoMechanism: no way to log in is acceptable to both sides.
        MechanismWithdrawn: the server offers less than before.
        InvalidArgument: an extension to enable whose answers imaplus does not read.
        StateError: there is a mailbox to select, and neither credentials nor PREAUTH.
    """
    wanted = tuple(map(str.upper, names_of("an extension to enable", enable)))
    Enable(wanted)  # it raises InvalidArgument for what may not be enabled
    last = () if opening is None else (opening,)
    if starttls:
        yield from upgrade(connection)
    yield from _ask_capabilities(connection)
    if connection.state is State.NOT_AUTHENTICATED and credentials is not None:
        way = way_in(connection, credentials, login)
        renews = renew is not None and isinstance(credentials, BearerToken)
        # Why a token is refused comes in a challenge, which would take what follows for its answer.
        goes_ahead = not renews and _may_go_ahead(connection, way.command)
        ahead = (*_preparations(identity, wanted), *last) if goes_ahead else ()
        try:
            results = yield from log_in(way, *ahead)
        except AuthenticationFailed as error:
            if renew is None or not is_stale(credentials, way, error):
                raise
            renewed = yield from Ask(renew)
            if renewed == credentials or not isinstance(renewed, BearerToken):
                raise
            results = yield from log_in(way_in(connection, renewed, login), *ahead)
        yield from _ask_capabilities(connection)
        if goes_ahead:
            return (yield from _take_prepared(connection, ahead, results))
        if connection.greets_as("Microsoft Exchange"):
            # quirk 26: it says OK to a wrong password, and BAD to the rest
            yield from ask_for(List("", ("",)))
    if connection.state is not State.AUTHENTICATED:
        if opening is not None:
            raise StateError("cannot select a mailbox: not authenticated")
        return None
    offered = tuple(
        name for name in wanted if name in connection.capabilities or connection.can(name)
    )
    preparations = _preparations(
        identity if connection.can("ID") else (), offered if connection.can("ENABLE") else ()
    )
    rest = (*preparations, *last)
    if not rest:
        return None
    results = yield from Together(*rest)
    return (yield from _take_prepared(connection, rest, results))


def _ask_capabilities(connection: Connection) -> Flow[None]:
    """CAPABILITY, if they are not known. Without an answer the server is taken to have none."""
    if connection.capabilities:
        return
    try:
        yield from GetCapability()
    except (CommandError, ProtocolError) as error:  # quirk 84
        if connection.error is not None or is_login_failure(error):
            raise


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


def _take_prepared(
    connection: Connection, commands: Sequence[Command[Any]], results: list[Any]
) -> Flow[Opened | None]:
    """What SELECT came to, if it was sent. ID and ENABLE that are refused end nothing (quirk 84).

    Raises the error of SELECT, and what says that the login has failed after all.
    """
    opened: Opened | None = None
    again: tuple[str, ...] = ()
    for command, result in zip(commands, results, strict=True):
        if is_login_failure(result):
            raise result
        if isinstance(result, Opened):
            opened = result
        elif isinstance(command, Select):
            raise result
        elif isinstance(command, Enable) and isinstance(result, CommandError):
            again = command.capabilities
        elif isinstance(command, Id) and isinstance(result, CommandError):
            connection.refuse("ID")
    if len(again) < 2:
        return opened
    # The server may have refused them all because of one, which is IMAP4rev2 mostly.
    from imaplus.flows.mailboxes import leave_mailbox

    yield from leave_mailbox(connection)  # ENABLE is for before (RFC 5161, 3.1)
    yield from Together(*(Enable((name,)) for name in again))
    if opened is None:
        return None
    opening = commands[-1]
    assert isinstance(opening, Select)
    return (yield from opening)


def compress(connection: Connection) -> Flow[None]:
    """COMPRESS, if the server has it (RFC 4978). If it refuses, all goes on uncompressed."""
    if not connection.can("COMPRESS=DEFLATE"):
        return
    from imaplus.extensions.compress import Compress

    yield from ask_for(Compress())


def upgrade(connection: Connection) -> Flow[None]:
    """STARTTLS, without which nothing goes on (RFC 9051, 6.2.1)."""
    if connection.state is not State.NOT_AUTHENTICATED:
        raise TlsFailed("the server greets with PREAUTH, which leaves no room for STARTTLS")
    yield from _ask_capabilities(connection)
    if not connection.can("STARTTLS"):
        raise TlsFailed("the server does not offer STARTTLS: nothing is sent in clear")
    try:
        yield from StartTls()
    except CommandError as error:
        raise TlsFailed(f"the server refuses STARTTLS: {error.text}") from error
    yield from Handshake()
