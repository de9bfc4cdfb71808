"""Logging in by the strongest means that both sides have (RFC 9051, 6.2.2 and 6.2.3; RFC 4422).

Which mechanism, with which channel binding, what a refusal means, and what a server must not stop
offering. What comes before a login and after it is in `connect`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from imaplus.core.session import Authenticate, Login
from imaplus.errors import (
    AuthenticationFailed,
    MechanismWithdrawn,
    NoMechanism,
    OAuthFailure,
    Refused,
    Rejected,
    Throttled,
)
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Ahead, Flow
from imaplus.records import record
from imaplus.sasl import BearerToken, Credentials, Kerberos, Mechanism, Password, choose
from imaplus.wire.names import names_of

if TYPE_CHECKING:
    from imaplus.sasl.binding import ChannelBinding
    from imaplus.sasl.memory import LoginMemory


@record(kw_only=True)
class LoginOptions:
    """What the caller says of a login, and where it goes."""

    mechanisms: str | Iterable[str] | None = None
    """The only mechanisms to use, in order of preference; one by its name."""
    in_clear: bool = False
    """Whether a secret may be sent in a form that others can read."""
    host: str | None = None
    port: int | None = None
    memory: LoginMemory | None = None
    """What the server has offered before."""

    def __post_init__(self) -> None:
        if self.mechanisms is not None:
            named = names_of("a mechanism", self.mechanisms)
            object.__setattr__(self, "mechanisms", named)

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """The only mechanisms to use, in capitals; None for all."""
        return None if self.mechanisms is None else tuple(map(str.upper, self.mechanisms))


DEFAULT = LoginOptions()


def authenticate(
    connection: Connection, credentials: Credentials, options: LoginOptions = DEFAULT
) -> Flow[None]:
    """Log in by the strongest mechanism that both sides have, and by no weaker one if it fails."""
    yield from log_in(way_in(connection, credentials, options))


class Way(NamedTuple):
    """How to log in."""

    command: Login | Authenticate
    all_names: Callable[[], Iterable[str]]
    """Gives the names of all mechanisms that both sides have."""

    @property
    def mechanism(self) -> str:
        """The mechanism's name; the command LOGIN has that of the mechanism that does the same."""
        return self.command.mechanism.name if isinstance(self.command, Authenticate) else "LOGIN"

    @property
    def failure(self) -> OAuthFailure | None:
        """Why a token was refused, if the server said so."""
        failure = getattr(getattr(self.command, "mechanism", None), "failure", None)
        return failure if isinstance(failure, OAuthFailure) else None

    def blame(self, error: AuthenticationFailed) -> None:
        """Note in an error what was refused, and what is left."""
        error.mechanism = self.mechanism
        error.oauth = self.failure
        error.others = tuple(name for name in self.all_names() if name != self.mechanism)

    def with_next_binding(self) -> Way | None:
        """The same with another type of channel binding, if the server does not have this one."""
        find = getattr(getattr(self.command, "mechanism", None), "next_binding", None)
        mechanism = find() if find is not None else None
        if mechanism is None:
            return None
        assert isinstance(self.command, Authenticate)
        return self._replace(command=Authenticate(mechanism, self.command.initial_response))


def way_in(
    connection: Connection, credentials: Credentials, options: LoginOptions = DEFAULT
) -> Way:
    """The strongest way to log in that both sides have; of those that `mechanisms` name, the first.

    Raises:
        NoMechanism: there is none.
        MechanismWithdrawn: there was a stronger one when we connected before.
    """
    ways = partial(_ways, connection, credentials, options)
    offered = offered_by(connection)
    found = ways(offered)
    _compare_with_before(ways, found, offered, options)
    if not found:
        readable = tuple(ways(offered, readable=True))
        why = _why_not(connection, credentials, options.allowed, readable)
        raise NoMechanism(why, offered)
    first = next(iter(found.values()))
    all_names = partial(ways, offered, limited=False)
    if isinstance(first, Login):
        return Way(first, all_names)
    return Way(Authenticate(first, connection.can("SASL-IR")), all_names)


def offered_by(connection: Connection) -> tuple[str, ...]:
    """The SASL mechanisms that a server offers now, in order of their names."""
    names = (name[5:] for name in connection.capabilities if name.startswith("AUTH="))
    return tuple(sorted(names))


def _compare_with_before(
    ways: Callable[..., dict[str, Mechanism | Login]],
    found: dict[str, Mechanism | Login],
    offered: tuple[str, ...],
    options: LoginOptions,
) -> None:
    """Refuse to log in by less than the server has offered before, and note what it offers now.

    Raises: MechanismWithdrawn.
    """
    memory, host, port = options.memory, options.host, options.port
    if memory is None or host is None or port is None:
        return
    before = memory.mechanisms_of(host, port)
    best = next(iter(ways({*before, *offered})), None)
    if best is not None and best not in found:
        raise MechanismWithdrawn(best, offered)
    memory.note(host, port, offered)


def _ways(
    connection: Connection,
    credentials: Credentials,
    options: LoginOptions,
    offered: Iterable[str],
    *,
    readable: bool = False,
    limited: bool = True,
) -> dict[str, Mechanism | Login]:
    """What both sides have, by name, the first choice first; the command LOGIN if need be.

    With `readable`, also what would send a secret in a form that others can read; if it is not
    `limited`, also what the caller does not want.
    """
    allowed = options.allowed if limited else None
    in_clear = options.in_clear or readable
    found: dict[str, Mechanism | Login] = {
        mechanism.name: mechanism
        for mechanism in choose(
            credentials,
            tuple(offered),
            secure=connection.secure,
            in_clear=in_clear,
            allowed=allowed,
            host=options.host,
            port=options.port,
            bindings=partial(_bindings, connection),
        )
    }
    may_log_in = (connection.secure or in_clear) and not connection.can("LOGINDISABLED")
    if isinstance(credentials, Password) and not credentials.authzid and may_log_in:
        found.setdefault("LOGIN", Login(credentials.user, credentials.password))
    if allowed is None:
        return found
    return {name: found[name] for name in allowed if name in found}


def _bindings(connection: Connection) -> Sequence[ChannelBinding]:
    """What a login can be bound to on this connection."""
    bindings: Sequence[ChannelBinding] = connection.channel_bindings()
    if connection.greets_as("Dovecot"):
        # Dovecot 2.4 supports tls-exporter and tls-unique only.
        return [each for each in bindings if each.type != "tls-server-end-point"]
    return bindings


def _why_not(
    connection: Connection,
    credentials: Credentials,
    allowed: tuple[str, ...] | None,
    readable: tuple[str, ...],
) -> str:
    """Why there is no way to log in, and what to do."""
    offered = offered_by(connection)
    offers = f"offers {', '.join(offered)}" if offered else "offers no SASL mechanism"
    if connection.can("LOGINDISABLED"):
        offers += " and forbids LOGIN (LOGINDISABLED)"
    kinds: dict[type, str] = {Password: "the password", BearerToken: "the token"}
    kind = kinds.get(type(credentials), f"{type(credentials).__name__} credentials")
    if isinstance(credentials, Mechanism):
        kind = "a secret" if readable else credentials.name
    if readable:
        return (
            f"cannot log in: {', '.join(readable)} would send {kind} in clear: use TLS, or allow "
            "it by security=Security.PLAIN"
        )
    if isinstance(credentials, Kerberos) and "GSSAPI" in offered:
        from imaplus.sasl import Gssapi

        if not Gssapi.available():
            return "cannot log in with Kerberos: install imaplus[kerberos]"
    if allowed is not None:
        kind += f" by {', '.join(allowed)}" if allowed else ", as `mechanisms` is empty"
        if any(name.endswith("-PLUS") and name in offered for name in allowed):
            offers += (
                "; this Python has no channel binding that the server takes on this connection"
            )
    return f"cannot log in with {kind}: the server {offers}"


def is_stale(credentials: Credentials, way: Way, error: AuthenticationFailed) -> bool:
    """Whether a token was refused as expired, or without a reason, as Microsoft does it.

    RFC 7628 (3.2.2) has "invalid_token" for it, Google "400" or "401".
    """
    if not isinstance(credentials, BearerToken):
        return False
    if error.code not in (None, "AUTHENTICATIONFAILED", "EXPIRED"):
        return False  # it is good, and something else is wrong
    failure = way.failure
    return error.code == "EXPIRED" or failure is None or not failure.text or failure.is_stale


def log_in(way: Way, *ahead: Command[Any]) -> Flow[list[Any]]:
    """Log in; what comes of the commands that are sent behind the login.

    Raises: AuthenticationFailed, and what else the server refuses it with.
    """
    command = way.command
    try:
        return (yield from _log_in_by(way, *ahead))
    except AuthenticationFailed:
        another = way.with_next_binding()
        if another is None:
            raise
        return (yield from log_in(another, *ahead))
    except Rejected:
        if ahead or not isinstance(command, Authenticate) or not command.initial_response:
            raise
        # quirk 49: QQ announces SASL-IR, and answers BAD to it
        return (yield from _log_in_by(way._replace(command=Authenticate(command.mechanism))))


def _log_in_by(way: Way, *ahead: Command[Any]) -> Flow[list[Any]]:
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
        failed = error.retype(AuthenticationFailed, text)
        way.blame(failed)
        raise failed from error
