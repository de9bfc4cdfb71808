"""Logins by every mechanism; errors show the user, never the secret."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import pickle
import threading
import traceback
from collections.abc import Callable, Generator
from typing import Any

import pytest

from imaplus import (
    AsyncClient,
    AuthenticationFailed,
    Client,
    ConnectionLost,
    InvalidArgument,
    ProtocolError,
    Security,
    Throttled,
)
from imaplus.core.session import Authenticate
from imaplus.credentials import (
    Anonymous,
    BearerToken,
    Credentials,
    External,
    Kerberos,
    Mechanism,
    Password,
    Secret,
)
from imaplus.errors import CapabilityMissing, NoMechanism, Rejected
from imaplus.flows.login import way_in
from imaplus.protocol.connection import Connection
from imaplus.protocol.state import State
from imaplus.sasl import Gssapi, ScramSha256
from imaplus.testing import Fault, Personality, Server
from imaplus.testing import personality as personalities
from imaplus.testing.personality import REV1, Quirk

from .harness import Connector, names

PASSWORD_MECHANISMS = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
TOKEN_MECHANISMS = ["OAUTHBEARER", "XOAUTH2"]
SECRET = 'hunter2 "\\ ü'
"""Quotes, backslashes and 8-bit bytes, so that LOGIN sends it as a literal."""


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


async def test_without_credentials(connect: Connector, server: Server) -> None:
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
    """A traceback of an error, with local variables."""
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
    """The forms in which a secret might leak."""
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
    """Quirk 26: the server refuses the first command; the error is that of the login."""
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


# -- what is left to try ---------------------------------------------------------------------------


async def test_a_failure_says_which_mechanisms_are_left(connect: Connector, server: Server) -> None:
    """The server may store hashes of some users that only PLAIN can be checked against."""
    with pytest.raises(AuthenticationFailed) as caught:
        await connect(server, user="ada", password="wrong")
    error = caught.value
    assert error.mechanism == "SCRAM-SHA-256"
    assert error.others == ("SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
    assert str(error).endswith(
        "(SCRAM-SHA-256 was refused; both sides also support SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN)"
    )
    with pytest.raises(AuthenticationFailed) as caught:
        await connect(server, user="ada", password="wrong", mechanisms=["login"])
    assert caught.value.mechanism == "LOGIN"
    assert caught.value.others == ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN")


async def test_a_no_without_a_code_says_so_too(connect: Connector, server: Server) -> None:
    server.fail_next(Fault.fail_login("Sorry"))
    with pytest.raises(AuthenticationFailed, match=r"Sorry.*both sides also support"):
        await connect(server)


async def test_nothing_is_left(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality=only("SCRAM-SHA-1", "LOGINDISABLED"))
    with pytest.raises(AuthenticationFailed) as caught:
        await connect(server, user="ada", password="wrong")
    assert caught.value.others == ()
    assert "both sides" not in str(caught.value)


async def test_no_way_in(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality=only("XOAUTH2", "LOGINDISABLED"))
    with pytest.raises(NoMechanism) as caught:
        await connect(server)
    assert caught.value.offered == ("XOAUTH2",)
    assert str(caught.value) == (
        "cannot log in with the password: the server offers XOAUTH2 and forbids LOGIN "
        "(LOGINDISABLED)"
    )
    with pytest.raises(NoMechanism, match="by SCRAM-SHA-1, PLAIN: the server offers XOAUTH2"):
        await connect(server, mechanisms=["SCRAM-SHA-1", "plain"])
    with pytest.raises(NoMechanism, match="`mechanisms` is empty"):
        await connect(server, mechanisms=[])
    with pytest.raises(NoMechanism, match="with External credentials"):
        await connect(server, credentials=External())
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.offered, str(again)) == (caught.value.offered, str(caught.value))


class Own(Mechanism):
    """A user-defined mechanism that sends a secret in the clear."""

    name = "X-OWN"
    plain_text = True

    def start(self) -> Generator[bytes | None, bytes, None]:
        raise AssertionError("it is not used")
        yield None


@pytest.mark.parametrize(
    ("credentials", "offered", "why"),
    [
        (Own(), "PLAIN", "cannot log in with X-OWN: the server offers PLAIN"),
        (Own(), "X-OWN", "X-OWN would send a secret in clear"),
        (Kerberos(), "PLAIN", "cannot log in with Kerberos credentials: the server offers PLAIN"),
        (Kerberos(), "GSSAPI", r"cannot log in with Kerberos: install imaplus\[kerberos\]"),
    ],
)
def test_why_other_credentials_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, offered: str, why: str
) -> None:
    monkeypatch.setattr(Gssapi, "available", staticmethod(lambda: False))
    connection = Connection(secure=False)
    connection.capabilities = frozenset({"IMAP4REV1", f"AUTH={offered}"})
    with pytest.raises(NoMechanism, match=why):
        way_in(connection, credentials)


async def test_the_order_is_the_callers(connect: Connector, start: Callable[..., Server]) -> None:
    """LOGIN also stands for the LOGIN command, at that position."""
    server = start(personality=only("PLAIN"))
    await connect(server, mechanisms=["LOGIN", "PLAIN"])
    assert names(server)[0] == "LOGIN"


# -- credentials that are asked for ----------------------------------------------------------------

Asked = Callable[[], object]


def asking(connect: Connector, *given: object) -> tuple[Asked, list[object]]:
    """A function that returns credentials one after the other; async for the async client."""
    left, gone = list(given), list[object]()

    def ask() -> object:
        gone.append(left.pop(0))
        return gone[-1]

    async def ask_slowly() -> object:
        return ask()

    return (ask_slowly if connect.kind == "async" else ask), gone


OLD, NEW = BearerToken("ada", "old"), BearerToken("ada", "new")


@pytest.mark.parametrize("greeting", ["ready", "Dovecot ready"])
@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_an_expired_token_is_asked_for_again(
    connect: Connector, start: Callable[..., Server], mechanism: str, greeting: str
) -> None:
    """Nothing is sent after the first attempt, even if the server reads ahead."""
    more = ("ID", "ENABLE")
    server = start(personality=only(mechanism, "SASL-IR", *more), password="new")
    server.fail_next(Fault.greet(f"* OK {greeting}\r\n".encode()))
    ask, gone = asking(connect, OLD, NEW)
    client = await connect(server, credentials=ask)
    assert gone == [OLD, NEW]
    assert (await client.status("INBOX")).messages == 0
    assert names(server).count("AUTHENTICATE") == 2


async def test_it_is_asked_for_once_more_only(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality=only("XOAUTH2", "SASL-IR"), password="newest")
    ask, gone = asking(connect, OLD, NEW, BearerToken("ada", "newest"))
    with pytest.raises(AuthenticationFailed):
        await connect(server, credentials=ask)
    assert gone == [OLD, NEW]


async def test_the_same_token_is_not_tried_again(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality=only("XOAUTH2", "SASL-IR"), password="new")
    ask, gone = asking(connect, OLD, OLD)
    with pytest.raises(AuthenticationFailed):
        await connect(server, credentials=ask)
    assert gone == [OLD, OLD]
    assert names(server) == ["AUTHENTICATE"]


async def test_a_password_is_asked_for_once(connect: Connector, server: Server) -> None:
    ask, gone = asking(connect, Password("ada", "wrong"), Password("ada", server.password))
    with pytest.raises(AuthenticationFailed):
        await connect(server, credentials=ask)
    assert len(gone) == 1


async def test_other_refusals_are_no_reason_to_ask(connect: Connector, server: Server) -> None:
    for code, error in (("UNAVAILABLE", Throttled), ("AUTHORIZATIONFAILED", AuthenticationFailed)):
        server.fail_next(Fault.fail_login(f"[{code}] Not now, or not you"))
        ask, gone = asking(connect, OLD, NEW)
        with pytest.raises(error):
            await connect(server, credentials=ask)
        assert gone == [OLD]


async def test_a_function_of_the_usual_kind_will_do(connect: Connector, server: Server) -> None:
    await connect(server, credentials=lambda: Password("ada", server.password))


@pytest.mark.parametrize("what", ["ada:secret", None, ("ada", "secret")])
async def test_what_are_no_credentials(connect: Connector, server: Server, what: object) -> None:
    ask, _ = asking(connect, what)
    with pytest.raises(InvalidArgument, match="`credentials` must be") as caught:
        await connect(server, credentials=ask)
    assert "secret" not in str(caught.value)
    assert server.sessions == []


def test_what_must_be_awaited_is_for_the_async_client(server: Server) -> None:
    async def ask() -> Password:
        raise AssertionError("it is not awaited")

    with pytest.raises(InvalidArgument, match="AsyncClient"):
        Client.connect(
            server.host,
            server.port,
            credentials=ask,
            security=Security.PLAIN,  # type: ignore[arg-type]
        )
    assert server.sessions == []


# -- time ------------------------------------------------------------------------------------------


async def test_keys_are_derived_while_the_event_loop_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCRAM: the key derivation waits for the event loop, which must not be blocked."""
    derive = hashlib.pbkdf2_hmac
    begun, go_on = threading.Event(), threading.Event()
    went_on: list[bool] = []

    def slowly(*args: Any) -> bytes:
        begun.set()
        went_on.append(go_on.wait(10))
        return derive(*args)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", slowly)

    async def meanwhile() -> None:
        while not begun.is_set():
            await asyncio.sleep(0)
        go_on.set()

    task = asyncio.create_task(meanwhile())
    client = await AsyncClient.connect(
        server.host, server.port, user="ada", password=server.password, security=Security.PLAIN,
        mechanisms=["SCRAM-SHA-256"],
    )  # fmt: skip
    await task
    assert went_on[0] is True
    await client.close()


async def test_a_login_that_is_cancelled_while_keys_are_derived(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next task that waits sends the computed answer: the connection stays in sync."""
    derive = hashlib.pbkdf2_hmac
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any) -> bytes:
        begun.set()
        go_on.wait(10)
        return derive(*args)

    client = await AsyncClient.connect(server.host, server.port, security=Security.PLAIN)
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", slowly)
    scram = ScramSha256(Password("ada", server.password))
    task = asyncio.create_task(client.run(Authenticate(scram)))
    while not begun.is_set():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await client.noop()
    assert client.connection.state is State.AUTHENTICATED
    await client.close()
