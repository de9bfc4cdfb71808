"""The server side of SASL: each mechanism is a generator.

A mechanism yields challenges, is sent the client's responses, and returns the account; it raises No
if authentication fails (RFC 4422). The AUTHENTICATE command handles base64 and `+`.
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
"""Mechanisms in which the server sends data first: they have no initial response."""


def mechanism(name: str) -> Callable[[Mechanism], Mechanism]:
    """Register a mechanism."""

    def register(run: Mechanism) -> Mechanism:
        MECHANISMS[name] = run
        return run

    return register


def make_denial(text: str = "Authentication failed") -> No:
    """Make the error for a failed login."""
    return No(text, "AUTHENTICATIONFAILED")


def check(session: Session, user: str, password: str) -> Account:
    """Return the account of a user. Raises No if the user or the password is wrong."""
    account = session.hub.accounts.get(user)
    if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
        raise make_denial()
    return account


def text_of(data: bytes) -> str:
    """Decode a response from UTF-8. Raises No if it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise make_denial() from None


@mechanism("PLAIN")
def plain(session: Session) -> Exchange:
    """RFC 4616. The authorization identity must be empty or the user's own."""
    parts = text_of((yield b"")).split("\0")
    if len(parts) != 3:
        raise make_denial("Expected authzid NUL authcid NUL password")
    account = check(session, parts[1], parts[2])
    return act_as(account, parts[0])


def act_as(account: Account, authzid: str) -> Account:
    """Return the account if `authzid` is empty or its own user. Raises No."""
    if authzid not in ("", account.user):
        raise No("May not act for that user", "AUTHORIZATIONFAILED")
    return account


@mechanism("LOGIN")
def login(session: Session) -> Exchange:
    """draft-murchison-sasl-login. An initial response is the user name."""
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
        raise make_denial()
    expected = hmac.new(account.password.encode(), challenge, "md5").hexdigest()
    if not hmac.compare_digest(expected, digest):
        raise make_denial()
    return account


def attributes(message: str) -> dict[str, str]:
    """Parse attributes: attr-val *("," attr-val) (RFC 5802, 7)."""
    return {each[:1]: each[2:] for each in message.split(",") if each[1:2] == "="}


def _bearer(session: Session, user: str, authorization: str) -> Account | None:
    """Return the account if the token is its password."""
    account = session.hub.accounts.get(user)
    kind, _, token = authorization.partition(" ")
    if account is None or kind.lower() != "bearer":
        return None
    return account if hmac.compare_digest(account.password.encode(), token.encode()) else None


@mechanism("XOAUTH2")
def xoauth2(session: Session) -> Exchange:
    """XOAUTH2 of Google and Microsoft; the token is the account's password."""
    said = _key_values((yield b""))
    account = _bearer(session, said.get("user", ""), said.get("auth", ""))
    if account is None:
        yield json.dumps({"status": "400", "schemes": "Bearer", "scope": "mail"}).encode()
        raise make_denial("Invalid credentials")
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
        raise make_denial("Invalid credentials")
    return account


def _key_values(message: bytes) -> dict[str, str]:
    pairs = (each.partition("=") for each in text_of(message).split("\1"))
    return {key: value for key, _, value in pairs}


@mechanism("EXTERNAL")
def external(session: Session) -> Exchange:
    """RFC 4422, appendix A: the user named in the client's certificate."""
    authzid = text_of((yield b""))
    account = session.hub.accounts.get(session.certificate_user or "")
    if account is None:
        raise make_denial("The client has not sent a certificate that names a user")
    return act_as(account, authzid)


@mechanism("ANONYMOUS")
def anonymous(session: Session) -> Exchange:
    """RFC 4505: the account `anonymous`, if there is one."""
    yield b""
    account = session.hub.accounts.get("anonymous")
    if account is None:
        raise make_denial("No anonymous access")
    return account
