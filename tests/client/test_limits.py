"""What a server does only in part: users get all of it, or an error, and never less unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from imaplus import (
    AsyncClient,
    AsyncMailbox,
    BodySection,
    InvalidArgument,
    Security,
    SequenceSet,
    UsageError,
)
from imaplus.client.listening import Pace
from imaplus.core.session import Enable
from imaplus.errors import PartlyDone
from imaplus.testing import ScriptServer, Server, Transcript

from .harness import Connector, names

SELECT = r"""
C: $1 SELECT INBOX
S: * 5 EXISTS
S: * OK [UIDNEXT 6] .
S: $1 OK [READ-WRITE] done
"""


@pytest.fixture
def play(connect: Connector) -> Callable[..., Awaitable[Any]]:
    """Play a script to a client with INBOX open, and return the client's result."""

    async def run(script: str, use: Any, *capabilities: str, of_client: bool = False) -> Any:
        greeting = f"S: * PREAUTH [CAPABILITY IMAP4rev1 {' '.join(capabilities)}] ready"
        with ScriptServer(Transcript.parse(greeting + SELECT + script)) as server:
            client = await connect(server.host, server.port, security=Security.PLAIN)
            mailbox = await client.select("INBOX")
            found = await use(client if of_client else mailbox)
            await client.close()
        return found

    return run


# -- MESSAGELIMIT (RFC 9738) -----------------------------------------------------------------------

LIMITED = r"""
C: $2 UID FETCH 1:* (UID FLAGS)
S: * 4 FETCH (UID 4 FLAGS ())
S: * 5 FETCH (UID 5 FLAGS (\Seen))
S: $2 OK [MESSAGELIMIT 2 4] partly
C: $3 UID FETCH 1:3 (UID FLAGS)
S: * 2 FETCH (UID 2 FLAGS ())
S: * NO [MESSAGELIMIT 2 2] partly
S: $3 OK [HIGHESTMODSEQ 7] done
C: $4 UID FETCH 1 (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS ())
S: $4 OK done
"""


async def fetched(mailbox: AsyncMailbox) -> list[int | None]:
    return [message.uid async for message in mailbox.fetch("1:*")]


async def test_iterating_goes_on_below_the_uid_that_is_named(play: Any) -> None:
    assert await play(LIMITED, fetched, "MESSAGELIMIT=2") == [4, 5, 2, 1]


async def test_so_do_the_flags_of_all(play: Any) -> None:
    flags = await play(LIMITED, lambda mailbox: mailbox.flags(), "MESSAGELIMIT=2")
    assert flags == {1: set(), 2: set(), 4: set(), 5: {"\\Seen"}}


@pytest.mark.parametrize("kind", ["NO", "OK"])
async def test_an_untagged_response_that_says_so_may_be_of_either_kind(
    play: Any, kind: str
) -> None:
    script = LIMITED.replace("S: * NO [", f"S: * {kind} [")
    assert await play(script, fetched, "MESSAGELIMIT=2") == [4, 5, 2, 1]


async def test_a_pipeline_is_told_that_nothing_was_done(play: Any) -> None:
    script = "C: $2 UID FETCH 1:* (UID FLAGS)\nS: $2 NO [MESSAGELIMIT 2] too many\n"

    async def use(client: AsyncClient) -> None:
        async with client.pipeline() as pipe:
            pipe.mailbox.fetch("1:*")

    with pytest.raises(PartlyDone, match="UID FETCH: NO"):
        await play(script, use, "MESSAGELIMIT=2", of_client=True)


@pytest.mark.parametrize("code", ["[MESSAGELIMIT 2 6]", "[MESSAGELIMIT 2]", "[MESSAGELIMIT]"])
async def test_iterating_fails_where_it_cannot_go_on(play: Any, code: str) -> None:
    script = f"C: $2 UID FETCH 1:4 (UID FLAGS)\nS: * 4 FETCH (UID 4 FLAGS ())\nS: $2 OK {code} x\n"

    seen: list[int | None] = []

    async def use(mailbox: AsyncMailbox) -> None:
        async for message in mailbox.fetch("1:4"):
            seen.append(message.uid)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(PartlyDone, match="UID FETCH"):
        await play(script, use, "MESSAGELIMIT=2")
    assert seen == [4]


async def test_a_command_that_is_done_in_part_gives_the_part(play: Any) -> None:
    script = (
        "C: $2 UID FETCH 1:5 (FLAGS)\nS: * 5 FETCH (UID 5 FLAGS ())\nS: $2 OK [MESSAGELIMIT 1 5] x"
    )

    async def use(client: AsyncClient) -> PartlyDone:
        from imaplus.core.fetch import Fetch

        with pytest.raises(PartlyDone) as caught:
            await client.run(Fetch(SequenceSet.parse("1:5")))
        return caught.value

    error = await play(script, use, of_client=True)
    assert (error.limit, error.uid, error.status) == (1, 5, "OK")
    assert [message.uid for message in error.part] == [5]


# -- what cannot be read is not switched on --------------------------------------------------------


@pytest.mark.parametrize("name", ["UIDONLY", "uidonly"])
async def test_what_could_not_be_read_is_not_enabled(
    connect: Connector, server: Server, name: str
) -> None:
    with pytest.raises(InvalidArgument, match="cannot enable UIDONLY"):
        await connect(server, enable=[name])
    assert "ENABLE" not in names(server)
    with pytest.raises(UsageError, match="cannot enable UIDONLY"):
        Enable((name,))


@pytest.mark.parametrize(
    "answer",
    ["NO not now", "BAD what?", "NO [PRIVACYREQUIRED] use TLS", "NO [AUTHENTICATIONFAILED] no"],
)
async def test_connecting_survives_what_is_refused(connect: Connector, answer: str) -> None:
    script = (
        "S: * OK ready\n"
        "C: $1 CAPABILITY\n"
        "S: * CAPABILITY IMAP4rev1\n"
        "S: $1 OK done\n"
        'C: $2 LOGIN "ada" "horse"\n'
        "S: $2 OK [CAPABILITY IMAP4rev1 IMAP4rev2 ID COMPRESS=DEFLATE] done\n"
        'C: $3 ID ("name" "x")\n'
        "C: $4 ENABLE IMAP4REV2\n"
        "C: $5 SELECT INBOX\n"
        f"S: $3 {answer}\n"
        f"S: $4 {answer}\n"
        "S: * 5 EXISTS\n"
        "S: $5 OK [READ-WRITE] done\n"
        "C: $6 COMPRESS DEFLATE\n"
        f"S: $6 {answer}\n"
        "C: $7 NOOP\n"
        "S: $7 OK done\n"
    )
    with ScriptServer(Transcript.parse(script)) as server:
        client = await connect(
            server.host,
            server.port,
            user="ada",
            password="horse",
            security=Security.PLAIN,
            identity={"name": "x"},
            compress=True,
            mailbox="INBOX",
        )
        assert client.mailbox.exists == 5
        refused = ("ID", "IMAP4rev2", "ESEARCH", "COMPRESS=DEFLATE")
        assert not any(map(client.can, refused))
        await client.noop()
        await client.close()


# -- BINARY, of what cannot be decoded -------------------------------------------------------------

BINARY = BodySection("1", binary=True)


async def decoded(mailbox: AsyncMailbox) -> list[tuple[int | None, object]]:
    return [
        (message.uid, message.get(BINARY.key)) async for message in mailbox.fetch("1:*", BINARY)
    ]


def body(uid: int) -> str:
    return f'S: * {uid} FETCH (UID {uid} BINARY[1] "hi")\n'


async def test_others_come_though_one_part_cannot_be_decoded(play: Any) -> None:
    """Dovecot and Cyrus 3.10 stop there, and answer NO."""
    script = (
        "C: $2 UID FETCH 1:* (UID BINARY.PEEK[1])\n" + body(1) + body(2) + "S: * 3 FETCH (UID 3)\n"
        "S: $2 NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding\n"
        "C: $3 UID FETCH 3 (UID BINARY.PEEK[1])\n"
        "C: $4 UID FETCH 4:4294967295 (UID BINARY.PEEK[1])\n"
        "S: * 3 FETCH (UID 3)\n"
        "S: $3 NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding\n"
        "C: $5 UID FETCH 3 (UID FLAGS)\n" + body(4) + body(5) + "S: $4 OK done\n"
        "S: * 3 FETCH (UID 3 FLAGS ())\n"
        "S: $5 OK done\n"
    )
    assert await play(script, decoded, "BINARY") == [
        (1, b"hi"),
        (2, b"hi"),
        (4, b"hi"),
        (5, b"hi"),
        (3, None),
    ]


async def test_it_is_looked_for_where_nothing_says_which_it_is(play: Any) -> None:
    refused = "NO [PARSE] Invalid data in MIME part\n"
    script = (
        "C: $2 UID FETCH 1:* (UID BINARY.PEEK[1])\n"
        f"S: $2 {refused}"
        "C: $3 UID FETCH 1:5 (UID BINARY.PEEK[1])\n"
        "C: $4 UID FETCH 6:4294967295 (UID BINARY.PEEK[1])\n"
        f"S: $3 {refused}"
        "C: $5 UID FETCH 1:3 (UID BINARY.PEEK[1])\n"
        "S: $4 OK done\n"
        "C: $6 UID FETCH 4:5 (UID BINARY.PEEK[1])\n"
        + body(1)
        + body(2)
        + body(3)
        + "S: $5 OK done\n"
        f"S: $6 {refused}"
        "C: $7 UID FETCH 4 (UID BINARY.PEEK[1])\n"
        "C: $8 UID FETCH 5 (UID BINARY.PEEK[1])\n"
        f"S: $7 {refused}"
        "C: $9 UID FETCH 4 (UID FLAGS)\n" + body(5) + "S: $8 OK done\n"
        "S: * 4 FETCH (UID 4 FLAGS ())\n"
        "S: $9 OK done\n"
    )
    assert await play(script, decoded, "BINARY") == [
        (1, b"hi"),
        (2, b"hi"),
        (3, b"hi"),
        (5, b"hi"),
        (4, None),
    ]


async def test_another_refusal_is_an_error(play: Any) -> None:
    script = "C: $2 UID FETCH 1:* (UID BINARY.PEEK[1])\nS: $2 NO [NOPERM] not for you\n"

    async def use(mailbox: AsyncMailbox) -> str:
        from imaplus.errors import NotPermitted

        with pytest.raises(NotPermitted) as caught:
            await decoded(mailbox)
        return caught.value.text

    assert await play(script, use, "BINARY") == "not for you"


# -- moving without MOVE ---------------------------------------------------------------------------


async def test_what_was_left_behind_is_said(play: Any) -> None:
    script = (
        "C: $2 UID SEARCH ALL\n"
        "S: * SEARCH 1 2 4\n"
        "S: $2 OK done\n"
        "C: $3 UID COPY 1:2,4 foo\n"
        "S: * 4 EXISTS\n"
        "S: $3 OK done\n"
        "C: $4 UID STORE 1:2,4 +FLAGS.SILENT (\\Deleted)\n"
        "S: $4 OK done\n"
    )
    moved = await play(script.replace("EXISTS", "RECENT"), lambda box: box.move("1:*", "foo"))
    assert moved.left_behind == SequenceSet.parse("1:2,4")


async def test_nothing_is_deleted_that_came_while_others_were_copied(play: Any) -> None:
    """`1:*` and `4:9` are resolved before COPY: messages that arrive later are not copied."""
    script = (
        "C: $2 UID SEARCH ALL\n"
        "S: * SEARCH 1 2 3 4 5\n"
        "S: $2 OK done\n"
        "C: $3 UID COPY 4:5 foo\n"
        "S: * 6 EXISTS\n"
        "S: $3 OK [COPYUID 9 4:5 1:2] done\n"
        "C: $4 UID STORE 4:5 +FLAGS.SILENT (\\Deleted)\n"
        "S: $4 OK done\n"
        "C: $5 UID EXPUNGE 4:5\n"
        "S: $5 OK done\n"
    )
    moved = await play(script, lambda box: box.move("4:9", "foo"), "UIDPLUS")
    assert not moved.left_behind


async def test_nothing_is_left_behind_where_uids_can_be_expunged(
    connect: Connector, full: Server
) -> None:
    full.add_mailbox("Other")
    inbox = await (await connect(full)).select("INBOX")
    assert not (await inbox.move("1:3", "Other")).left_behind


# -- IDLE that does not last -----------------------------------------------------------------------


def test_the_pause_grows_and_ends_with_an_idle_that_lasts() -> None:
    pace = Pace(poll=30, longest=100)
    assert pace.may_idle(0)
    for began, resumes in ((0, 30), (30, 90), (90, 190), (190, 290)):
        pace.note_end(began, began)
        assert not pace.may_idle(resumes - 1)
        assert pace.may_idle(resumes)
    pace.note_end(290, 320)
    assert pace.may_idle(320)
    pace.note_end(320, 325)
    assert not pace.may_idle(354)
    assert pace.may_idle(355)


@pytest.mark.parametrize("answer", [b"OK done", b"NO not now", b"BAD what?"])
async def test_idle_that_ends_at_once_is_no_hot_loop(connect: Connector, answer: bytes) -> None:
    """The pauses alone allow no more than this, at any speed."""
    commands: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.strip().partition(b" ")
            commands.append(command)
            said = answer if command == b"IDLE" else b"OK done"
            writer.write(
                b"* 1 EXISTS\r\n" * (command == b"SELECT INBOX") + tag + b" " + said + b"\r\n"
            )
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]

    async def idle() -> list[object]:
        client = await connect("127.0.0.1", port, security=Security.PLAIN)
        mailbox = await client.select("INBOX")
        events = [event async for event in mailbox.idle(0.2, poll=0.05)]
        await client.close()
        return events

    if connect.kind == "sync":  # it blocks the loop that the server needs
        assert await asyncio.to_thread(asyncio.run, idle()) == []
    else:
        assert await idle() == []
    server.close()
    assert 1 <= commands.count(b"IDLE") <= 3  # at 0, 0.05 and 0.15 seconds, or later
    assert 1 <= commands.count(b"NOOP") <= 4
