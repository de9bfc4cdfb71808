"""Logging in by every mechanism, and what a failure shows: who, and never with what."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable

import pytest

from imaplus import (
    Anonymous,
    AuthenticationFailed,
    BearerToken,
    CapabilityMissing,
    ConnectionLost,
    InvalidArgument,
    Password,
    ProtocolError,
    Rejected,
    Secret,
    Throttled,
)
from imaplus.testing import Fault, Personality, Server
from imaplus.testing import personality as personalities
from imaplus.testing.personality import REV1, Quirk

from .harness import Connector, names

PASSWORD_MECHANISMS = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
TOKEN_MECHANISMS = ["OAUTHBEARER", "XOAUTH2"]
SECRET = 'hunter2 "\\ ü'
"""Quotes, backslashes and 8-bit octets, so that it must travel as a literal in LOGIN."""


def only(mechanism: str, *others: str) -> Personality:
    """A server that offers one mechanism, with or without initial responses."""
    capabilities = {name for name in REV1 if not name.startswith("AUTH=")}
    return Personality(
        name="one mechanism",
        capabilities=frozenset(capabilities - {"SASL-IR"} | {f"AUTH={mechanism}", *others}),
    )


@pytest.mark.parametrize("early", [(), ("SASL-IR",)], ids=["no SASL-IR", "SASL-IR"])
@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
async def test_by_password(
    connect: Connector, start: Callable[..., Server], mechanism: str, early: tuple[str, ...]
) -> None:
    server = start(personality=only(mechanism, *early), password=SECRET)
    client = await connect(server)
    assert f"AUTHENTICATE {mechanism}" in server.commands[0][0]
    assert (await client.select("INBOX")).exists == 0


@pytest.mark.parametrize("early", [(), ("SASL-IR",)], ids=["no SASL-IR", "SASL-IR"])
@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_by_token(
    connect: Connector, start: Callable[..., Server], mechanism: str, early: tuple[str, ...]
) -> None:
    server = start(personality=only(mechanism, *early), password="ya29.token~")
    await connect(server, credentials=BearerToken("ada", "ya29.token~"))
    assert f"AUTHENTICATE {mechanism}" in server.commands[0][0]


async def test_as_nobody(connect: Connector, server: Server) -> None:
    server.add_user("anonymous", "")
    await connect(server, credentials=Anonymous("tester@example.org"))
    assert "AUTHENTICATE ANONYMOUS" in server.commands[0][0]


@pytest.mark.parametrize("literals", ["LITERAL+", "LITERAL-", ""])
async def test_by_the_login_command(
    connect: Connector, start: Callable[..., Server], literals: str
) -> None:
    capabilities = {"IMAP4rev1", literals} - {""}
    who = Personality(name="old", capabilities=frozenset(capabilities))
    server = start(personality=who, password=SECRET)
    await connect(server)
    assert names(server)[0] == "LOGIN"


async def test_without_logging_in(connect: Connector, server: Server) -> None:
    client = await connect(server, user=None)
    assert names(server) == []
    assert client.can("SASL-IR")


async def test_the_strongest_mechanism_is_used(connect: Connector, server: Server) -> None:
    await connect(server)
    assert "AUTHENTICATE SCRAM-SHA-256" in server.commands[0][0]


async def test_the_caller_may_say_which(connect: Connector, server: Server) -> None:
    await connect(server, mechanisms=["XYZ", "CRAM-MD5", "PLAIN"])
    assert "AUTHENTICATE CRAM-MD5" in server.commands[0][0]


async def test_no_mechanism_in_common(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality=only("XOAUTH2"))
    with pytest.raises(CapabilityMissing):
        await connect(server, mechanisms=["SCRAM-SHA-256"])
    assert names(server) == []


async def test_initial_response_announced_but_refused(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Quirk 49."""
    server = start(personality=Personality(name="qq").but(Quirk.NO_INITIAL_RESPONSE))
    await connect(server)
    assert names(server)[:2] == ["AUTHENTICATE", "AUTHENTICATE"]


async def test_capabilities_of_before_the_login_are_forgotten(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality=Personality(name="x", capabilities=REV1 | {"AUTH=PLAIN"}))
    client = await connect(server)
    assert not any(name.startswith("AUTH=") for name in client.capabilities)


# -- failures --------------------------------------------------------------------------------------


def shown(error: BaseException) -> str:
    """All that a traceback with local variables would tell of an error."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    own = traceback.TracebackException.from_exception(error, capture_locals=False)
    frames = [
        line
        for exception in _chain(told)
        for frame in exception.stack
        if "/tests/" not in frame.filename
        for line in (frame.locals or {}).values()
    ]
    return "\n".join([*frames, *own.format(), repr(error), str(error), repr(error.args)])


def _chain(
    exception: traceback.TracebackException | None,
) -> list[traceback.TracebackException]:
    if exception is None:
        return []
    return [exception, *_chain(exception.__cause__), *_chain(exception.__context__)]


def spellings(secret: str) -> list[str]:
    """How a secret might be spelled where it should not be seen."""
    alone = base64.b64encode(secret.encode()).decode().rstrip("=")
    plain = base64.b64encode(f"\0ada\0{secret}".encode()).decode()
    return [secret, repr(secret)[1:-1], alone, plain, repr(secret.encode())[2:-1]]


WRONG = "wrong-pässword-4711"


@pytest.mark.parametrize("mechanism", [*PASSWORD_MECHANISMS, "the LOGIN command"])
async def test_wrong_password(
    connect: Connector, start: Callable[..., Server], mechanism: str
) -> None:
    who = only(mechanism, "SASL-IR") if mechanism in PASSWORD_MECHANISMS else "minimal-imap4"
    server = start(personality=who)
    lines: list[tuple[str, bytes]] = []
    with pytest.raises(AuthenticationFailed) as caught:
        await connect(server, user="ada", password=WRONG, trace=lambda *line: lines.append(line))
    everything = shown(caught.value) + "".join(f"{line}" for line in lines)
    for spelling in spellings(WRONG):
        assert spelling not in everything
    assert any(b"***" in line for direction, line in lines if direction == "C")


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_wrong_token(
    connect: Connector, start: Callable[..., Server], mechanism: str
) -> None:
    server = start(personality=only(mechanism, "SASL-IR"))
    lines: list[tuple[str, bytes]] = []
    with pytest.raises(AuthenticationFailed, match=r"schemes|invalid_token") as caught:
        await connect(
            server, credentials=BearerToken("ada", "ya29.secret"),
            trace=lambda *line: lines.append(line),
        )  # fmt: skip
    everything = shown(caught.value) + "".join(f"{line}" for line in lines)
    assert "ya29.secret" not in everything


async def test_the_right_password_is_not_shown_either(connect: Connector, server: Server) -> None:
    lines: list[tuple[str, bytes]] = []
    client = await connect(server, mechanisms=["PLAIN"], trace=lambda *line: lines.append(line))
    everything = "".join(f"{line}" for line in lines) + repr(client) + repr(vars(client.connection))
    for spelling in spellings(server.password):
        assert spelling not in everything


async def test_a_connection_lost_at_login_shows_nothing(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.bye(1))
    with pytest.raises(ConnectionLost) as caught:
        await connect(server, mechanisms=["PLAIN"])
    for spelling in spellings(server.password):
        assert spelling not in shown(caught.value)


async def test_a_no_without_a_code_is_a_failed_login(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.fail_login("Sorry"))
    with pytest.raises(AuthenticationFailed, match="Sorry"):
        await connect(server)


async def test_a_server_that_is_busy_is_no_failed_login(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.fail_login("[UNAVAILABLE] Try again later"))
    with pytest.raises(Throttled, match="later"):
        await connect(server)


async def test_a_bad_is_no_failed_login(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.refuse("AUTHENTICATE", status="BAD", text="What?"))
    with pytest.raises(Rejected):
        await connect(server)


async def test_no_weaker_mechanism_is_tried_after_a_failure(
    connect: Connector, server: Server
) -> None:
    with pytest.raises(AuthenticationFailed):
        await connect(server, user="ada", password="wrong")
    assert names(server) == ["AUTHENTICATE"]


async def test_a_login_that_only_seems_to_succeed(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Quirk 26: the error comes with the first command, and is the login's."""
    server = start(personality=personalities.named("minimal-imap4").but(Quirk.BAD_PASSWORD_IS_OK))
    with pytest.raises(AuthenticationFailed):
        await connect(server, user="ada", password="wrong")


async def test_a_server_that_accepts_too_early(connect: Connector, server: Server) -> None:
    """SCRAM: OK before the server has proved that it knows the password (RFC 5802, 5)."""
    server.fail_next(Fault.refuse("AUTHENTICATE", status="OK", text="Welcome"))
    with pytest.raises(ProtocolError):
        await connect(server, mechanisms=["SCRAM-SHA-256"])


@pytest.mark.parametrize("password", ["a\0b", "\ud800"])
async def test_a_password_that_cannot_travel(
    connect: Connector, server: Server, password: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await connect(server, user="ada", password=password)
    assert repr(password)[1:-1] not in str(caught.value)
    assert server.sessions == []


async def test_secrets_and_credentials_may_be_given_as_such(
    connect: Connector, server: Server
) -> None:
    secret = Secret(server.password)
    assert server.password not in f"{secret} {secret!r} {Password('ada', secret)!r}"
    await connect(server, user="ada", password=secret)
    await connect(server, credentials=Password("ada", secret))
    with pytest.raises(InvalidArgument):
        await connect(server, user="ada", credentials=Password("ada", secret))
