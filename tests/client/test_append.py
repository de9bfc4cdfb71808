"""Adding messages: bytes, files and email messages arrive unchanged, or not at all."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest

from imaplus import (
    Appended,
    BodySection,
    ConnectionLost,
    InvalidArgument,
    Outgoing,
    ProtocolError,
    Refused,
)
from imaplus.errors import MessageRefused, OutcomeUnknown, TooLarge
from imaplus.testing import Fault, Personality, Server
from imaplus.testing.personality import Quirk, named
from imaplus.wire.sources import Octets

from .harness import Connector, letter, names, pair

TINY = Personality(name="tiny", largest_message=1000)
WHEN = datetime(2020, 2, 29, 12, 30, tzinfo=UTC)


@pytest.fixture(params=["rev1", "rev2", "rev1-basic", "gmail", "yahoo", "sloppy"])
def anyone(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Server:
    """Servers of several kinds: with LITERAL+, LITERAL-, and neither."""
    return start(personality=request.param)


def stored(server: Server, mailbox: str = "INBOX") -> list[bytes]:
    return [message.data for message in server.mailbox(mailbox).messages.values()]


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 300_000])
async def test_bytes(connect: Connector, anyone: Server, size: int) -> None:
    data = (letter() + bytes(range(1, 256)) * 1200)[:size]
    if size and Quirk.FINAL_CRLF in anyone.personality.quirks:
        data = data[:-2] + b"\r\n" if size > 1 else b"\r\n"
    client = await connect(anyone)
    if not data and Quirk.FINAL_CRLF in anyone.personality.quirks:
        return
    added = await client.append("INBOX", data)
    assert stored(anyone) == [data]
    if client.can("UIDPLUS"):
        assert added == Appended(anyone.mailbox().uidvalidity, 1)


async def test_flags_and_date(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    await client.append("INBOX", letter(), flags=["\\Seen", "$Work"], date=WHEN)
    (message,) = anyone.mailbox().messages.values()
    assert message.flags == {"\\Seen", "$Work"}
    assert message.internaldate == WHEN


async def test_a_file_from_its_position(connect: Connector, anyone: Server, tmp_path: Path) -> None:
    data = letter(body="x" * 1_000_000 + "\r\n")
    (tmp_path / "message").write_bytes(b"From someone\n" + data)
    client = await connect(anyone)
    with (tmp_path / "message").open("rb") as file:
        file.readline()
        await client.append("INBOX", file)
        assert not file.closed
    assert stored(anyone) == [data]


async def test_an_email_message(connect: Connector, anyone: Server) -> None:
    message = EmailMessage()
    message["From"] = "Zoë <zoe@example.org>"
    message["Subject"] = "Grüße " * 30
    message.set_content("Käse\n.\nFrom the beginning\n")
    client = await connect(anyone)
    await client.append("INBOX", message)
    (data,) = stored(anyone)
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert data.endswith(b"\r\n")
    inbox = await client.select("INBOX")
    async for found in inbox.fetch("1:*", "ENVELOPE"):
        assert found.envelope.subject == ("Grüße " * 30).strip()


@pytest.mark.parametrize(
    "text", ["a\r\nBcc: everyone@example.org", "a\nBcc: x", "a\rBcc: x", "a\r\n\r\nbody"]
)
async def test_header_injection(connect: Connector, server: Server, text: str) -> None:
    """CVE-2024-6923: a header with a line break becomes two; old policies let it through."""
    message = Message()
    message["Subject"] = text
    message.set_payload("x")
    client = await connect(server)
    with pytest.raises(InvalidArgument):
        await client.append("INBOX", message)
    assert "APPEND" not in names(server)
    assert stored(server) == []


@pytest.mark.parametrize("message", ["text", 5, None, io.StringIO("x"), object()])
async def test_what_is_no_message(connect: Connector, server: Server, message: Any) -> None:
    client = await connect(server)
    with pytest.raises(InvalidArgument):
        await client.append("INBOX", message)
    assert "APPEND" not in names(server)


async def test_a_pipe_cannot_be_measured(connect: Connector, server: Server) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    client = await connect(server)
    with os.fdopen(reading, "rb") as file, pytest.raises(InvalidArgument):
        await client.append("INBOX", file)


class Shrinking(io.BytesIO):
    """A file that has become shorter since it was measured."""

    def read(self, size: int | None = -1) -> bytes:
        return b"" if self.tell() >= 10 else super().read(min(10, size or 0) if size else size)


async def test_a_file_that_shrinks_fails_the_connection(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Half of a literal was sent: nothing can follow it, and no message may be added."""
    server = start(personality=named("rev1").but(minus="BINARY"))
    client = await connect(server)
    with pytest.raises(ConnectionLost, match="cut midway"):
        await client.append("INBOX", Shrinking(b"x" * 1000))
    with pytest.raises(ConnectionLost):
        await client.noop()
    assert stored(server) == []


async def test_many(connect: Connector, anyone: Server) -> None:
    """One command with MULTIAPPEND, else pipelined commands; all messages are added, in order."""
    client = await connect(anyone)
    data = [letter(f"number {number}") for number in range(250)]
    waiting = (Outgoing(Octets(each), frozenset({"$N"}), WHEN) for each in data)
    added = await client.append_many("INBOX", waiting)
    assert stored(anyone) == data
    assert all(m.flags == {"$N"} for m in anyone.mailbox().messages.values())
    if client.can("UIDPLUS"):
        assert [each.uid for each in added] == list(range(1, 251))
    if client.can("MULTIAPPEND"):
        assert names(anyone).count("APPEND") == 1


async def test_none_at_all(connect: Connector, server: Server) -> None:
    client = await connect(server)
    assert await client.append_many("INBOX", []) == ()
    assert "APPEND" not in names(server)


async def test_many_of_which_one_is_refused(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """MULTIAPPEND adds all or none."""
    server = start(personality=TINY.but(minus="LITERAL+"))
    client = await connect(server)
    with pytest.raises(Refused):
        await client.append_many("INBOX", [letter(), b"x" * 2000, letter()])
    assert stored(server) == []
    await client.append("INBOX", letter())


async def test_each_message_has_its_own_result(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Without `check`, a refusal is the result of its message; the others are added."""
    server = start(personality=TINY.but(minus="LITERAL+ MULTIAPPEND"))
    client = await connect(server)
    outcomes = await client.append_many(
        "INBOX", [letter("1"), b"x" * 2000, letter("2")], check=False
    )
    assert isinstance(outcomes[1], TooLarge)
    assert [each.uid for each in outcomes if isinstance(each, Appended)] == [1, 2]
    assert stored(server) == [letter("1"), letter("2")]


@pytest.mark.parametrize("check", [True, False])
async def test_a_batch_that_is_refused(
    connect: Connector, start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    """Batches in progress are added; no further one is started, unless `check` is False."""
    monkeypatch.setattr("imaplus.flows.messages.BATCH", 10)
    server = start(personality=TINY.but(minus="LITERAL+"))
    client = await connect(server)
    data = [letter(str(number)) for number in range(200)]
    data[5] = b"x" * 2000
    if check:
        with pytest.raises(TooLarge):
            await client.append_many("INBOX", data)
        assert 30 <= len(stored(server)) < 100
    else:
        outcomes = await client.append_many("INBOX", data, check=False)
        assert len(outcomes) == 200
        assert all(isinstance(each, TooLarge) for each in outcomes[:10])
        assert stored(server) == data[10:]
        assert [each.uid for each in outcomes[10:]] == list(range(1, 191))  # type: ignore[union-attr]


async def test_a_server_without_uidplus(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality=named("rev1").but(minus="UIDPLUS"))
    client = await connect(server)
    assert await client.append("INBOX", letter()) == Appended()
    assert await client.append_many("INBOX", [letter()] * 3) == (Appended(),) * 3


async def test_batches_are_limited_in_bytes(
    connect: Connector, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.flows.messages.BATCH_OCTETS", 1000)
    client = await connect(server)
    data = [b"Subject: x\r\n\r\n" + b"y" * size for size in (400, 400, 400, 3000, 10, 10)]
    assert len(await client.append_many("INBOX", data)) == 6
    assert stored(server) == data
    assert names(server).count("APPEND") == 4


async def test_messages_are_consumed_as_they_are_sent(
    connect: Connector, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless iterable of messages does not fill the memory."""
    monkeypatch.setattr("imaplus.flows.messages.BATCH", 10)
    client = await connect(server)
    most = 0

    def supply() -> Iterator[bytes]:
        nonlocal most
        for number in range(300):
            most = max(most, number - len(server.mailbox().messages))
            yield letter()

    assert len(await client.append_many("INBOX", supply())) == 300
    assert most <= 50


async def test_append_many_on_a_connection_that_is_lost(
    connect: Connector, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaplus.flows.messages.BATCH", 10)
    server.fail_next(Fault.bye(5))
    client = await connect(server)
    outcomes = await client.append_many("INBOX", [letter()] * 100, check=False)
    added = sum(isinstance(each, Appended) for each in outcomes)
    assert added == len(stored(server))
    assert outcomes[added:]
    assert all(isinstance(each, OutcomeUnknown) for each in outcomes[added:])


async def test_the_iterable_raises(connect: Connector, server: Server) -> None:
    def supply() -> Iterator[bytes]:
        yield letter()
        raise ZeroDivisionError

    client = await connect(server)
    with pytest.raises(ZeroDivisionError):
        await client.append_many("INBOX", supply())
    await client.noop()


async def test_from_one_mailbox_to_another(connect: Connector, full: Server) -> None:
    """The iterable may fetch over the same connection."""
    full.add_mailbox("Copy")
    client = await connect(full)
    inbox = await client.select("INBOX")
    bodies = [each.body() async for each in inbox.fetch("1:*", BodySection())]
    assert len(await client.append_many("Copy", bodies)) == 10
    assert stored(full, "Copy") == stored(full)


async def test_too_large(connect: Connector, start: Callable[..., Server]) -> None:
    server = start(personality=TINY.but(minus="LITERAL+"))
    client = await connect(server)
    with pytest.raises(TooLarge):
        await client.append("INBOX", b"x" * 2000)
    await client.noop()
    assert stored(server) == []


async def test_a_large_one_is_refused_unsent(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Even with LITERAL+, two megabytes wait for the server's `+`."""
    server = start(personality=TINY)
    client = await connect(server)
    with pytest.raises(Refused):
        await client.append("INBOX", b"x" * 2_000_000)
    assert server.sessions[0].stream.received < 10_000
    await client.noop()


async def test_nul_bytes(connect: Connector, start: Callable[..., Server]) -> None:
    """As literal8 with BINARY; without it, the server's refusal has a type."""
    data = b"Subject: x\r\n\r\na\0b\r\n"
    server = start()
    await (await connect(server)).append("INBOX", data)
    assert stored(server) == [data]
    server = start(personality=named("dovecot").but(minus="BINARY"))
    client = await connect(server)
    with pytest.raises(MessageRefused):
        await client.append("INBOX", data)
    await client.noop()


async def test_into_the_open_mailbox(connect: Connector, anyone: Server) -> None:
    client = await connect(anyone)
    inbox = await client.select("INBOX")
    await inbox.append(letter())
    assert inbox.exists == 1


@pytest.mark.parametrize("further", [1, 10, 60, 500])
async def test_a_connection_that_is_lost_leaves_the_outcome_open(
    connect: Connector, server: Server, further: int
) -> None:
    """Do not retry without checking: offlineimap made 100 copies of one message."""
    await connect(server)
    at_login = server.sessions[0].stream.received
    server.fail_next(Fault.cut_after_received(at_login + further))
    client = await connect(server)
    with pytest.raises(OutcomeUnknown) as caught:
        await client.append("INBOX", b"x" * 1000)
    assert isinstance(caught.value.__cause__, ConnectionLost)
    assert stored(server) == []


@pytest.mark.parametrize("personality", ["rev1", "rev1-basic"])
async def test_ok_before_the_message_was_sent_is_no_success(
    connect: Connector, personality: str
) -> None:
    """CVE-2026-42246: the server cannot have the message yet."""
    endpoint, theirs = pair()
    capabilities = "IMAP4rev1" if personality == "rev1-basic" else "IMAP4rev1 LITERAL+"
    with theirs:
        theirs.sendall(f"* PREAUTH [CAPABILITY {capabilities}] ready\r\n".encode())
        client = await connect(endpoint)
        tag = client.connection._tag
        theirs.sendall(b"".join(b"%b%d OK done\r\n" % (tag.encode(), n) for n in (1, 2, 3)))
        with pytest.raises((ProtocolError, OutcomeUnknown)):
            await client.append("INBOX", b"x" * 2_000_000)


# -- messages with flags and dates of their own ----------------------------------------------------


async def test_flags_are_one_or_several(connect: Connector, server: Server) -> None:
    client = await connect(server)
    inbox = await client.select("INBOX")
    await client.append("INBOX", letter(), flags="$Junk")
    await inbox.append(letter(), flags=["$Junk", "\\Seen"])
    async with client.pipeline() as pipe:
        pipe.append("INBOX", letter(), flags={"\\Seen"})
    kept = [message.flags for message in server.mailbox().messages.values()]
    assert kept == [{"$Junk"}, {"$Junk", "\\Seen"}, {"\\Seen"}]


async def test_an_outgoing_keeps_its_flags_beside_those_given(
    connect: Connector, server: Server
) -> None:
    client = await connect(server)
    mine = Outgoing(letter(), "\\Draft", WHEN)
    await client.append("INBOX", mine, flags=["$Junk"])
    await client.append("INBOX", Outgoing(letter()), flags="\\Seen", date=WHEN)
    await client.append("INBOX", mine, date=WHEN)
    found = list(server.mailbox().messages.values())
    assert [message.flags for message in found] == [{"\\Draft", "$Junk"}, {"\\Seen"}, {"\\Draft"}]
    assert [message.internaldate for message in found] == [WHEN] * 3
    with pytest.raises(InvalidArgument, match="date already"):
        await client.append("INBOX", mine, date=datetime(2021, 1, 1, tzinfo=UTC))
    assert len(server.mailbox().messages) == 3


async def test_outgoing_takes_what_append_takes(
    connect: Connector, server: Server, tmp_path: Path
) -> None:
    email = EmailMessage()
    email["Subject"] = "hi"
    email.set_content("x")
    (tmp_path / "letter").write_bytes(b"junk" + letter("file"))
    with (tmp_path / "letter").open("rb") as file:
        file.seek(4)
        client = await connect(server)
        await client.append_many(
            "INBOX",
            [
                Outgoing(letter("bytes"), "\\Seen"),
                Outgoing(bytearray(letter("array"))),
                Outgoing(io.BytesIO(letter("io"))),
                Outgoing(file),
                Outgoing(email),
                Outgoing(Octets(letter("source"))),
            ],
        )
    subjects = [data.split(b"Subject: ")[1].split(b"\r\n")[0] for data in stored(server)]
    assert subjects == [b"bytes", b"array", b"io", b"file", b"hi", b"source"]


async def test_nul_in_an_outgoing(connect: Connector, server: Server) -> None:
    client = await connect(server)
    assert "BINARY" in client.capabilities
    await client.append("INBOX", Outgoing(letter(body="a\0b\r\n")))
    assert stored(server) == [letter(body="a\0b\r\n")]


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("text", {}),
        (None, {}),
        (5, {}),
        (io.StringIO("x"), {}),
        (Path("letter"), {}),
        (b"x", {"flags": "a b"}),
        (b"x", {"flags": [b"x"]}),
        (b"x", {"flags": None}),
        (b"x", {"date": "today"}),
    ],
)
def test_what_is_no_outgoing(message: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Outgoing(message, **options)


def test_an_outgoing_is_a_value() -> None:
    one = Outgoing(b"x", ["\\Seen"], WHEN)
    assert one == Outgoing(Octets(b"x"), frozenset({"\\Seen"}), WHEN)
    assert hash(one) == hash(Outgoing(b"x", "\\Seen", WHEN))
    assert dataclasses.replace(one, flags="$Junk") == Outgoing(b"x", "$Junk", WHEN)
    with pytest.raises(AttributeError):
        one.flags = frozenset()  # type: ignore[misc]
