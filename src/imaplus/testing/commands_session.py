"""Commands about the connection itself: RFC 9051, 6.1 and 6.2, ENABLE, ID and COMPRESS."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from imaplus.testing import sasl, scram  # noqa: F401 - scram adds its mechanisms
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import ANY, LOGGED_IN, LOGGED_OUT, Bad, No, Ok, State, command
from imaplus.testing.replies import nstring, parens, string
from imaplus.testing.session import Session, end
from imaplus.testing.streams import Deflate
from imaplus.wire.cursor import Cursor

ENABLABLE: Final = ("CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4rev2")
LONGEST_BYE: Final = 1000
"""Number of BYE responses that `Quirk.ENDLESS_BYE` sends."""


@command("CAPABILITY", states=ANY)
async def capability(session: Session, c: Cursor) -> None:
    end(c)
    session.out.say(f"CAPABILITY {' '.join(session.capabilities())}".encode())


@command("NOOP", states=ANY)
async def noop(session: Session, c: Cursor) -> None:
    end(c)


@command("LOGOUT", states=ANY)
async def logout(session: Session, c: Cursor) -> None:
    end(c)
    session.leave_mailbox()
    for _ in range(LONGEST_BYE if session.has(Quirk.ENDLESS_BYE) else 1):
        session.out.say(b"BYE Logging out")
    session.state = State.LOGOUT
    if session.has(Quirk.LOGOUT_WITHOUT_OK):
        session.tag = b""


@command("STARTTLS", states=LOGGED_OUT, requires=("STARTTLS",))
async def starttls(session: Session, c: Cursor) -> None:
    end(c)
    if session.context is None or session.secure:
        raise Bad("TLS is not available, or active already")
    await _answer_before_change(session, "Begin TLS negotiation now", session.fault.injected)
    await session.start_tls()


async def _answer_before_change(session: Session, text: str, injected: bytes = b"") -> None:
    """Send the tagged OK before TLS or compression begins; no other answer follows."""
    session.out.finish(session.tag, "OK", "", text)
    session.out.raw(injected)
    await session.out.flush()
    session.tag = b""


@command("COMPRESS", states=LOGGED_IN, requires=("COMPRESS=DEFLATE",))
async def compress(session: Session, c: Cursor) -> None:
    c.expect(b" ")
    if c.keyword() != "DEFLATE":
        raise Bad("Unknown compression")
    end(c)
    if session.compressed:
        raise No("Already compressed", "COMPRESSIONACTIVE")
    await _answer_before_change(session, "DEFLATE active")
    session.compressed = True
    session.start_layer(Deflate)


@command("ID", states=ANY, requires=("ID",))
async def identify(session: Session, c: Cursor) -> None:
    """RFC 2971."""
    c.expect(b" ")
    if not c.accept_nil():
        values = [c.nstring() for _ in c.items()]
        if len(values) % 2 or None in values[::2]:
            raise Bad("ID takes pairs of a name and a value")
    end(c)
    session.identified = True
    words = [string(text.encode()) for pair in session.personality.server_id for text in pair]
    session.out.say(b"ID " + (parens(words) if words else nstring(None)))


@command("ENABLE", states=LOGGED_IN, requires=("ENABLE", "IMAP4rev2"))
async def enable(session: Session, c: Cursor) -> None:
    """RFC 5161: unknown capabilities and those not offered are ignored."""
    asked = []
    while c.accept_sp() and not c.at_end():
        asked.append(c.keyword())
    if not asked:
        raise Bad("ENABLE takes the names of capabilities")
    new = []
    for name in ENABLABLE:
        if name.upper() in asked and session.can(name) and name.upper() not in session.enabled:
            session.enabled.add(name.upper())
            new.append(name)
    if not session.has(Quirk.NO_ENABLED):
        session.out.say(" ".join(["ENABLED", *new]).encode())


@command("LOGIN", states=LOGGED_OUT)
async def login(session: Session, c: Cursor) -> Ok:
    c.expect(b" ")
    user = c.astring_text()
    c.expect(b" ")
    password = c.astring_text()
    end(c)
    _require_tls(session)
    try:
        account = sasl.check(session, user, password)
    except No:
        if not session.has(Quirk.BAD_PASSWORD_IS_OK):
            raise
        session.locked_out = True
        account = next(iter(session.hub.accounts.values()))
    session.log_in(account)
    return _welcome(session)


def _require_tls(session: Session) -> None:
    if session.login_disabled:
        raise No("TLS first, please", "PRIVACYREQUIRED")


def _welcome(session: Session) -> Ok:
    if session.can("IMAP4"):
        return Ok()
    return Ok(f"CAPABILITY {' '.join(session.capabilities())}")


@command("AUTHENTICATE", states=LOGGED_OUT)
async def authenticate(session: Session, c: Cursor) -> Ok:
    """RFC 9051, 6.2.2; with an initial response, RFC 4959."""
    c.expect(b" ")
    name = c.keyword()
    initial = None
    if c.accept(b" ") and c.peek():
        if not session.can("SASL-IR", "IMAP4rev2") or session.has(Quirk.NO_INITIAL_RESPONSE):
            raise Bad("Request not ending with CRLF")
        initial = b"" if c.accept(b"=") else _decode(c.rest())
    end(c)
    _require_tls(session)
    if name not in sasl.MECHANISMS or f"AUTH={name}" not in session.capabilities():
        raise No(f"Mechanism {name} is not supported", "CANNOT")
    exchange = sasl.MECHANISMS[name](session)
    challenge = next(exchange)
    try:
        if initial is not None and name not in sasl.SERVER_FIRST:
            challenge = exchange.send(initial)
        while True:
            await session.out.continuation(base64.b64encode(challenge))
            challenge = exchange.send(await _response(session))
    except StopIteration as stop:
        session.log_in(stop.value)
    finally:
        exchange.close()
    return _welcome(session)


async def _response(session: Session) -> bytes:
    line = await session.incoming.line()
    if line is None:
        raise ConnectionResetError
    if line == b"*":
        raise Bad("Authentication cancelled")
    return _decode(line)


def _decode(data: bytes) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Bad("Expected base64") from None


@command("UNAUTHENTICATE", states=LOGGED_IN, requires=("UNAUTHENTICATE",))
async def unauthenticate(session: Session, c: Cursor) -> None:
    """RFC 8437."""
    end(c)
    session.log_out()
    session.enabled.clear()
    session.state = State.NOT_AUTHENTICATED
