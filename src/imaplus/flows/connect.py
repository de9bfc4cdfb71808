"""From the greeting to a session one can work with (RFC 9051, 3 and 6.2; RFC 8314).

TLS where it was asked for, capabilities, login by the strongest means that both sides have, ID,
ENABLE. In clear nothing is sent but CAPABILITY and STARTTLS, unless the caller said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

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
    NoMechanism,
    ProtocolError,
    Refused,
    Rejected,
    StateError,
    Throttled,
    TlsFailed,
)
from imaplus.extensions.id import Id
from imaplus.flows.extras import if_granted, login_failed
from imaplus.protocol.command import Ahead, Ask, Command, Flow, Handshake, State, Together
from imaplus.protocol.connection import Connection
from imaplus.sasl import BearerToken, Credentials, Mechanism, Password, choose
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
    mechanisms: str | Iterable[str] | None = None,
    in_clear: bool = False,
    identity: tuple[tuple[str, str | None], ...] = (),
    enable: str | Iterable[str] = DEFAULT_ENABLE,
    host: str | None = None,
    port: int | None = None,
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
        InvalidArgument: an extension to enable whose answers imaplus does not read.
        StateError: there is a mailbox to select, and neither credentials nor PREAUTH.
    """
    wanted = tuple(map(str.upper, names_of("an extension to enable", enable)))
    if mechanisms is not None:
        mechanisms = names_of("a mechanism", mechanisms)
    Enable(wanted)  # it raises InvalidArgument for what may not be enabled
    last = () if opening is None else (opening,)
    if starttls:
        yield from upgrade(connection)
    yield from _ask_capabilities(connection)
    if connection.state is State.NOT_AUTHENTICATED and credentials is not None:
        way_for = partial(
            way_in, connection, mechanisms=mechanisms, in_clear=in_clear, host=host, port=port
        )
        way = way_for(credentials)
        renews = renew is not None and isinstance(credentials, BearerToken)
        # Why a token is refused comes in a challenge, which would take what follows for its answer.
        goes_ahead = not renews and _may_go_ahead(connection, way.command)
        ahead = (*_preparations(identity, wanted), *last) if goes_ahead else ()
        try:
            results = yield from _log_in(way, *ahead)
        except AuthenticationFailed as error:
            if renew is None or not _is_stale(credentials, way, error):
                raise
            renewed = yield from Ask(renew)
            if renewed == credentials or not isinstance(renewed, BearerToken):
                raise
            results = yield from _log_in(way_for(renewed), *ahead)
        yield from _ask_capabilities(connection)
        if goes_ahead:
            return (yield from _prepared(connection, ahead, results))
        if connection.greets_as("Microsoft Exchange"):
            # quirk 26: it says OK to a wrong password, and BAD to the rest
            yield from if_granted(List("", ("",)))
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
    return (yield from _prepared(connection, rest, results))


def _ask_capabilities(connection: Connection) -> Flow[None]:
    """CAPABILITY, if they are not known. Without an answer the server is taken to have none."""
    if connection.capabilities:
        return
    try:
        yield from GetCapability()
    except (CommandError, ProtocolError) as error:  # quirk 84
        if connection.error is not None or login_failed(error):
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


def _prepared(
    connection: Connection, commands: Sequence[Command[Any]], results: list[Any]
) -> Flow[Opened | None]:
    """What SELECT came to, if it was sent. ID and ENABLE that are refused end nothing (quirk 84).

    Raises the error of SELECT, and what says that the login has failed after all.
    """
    opened: Opened | None = None
    again: tuple[str, ...] = ()
    for command, result in zip(commands, results, strict=True):
        if login_failed(result):
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

    yield from if_granted(Compress())


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


def authenticate(
    connection: Connection,
    credentials: Credentials,
    *,
    mechanisms: str | Iterable[str] | None = None,
    in_clear: bool = False,
    host: str | None = None,
    port: int | None = None,
) -> Flow[None]:
    """Log in by the strongest mechanism that both sides have, and by no weaker one if it fails."""
    if mechanisms is not None:
        mechanisms = names_of("a mechanism", mechanisms)
    yield from _log_in(
        way_in(
            connection, credentials, mechanisms=mechanisms, in_clear=in_clear, host=host, port=port
        )
    )


class Way(NamedTuple):
    """How to log in."""

    command: Login | Authenticate
    all_names: Callable[[], Iterable[str]]
    """Gives the names of all mechanisms that both sides have."""

    @property
    def mechanism(self) -> str:
        """The mechanism's name; the command LOGIN has that of the mechanism that does the same."""
        return self.command.mechanism.name if isinstance(self.command, Authenticate) else "LOGIN"

    def blame(self, error: AuthenticationFailed) -> None:
        """Note in an error what was refused, and what is left."""
        error.mechanism = self.mechanism
        error.others = tuple(name for name in self.all_names() if name != self.mechanism)


def way_in(
    connection: Connection,
    credentials: Credentials,
    *,
    mechanisms: Sequence[str] | None = None,
    in_clear: bool = False,
    host: str | None = None,
    port: int | None = None,
) -> Way:
    """The strongest way to log in that both sides have; of those that `mechanisms` name, the first.

    Raises:
        NoMechanism: there is none.
    """
    ways = partial(_ways, connection, credentials, host=host, port=port)
    secure = connection.secure or in_clear
    found = next(iter(ways(secure=secure, allowed=mechanisms).values()), None)
    if found is None:
        readable = () if secure else tuple(ways(secure=True, allowed=mechanisms))
        why = _why_not(connection, credentials, mechanisms, readable)
        raise NoMechanism(why, offered_by(connection))
    all_names = partial(ways, secure=secure)
    if isinstance(found, Login):
        return Way(found, all_names)
    return Way(Authenticate(found, connection.can("SASL-IR")), all_names)


def offered_by(connection: Connection) -> tuple[str, ...]:
    """The SASL mechanisms that a server offers now, in order of their names."""
    names = (name[5:] for name in connection.capabilities if name.startswith("AUTH="))
    return tuple(sorted(names))


def _ways(
    connection: Connection,
    credentials: Credentials,
    *,
    secure: bool,
    allowed: Sequence[str] | None = None,
    host: str | None = None,
    port: int | None = None,
) -> dict[str, Mechanism | Login]:
    """What both sides have, by name, the first choice first; the command LOGIN if need be."""
    offered = offered_by(connection)
    found: dict[str, Mechanism | Login] = {
        mechanism.name: mechanism
        for mechanism in choose(
            credentials, offered, secure=secure, allowed=allowed, host=host, port=port
        )
    }
    names = None if allowed is None else [name.upper() for name in allowed]
    may_log_in = secure and not connection.can("LOGINDISABLED")
    if isinstance(credentials, Password) and not credentials.authzid and may_log_in:
        found.setdefault("LOGIN", Login(credentials.user, credentials.password))
    return found if names is None else {name: found[name] for name in names if name in found}


def _why_not(
    connection: Connection,
    credentials: Credentials,
    mechanisms: Sequence[str] | None,
    readable: tuple[str, ...],
) -> str:
    """Why there is no way to log in, and what to do."""
    offered = offered_by(connection)
    offers = f"offers {', '.join(offered)}" if offered else "offers no SASL mechanism"
    if connection.can("LOGINDISABLED"):
        offers += " and forbids LOGIN (LOGINDISABLED)"
    kinds: dict[type, str] = {Password: "the password", BearerToken: "the token"}
    kind = kinds.get(type(credentials), f"{type(credentials).__name__} credentials")
    if readable:
        return (
            f"cannot log in: {', '.join(readable)} would send {kind} in clear: use TLS, or allow "
            "it by security=Security.PLAIN"
        )
    if mechanisms is not None:
        names = tuple(name.upper() for name in mechanisms)
        kind += f" by {', '.join(names)}" if names else ", as `mechanisms` is empty"
    return f"cannot log in with {kind}: the server {offers}"


def _is_stale(credentials: Credentials, way: Way, error: AuthenticationFailed) -> bool:
    """Whether a token was refused as expired, or without a reason, as Microsoft does it.

    RFC 7628 (3.2.2) has "invalid_token" for it, Google "400" or "401".
    """
    if not isinstance(credentials, BearerToken):
        return False
    if error.code not in (None, "AUTHENTICATIONFAILED", "EXPIRED"):
        return False  # it is good, and something else is wrong
    details = getattr(getattr(way.command, "mechanism", None), "error_details", None)
    if error.code == "EXPIRED" or not details:
        return True
    return any(f"status: {each}" in details for each in ("invalid_token", "400", "401"))


def _log_in(way: Way, *ahead: Command[Any]) -> Flow[list[Any]]:
    command = way.command
    try:
        return (yield from _accepted(way, *ahead))
    except Rejected:
        if ahead or not isinstance(command, Authenticate) or not command.initial_response:
            raise
        # quirk 49: QQ announces SASL-IR, and answers BAD to it
        return (yield from _accepted(way._replace(command=Authenticate(command.mechanism))))


def _accepted(way: Way, *ahead: Command[Any]) -> Flow[list[Any]]:
    """What comes of what is sent behind a login. A NO to the login is a failed login, with or
    without a response code that says so."""
    command = way.command
    try:
        if ahead:
            return (yield from Ahead(command, *ahead))[1:]
        yield from command
        return []
    except (Refused, Rejected) as error:
        if isinstance(error, Throttled):  # quirk 98: whatever Gmail's JSON says of the token
            raise
        details = command.mechanism.error_details if isinstance(command, Authenticate) else None
        if type(error) is not Refused and details is None:
            if isinstance(error, AuthenticationFailed):
                way.blame(error)
            raise  # BAD is a failed login if the server has explained it, and read on for an answer
        text = f"{error.text} ({details})" if details else error.text
        failed = error.retyped(AuthenticationFailed, text)
        way.blame(failed)
        raise failed from error
