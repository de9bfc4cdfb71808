"""No secret and no message appears in errors, traces or logs (checked by canaries)."""

from __future__ import annotations

import base64
import logging
import re
import socket
import threading
import traceback
from collections.abc import Callable

import pytest

from imaplus import BodySection, ImapError, Security
from imaplus.credentials import BearerToken, Credentials, Password
from imaplus.testing import Personality, ScriptServer, Server, Transcript
from imaplus.testing.personality import REV1

from .harness import Connector, pair

PASSWORD = "canary-Pass\\word"
TOKEN = "canary.token-abcdefghijkl"
BODY = "canary of a body"
CANARY = re.compile("canary", re.IGNORECASE)


def assert_blank(text: str) -> None:
    """Check that there is no canary, in plain or in base64."""
    decoded = [text]
    for word in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", text):
        for start in range(min(4, len(word))):
            cut = word[start:].rstrip("=")
            cut = cut[: len(cut) // 4 * 4]
            decoded.append(base64.b64decode(cut).decode("latin-1"))
    assert [each for each in decoded if CANARY.search(each)] == []


def said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "tagged": lambda rest: b"{} NO [AUTHENTICATIONFAILED] cannot do: %b\r\n" % rest,
    "BAD": lambda rest: b"{} BAD what is %b?\r\n" % rest,
    "in capitals": lambda rest: b"{} NO CANNOT DO: %b\r\n" % rest.upper(),
    "a code": lambda rest: b"{} NO [X-SAID %b] no\r\n" % rest.replace(b"]", b""),
    "untagged": lambda rest: b"* NO cannot do: %b\r\n{} NO no\r\n" % rest,
    "a raw line": lambda rest: b"error: %b\r\n{} NO no\r\n" % rest,
    "odd data": lambda rest: b"* CAPABILITY\r\n* STATUS %b\r\n{} NO no\r\n" % rest,
    "BYE": lambda rest: b"* BYE I do not like %b\r\n" % rest,
    "no end": lambda rest: b"I do not like %b" % rest,
}
LOGINS: dict[str, tuple[str, Credentials]] = {
    "LOGIN": ("IMAP4rev1", Password("ada", PASSWORD)),
    "LOGIN, literal": ("IMAP4rev1 LITERAL+", Password("ada", PASSWORD + "\r\nü")),
    "PLAIN": ("IMAP4rev1 SASL-IR AUTH=PLAIN", Password("ada", PASSWORD)),
    "XOAUTH2": ("IMAP4rev1 SASL-IR AUTH=XOAUTH2", BearerToken("ada", TOKEN)),
    "OAUTHBEARER": ("IMAP4rev1 SASL-IR AUTH=OAUTHBEARER", BearerToken("ada", TOKEN)),
}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All log records, at every level."""
    caplog.set_level(logging.DEBUG, "imaplus")
    return caplog


@pytest.fixture
def lines() -> list[tuple[str, bytes]]:
    """The lines traced."""
    return []


def answering(theirs: socket.socket, way: Callable[[bytes], bytes]) -> threading.Thread:
    """A server that answers one command with this, and closes the connection."""

    def run() -> None:
        tag, _, rest = theirs.recv(1 << 16).partition(b" ")
        theirs.sendall(way(rest.rstrip(b"\r\n")).replace(b"{}", tag))
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("capabilities", "credentials"), LOGINS.values(), ids=LOGINS)
async def test_a_secret_that_the_server_repeats(
    connect: Connector,
    logged: pytest.LogCaptureFixture,
    lines: list[tuple[str, bytes]],
    capabilities: str,
    credentials: Credentials,
    way: Callable[[bytes], bytes],
) -> None:
    endpoint, theirs = pair()
    theirs.sendall(f"* OK [CAPABILITY {capabilities}] ready\r\n".encode())
    with theirs:
        thread = answering(theirs, way)
        with pytest.raises(ImapError) as caught:
            await connect(endpoint, credentials=credentials, trace=lambda *line: lines.append(line))
        thread.join()
    assert_blank(said(caught.value))
    assert_blank("".join(f"{side} {line.decode('latin-1')}\n" for side, line in lines))
    assert_blank(logged.text)
    assert len(lines) > 1
    assert "sent" in logged.text


@pytest.mark.parametrize("ahead", [False, True], ids=["", "Dovecot"])
async def test_a_secret_that_the_server_repeats_later(
    connect: Connector,
    logged: pytest.LogCaptureFixture,
    lines: list[tuple[str, bytes]],
    ahead: bool,
) -> None:
    response = base64.b64encode(f"\0ada\0{PASSWORD}".encode()).decode()
    script = (
        f"S: * OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE AUTH=PLAIN] {'Dovecot' * ahead} ready\n"
        f"C: $1 AUTHENTICATE PLAIN {response}\n"
        "S: $1 OK [CAPABILITY IMAP4rev1] done\n"
        "C: $2 NOOP\n"
        f"S: * NO who is {PASSWORD}?\n"
        f"S: * BYE {PASSWORD} has failed\n"
        f"S: $2 BAD [X-SAID {PASSWORD}] no {PASSWORD.upper()}\n"
    )
    with ScriptServer(Transcript.parse(script)) as server:
        client = await connect(
            server.host,
            server.port,
            credentials=Password("ada", PASSWORD),
            security=Security.PLAIN,
            identity={},
            enable=(),
            trace=lambda *line: lines.append(line),
        )
        for _ in range(2):
            with pytest.raises(ImapError) as caught:
                await client.noop()
            assert_blank(said(caught.value))
            assert "***" in said(caught.value)
    assert_blank("".join(f"{side} {line.decode('latin-1')}\n" for side, line in lines))
    assert_blank(logged.text)


async def test_a_whole_session(
    connect: Connector,
    start: Callable[..., Server],
    logged: pytest.LogCaptureFixture,
    lines: list[tuple[str, bytes]],
) -> None:
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
        capabilities = {name for name in REV1 if not name.startswith("AUTH=")}
        personality = Personality(
            name="one", capabilities=frozenset(capabilities | {f"AUTH={mechanism}"})
        )
        server = start(personality=personality, password=PASSWORD)
        server.add_message("INBOX", f"Subject: {BODY}\r\n\r\n{BODY}\r\n".encode())
        client = await connect(server, trace=lambda *line: lines.append(line))
        await client.append("INBOX", BODY.encode())
        mailbox = await client.select("INBOX")
        assert [m.envelope.subject async for m in mailbox.fetch(1, "ENVELOPE")] == [BODY]
        assert len([m async for m in mailbox.fetch("1:*", BodySection())]) == 2
        with pytest.raises(ImapError):
            await client.select("nowhere")
        await client.logout()
    assert_blank(logged.text)
    sent = "".join(line.decode("latin-1") + "\n" for side, line in lines if side == "C")
    assert_blank(sent.replace(BODY, ""))
    for words in ("AUTHENTICATE OK", "SELECT NO", " after ", ": selected", ": authenticated"):
        assert words in logged.text


async def test_logging_is_off_by_default(
    connect: Connector, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    client = await connect(server)
    assert client.connection.log is None
    logger = logging.getLogger("imaplus.connection")
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        await client.noop()  # it may be switched on at any time
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)
    await client.noop()
    assert client.connection.log is None
    assert [re.sub(r"[0-9.]+ s", "n s", line[4:]) for line in heard] == [
        ": NOOP sent",
        ": NOOP OK after n s",
        ": authenticated",
    ]
    assert capfd.readouterr().err == ""
