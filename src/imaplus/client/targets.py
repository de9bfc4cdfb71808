"""The arguments of `connect()`, validated: endpoint, security, proxy, user and credentials.

No I/O. Arguments that contradict each other are refused.
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
    """The host name that the certificate must match."""
    user: str | None
    """The user name of the URL or of the caller."""
    security: Security | None
    """How the connection is protected; None for endpoints other than Tcp."""
    proxy: Proxy | None = None

    @property
    def starttls(self) -> bool:
        """Whether to send STARTTLS before logging in."""
        return self.security is Security.STARTTLS

    @property
    def in_clear(self) -> bool:
        """Whether passwords may be sent without TLS."""
        return self.security is Security.PLAIN

    @property
    def port(self) -> int | None:
        """The port of the server; None for endpoints other than Tcp."""
        return self.endpoint.port_number if isinstance(self.endpoint, Tcp) else None


def target(
    where: str | Endpoint,
    port: int | None,
    security: Security | None,
    user: str | None,
    proxy: Secret | None,
) -> Target:
    """Validate the arguments that describe the server.

    Raises:
        InvalidArgument: an argument is invalid, or contradicts another one.
    """
    if security is not None:
        _check_security(security)
    found = _of_text(where, port, security, user) if isinstance(where, str) else None
    if found is None:
        assert not isinstance(where, str)
        if port is not None:
            raise InvalidArgument(
                "`port` requires a host name or URL; an endpoint has its own port"
            )
        if isinstance(where, Tcp):
            _check_security(where.security)
        host = where.host if isinstance(where, Tcp) else "localhost"
        found = Target(where, host, user, _security(where, security))
    if proxy is None:
        return found
    if not isinstance(found.endpoint, Tcp):
        raise InvalidArgument("`proxy` requires a host name, a URL or Tcp(...)")
    from imaplus.client import proxies

    return found._replace(proxy=proxies.parse(proxy))


def _check_security(security: object) -> None:
    """Refuse a text such as "tls", which equals no member of Security."""
    if not isinstance(security, Security):
        names = ", ".join(str(each) for each in Security)
        raise InvalidArgument(f"`security` must be one of {names}; found {security!r:.60}")


def _of_text(where: str, port: int | None, security: Security | None, user: str | None) -> Target:
    endpoint, named = endpoints.parse(where, port, security)
    if user is not None and named is not None and user != named:
        raise InvalidArgument("`user` and the user in the URL differ")
    return Target(endpoint, endpoint.host, named if user is None else user, endpoint.security)


def _security(endpoint: Endpoint, security: Security | None) -> Security | None:
    """Return the security of an endpoint, which `security` must not contradict."""
    if isinstance(endpoint, Tcp):
        if security not in (None, endpoint.security):
            raise InvalidArgument(
                f"the endpoint has {endpoint.security}, and `security` is {security}: give it in "
                "one place"
            )
        return endpoint.security
    if security not in (None, Security.PLAIN):
        raise InvalidArgument(
            f"{security} requires a host name, a URL or Tcp(...): a {type(endpoint).__name__} is "
            "used without TLS"
        )
    return security


def password_of(
    user: str | None, password: str | Secret | None, credentials: object | None
) -> Credentials | None:
    """Make credentials of a user and a password; None if there are neither.

    Raises:
        InvalidArgument: one of them is missing, or `credentials` is given as well.
    """
    if credentials is not None:
        if user is not None or password is not None:
            raise InvalidArgument("give either `user` and `password`, or `credentials`")
        return None
    if user is None and password is None:
        return None
    if user is None:
        raise InvalidArgument("`password` requires `user`")
    if password is None:
        raise InvalidArgument(f"the user {user!r} requires `password` or `credentials`")
    from imaplus.sasl import Password

    return Password(user, password)


def check_credentials(credentials: Any) -> Credentials:
    """Return credentials that can be used to log in.

    Raises:
        InvalidArgument: they are of a wrong type. The error does not repeat the value, which may be
            a secret.
    """
    from imaplus.sasl import Anonymous, BearerToken, External, Kerberos, Mechanism, Password

    kinds = Password | BearerToken | External | Anonymous | Kerberos | Mechanism
    if not isinstance(credentials, kinds):
        raise InvalidArgument(
            "`credentials` must be a Password, BearerToken, External, Anonymous, Kerberos or "
            f"Mechanism, or a function that returns one; found {type(credentials).__name__}"
        )
    return credentials
