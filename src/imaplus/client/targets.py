"""What the arguments of `connect()` come to: where to connect, how, and as whom.

Each of them is said in one place: security by the endpoint, the URL or `security=`, the user by the
URL or `user=`, and who they are by a password or by credentials. There is no I/O here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from imaplus.client import endpoints
from imaplus.client.endpoints import Endpoint, Security, Tcp
from imaplus.errors import InvalidArgument

if TYPE_CHECKING:
    from imaplus.client.proxies import Proxy
    from imaplus.sasl import Credentials
    from imaplus.wire.secret import Secret


class Target(NamedTuple):
    """Where to connect, and how."""

    endpoint: Endpoint
    host: str
    """The name that the certificate must have."""
    user: str | None
    """Who the URL or the caller names."""
    security: Security | None
    """How TLS begins; None where the endpoint has no say in it."""
    proxy: Proxy | None = None

    @property
    def starttls(self) -> bool:
        """Whether STARTTLS comes first."""
        return self.security is Security.STARTTLS

    @property
    def in_clear(self) -> bool:
        """Whether the caller allows secrets on a connection that can be read by others."""
        return self.security is Security.PLAIN

    @property
    def port(self) -> int | None:
        """The port of the server, where it has one."""
        return self.endpoint.port_number if isinstance(self.endpoint, Tcp) else None


def target(
    where: str | Endpoint,
    port: int | None,
    security: Security | None,
    user: str | None,
    proxy: Secret | None,
) -> Target:
    """Put together what the caller says of the server.

    Raises:
        InvalidArgument: two arguments contradict each other, or one makes no sense.
    """
    if security is not None:
        _insist_on_security(security)
    found = _of_text(where, port, security, user) if isinstance(where, str) else None
    if found is None:
        assert not isinstance(where, str)
        if port is not None:
            raise InvalidArgument("a port goes with a host name; an endpoint has its own")
        if isinstance(where, Tcp):
            _insist_on_security(where.security)
        host = where.host if isinstance(where, Tcp) else "localhost"
        found = Target(where, host, user, _security(where, security))
    if proxy is None:
        return found
    if not isinstance(found.endpoint, Tcp):
        raise InvalidArgument("a proxy goes with a host name, a URL or Tcp(...)")
    from imaplus.client import proxies

    return found._replace(proxy=proxies.parse(proxy))


def _insist_on_security(security: object) -> None:
    """Refuse a text such as "tls", which would be compared in vain."""
    if not isinstance(security, Security):
        names = ", ".join(str(each) for each in Security)
        raise InvalidArgument(f"the security must be one of {names}; found {security!r:.60}")


def _of_text(where: str, port: int | None, security: Security | None, user: str | None) -> Target:
    endpoint, named = endpoints.parse(where, port, security)
    if user is not None and named is not None and user != named:
        raise InvalidArgument("the URL names another user than `user` does")
    return Target(endpoint, endpoint.host, named if user is None else user, endpoint.security)


def _security(endpoint: Endpoint, security: Security | None) -> Security | None:
    """What an endpoint says of its security, and `security=` must not contradict."""
    if isinstance(endpoint, Tcp):
        if security not in (None, endpoint.security):
            raise InvalidArgument(
                f"the endpoint says {endpoint.security}, and `security` says {security}: give it "
                "in one place"
            )
        return endpoint.security
    if security not in (None, Security.PLAIN):
        raise InvalidArgument(
            f"{security} goes with a host name, a URL or Tcp(...): a {type(endpoint).__name__} is "
            "used as it is"
        )
    return security


def password_of(
    user: str | None, password: str | Secret | None, credentials: object | None
) -> Credentials | None:
    """Who a user and a password are; None if there are neither.

    Raises:
        InvalidArgument: one of them is missing, or there are credentials beside them.
    """
    if credentials is not None:
        if user is not None or password is not None:
            raise InvalidArgument("give a user and a password, or credentials, not both")
        return None
    if user is None and password is None:
        return None
    if user is None:
        raise InvalidArgument("`password` requires `user`")
    if password is None:
        raise InvalidArgument(
            f"the user {user!r} needs a password or credentials; without a user there is no login"
        )
    from imaplus.sasl import Password

    return Password(user, password)


def checked(credentials: Any) -> Credentials:
    """What a function of the caller's gave, if it can be used to log in.

    Raises:
        InvalidArgument: it cannot. What it was is not repeated, for it may be a secret.
    """
    from imaplus.sasl import Anonymous, BearerToken, External, Kerberos, Mechanism, Password

    kinds = Password | BearerToken | External | Anonymous | Kerberos | Mechanism
    if not isinstance(credentials, kinds):
        raise InvalidArgument(
            "the credentials must be a Password, BearerToken, External, Anonymous, Kerberos or "
            f"Mechanism, or a function that gives one; found {type(credentials).__name__}"
        )
    return credentials
