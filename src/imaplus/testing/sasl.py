"""The server's side of SASL: each mechanism a generator from responses to challenges.

A mechanism yields a challenge, is sent the client's response, and returns the account; it raises No
where the client is not who it says (RFC 4422). Base64 and `+` are the AUTHENTICATE command's.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final

from imaplus.testing.registry import No
from imaplus.testing.store import Account

if TYPE_CHECKING:
    from imaplus.testing.session import Session

Exchange = Generator[bytes, bytes, Account]
Mechanism = Callable[["Session"], Exchange]

MECHANISMS: Final[dict[str, Mechanism]] = {}
SERVER_FIRST: Final = frozenset({"CRAM-MD5"})
"""Mechanisms in which the server speaks first, so that an initial response is not for them."""


def mechanism(name: str) -> Callable[[Mechanism], Mechanism]:
    """Register a mechanism."""

    def register(run: Mechanism) -> Mechanism:
        MECHANISMS[name] = run
        return run

    return register


def denied(text: str = "Authentication failed") -> No:
    """The error of a login that does not succeed."""
    return No(text, "AUTHENTICATIONFAILED")


def check(session: Session, user: str, password: str) -> Account:
    """The account of a user with this password. Raises No."""
    account = session.hub.accounts.get(user)
    if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
        raise denied()
    return account


def text_of(data: bytes) -> str:
    """A response as text. Raises No."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise denied() from None


@mechanism("PLAIN")
def plain(session: Session) -> Exchange:
    """RFC 4616. Whoever has an account may act for nobody else."""
    parts = text_of((yield b"")).split("\0")
    if len(parts) != 3:
        raise denied("Expected authzid NUL authcid NUL password")
    account = check(session, parts[1], parts[2])
    return act_as(account, parts[0])


def act_as(account: Account, authzid: str) -> Account:
    """The account that a user may act as: their own. Raises No."""
    if authzid not in ("", account.user):
        raise No("May not act for that user", "AUTHORIZATIONFAILED")
    return account


@mechanism("LOGIN")
def login(session: Session) -> Exchange:
    """draft-murchison-sasl-login. An initial response is the user's name."""
    user = yield b"Username:"
    password = yield b"Password:"
    return check(session, text_of(user), text_of(password))


@mechanism("CRAM-MD5")
def cram_md5(session: Session) -> Exchange:
    """RFC 2195."""
    challenge = f"<{secrets.token_hex(8)}@imaplus.testing>".encode()
    user, _, digest = text_of((yield challenge)).rpartition(" ")
    account = session.hub.accounts.get(user)
    if account is None:
        raise denied()
    expected = hmac.new(account.password.encode(), challenge, "md5").hexdigest()
    if not hmac.compare_digest(expected, digest):
        raise denied()
    return account


def attributes(message: str) -> dict[str, str]:
    """attr-val *("," attr-val) (RFC 5802, 7)."""
    return {each[:1]: each[2:] for each in message.split(",") if each[1:2] == "="}


def _bearer(session: Session, user: str, authorization: str) -> Account | None:
    """The account whose password is this token."""
    account = session.hub.accounts.get(user)
    kind, _, token = authorization.partition(" ")
    if account is None or kind.lower() != "bearer":
        return None
    return account if hmac.compare_digest(account.password.encode(), token.encode()) else None


@mechanism("XOAUTH2")
def xoauth2(session: Session) -> Exchange:
    """Google's and Microsoft's; the token is the account's password."""
    said = _key_values((yield b""))
    account = _bearer(session, said.get("user", ""), said.get("auth", ""))
    if account is None:
        yield json.dumps({"status": "400", "schemes": "Bearer", "scope": "mail"}).encode()
        raise denied("Invalid credentials")
    return account


@mechanism("OAUTHBEARER")
def oauthbearer(session: Session) -> Exchange:
    """RFC 7628; the token is the account's password."""
    message = yield b""
    said = _key_values(message)
    header = attributes(text_of(message).partition("\1")[0])
    account = _bearer(session, header.get("a", ""), said.get("auth", ""))
    if account is None:
        yield json.dumps({"status": "invalid_token", "scope": "mail"}).encode()
        raise denied("Invalid credentials")
    return account


def _key_values(message: bytes) -> dict[str, str]:
    pairs = (each.partition("=") for each in text_of(message).split("\1"))
    return {key: value for key, _, value in pairs}


@mechanism("EXTERNAL")
def external(session: Session) -> Exchange:
    """RFC 4422, appendix A: the user that the client's certificate names."""
    authzid = text_of((yield b""))
    account = session.hub.accounts.get(session.certificate_user or "")
    if account is None:
        raise denied("The client has not shown a certificate of a user")
    return act_as(account, authzid)


@mechanism("ANONYMOUS")
def anonymous(session: Session) -> Exchange:
    """RFC 4505: an account of the name `anonymous`, if there is one."""
    yield b""
    account = session.hub.accounts.get("anonymous")
    if account is None:
        raise denied("No anonymous access")
    return account
