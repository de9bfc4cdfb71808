"""Downloads: any size to a file, in constant memory; failing files."""

from __future__ import annotations

import errno
import hashlib
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from imaplus import BodySection, Limits, NoSuchMessage, ProtocolError, Refused, Security
from imaplus.errors import NotPermitted
from imaplus.testing import Generated, ScriptServer, Server, Transcript
from imaplus.wire.sinks import Digest

from .harness import Connector, letter

LARGE = 8 << 20


class Hashing(io.RawIOBase):
    """A file that keeps a digest, and fails on request."""

    def __init__(self, room: int = 1 << 62) -> None:
        self.hash = hashlib.sha256()
        self.size = 0
        self.room = room

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if self.size + len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.hash.update(data)
        self.size += len(data)
        return len(data)


def digest(server: Server, uid: int) -> str:
    return hashlib.sha256(server.mailbox().messages[uid].data).hexdigest()


async def test_a_message(connect: Connector, full: Server, tmp_path: Path) -> None:
    inbox = await (await connect(full)).select("INBOX")
    with (tmp_path / "message.eml").open("wb") as file:
        assert await inbox.download(3, file) == full.mailbox().messages[3].size
    assert (tmp_path / "message.eml").read_bytes() == full.mailbox().messages[3].data
    assert "\\Seen" not in full.mailbox().flags(3)


@pytest.mark.parametrize("personality", ["rev1", "rev2", "rev1-basic", "sloppy"])
async def test_sections(connect: Connector, start: Callable[..., Server], personality: str) -> None:
    server = start(personality=personality)
    server.add_message("INBOX", letter(body="SGVsbG8=\r\n"))
    inbox = await (await connect(server)).select("INBOX")
    for section, expected in (
        ("HEADER", letter(body="")),
        ("TEXT", b"SGVsbG8=\r\n"),
        ("1", b"SGVsbG8=\r\n"),
    ):
        file = io.BytesIO()
        assert await inbox.download(1, file, section=section) == len(expected)
        assert file.getvalue() == expected


async def test_an_empty_message(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", b"")
    inbox = await (await connect(server)).select("INBOX")
    assert await inbox.download(1, io.BytesIO()) == 0


async def test_decoded_by_the_server(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", b"Content-Transfer-Encoding: base64\r\n\r\nSGVs\r\nbG8=\r\n")
    inbox = await (await connect(server)).select("INBOX")
    file = io.BytesIO()
    await inbox.download(1, file, section="1", binary=True)
    assert file.getvalue() == b"Hello"


async def test_decoded_here_where_the_server_has_no_binary(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality="rev1-basic")
    server.add_message(
        "INBOX", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n"
    )
    inbox = await (await connect(server)).select("INBOX")
    file = io.BytesIO()
    assert await inbox.download(1, file, section="1", binary=True) == 5
    assert file.getvalue() == await inbox.download(1, section="1", binary=True) == b"Hello"


DECLINES = Transcript.parse("""
S: * PREAUTH [CAPABILITY IMAP4rev1 BINARY] x
C: $1 SELECT INBOX
S: * 1 EXISTS
S: $1 OK [READ-WRITE] x
C: $2 UID FETCH 7 (UID BINARY.PEEK[2])
S: $2 NO [UNKNOWN-CTE] x
C: $3 UID FETCH 7 (UID BODY.PEEK[2.MIME])
S= b'* 1 FETCH (UID 7 BODY[2.MIME] {37}\\r\\nContent-Transfer-Encoding:\\r\\n BASE64\\r\\n)\\r\\n'
S: $3 OK x
C: $4 UID FETCH 7 (UID BODY.PEEK[2])
S: * 1 FETCH (UID 7 BODY[2] {9}
S: aGVsbG8!=)
S: $4 OK x
C: $5 UID FETCH 7 (UID BINARY.PEEK[1])
S: $5 NO [PARSE] x
C: $6 UID FETCH 7 (UID BODY.PEEK[1.MIME])
S: * 1 FETCH (UID 7 BODY[1.MIME] "")
S: $6 OK x
C: $7 UID FETCH 7 (UID BODY.PEEK[HEADER])
S: * 1 FETCH (UID 7 BODY[HEADER] {43}
S: Content-transfer-encoding: quoted-printable)
S: $7 OK x
C: $8 UID FETCH 7 (UID BODY.PEEK[1])
S: * 1 FETCH (UID 7 BODY[1] "a=3Db")
S: $8 OK x
C: $9 UID FETCH 7 (UID BINARY.PEEK[3])
S: $9 NO [UNKNOWN-CTE] who knows it
C: $10 UID FETCH 7 (UID BODY.PEEK[3.MIME])
S: * 1 FETCH (UID 7 BODY[3.MIME] "Content-Transfer-Encoding: x-odd")
S: $10 OK x
C: $11 UID FETCH 7 (UID BINARY.PEEK[4])
S: $11 NO [NOPERM] no
C: $12 UID FETCH 7 (UID BINARY.PEEK[])
S: $12 NO [PARSE] no
C: $13 UID FETCH 7 (UID BODY.PEEK[])
S: * 1 FETCH (UID 7 BODY[] "a=3Db")
S: $13 OK x
C: $14 LOGOUT
S: * BYE x
S: $14 OK x
""")


async def test_decoded_here_where_the_server_declines(connect: Connector) -> None:
    async def decoded(section: str) -> bytes:
        file = io.BytesIO()
        size = await inbox.download(7, file, section=section, binary=True)
        assert size == len(file.getvalue())
        return file.getvalue()

    with ScriptServer(DECLINES) as server:
        client = await connect(server.host, server.port, security=Security.PLAIN, identity={})
        inbox = await client.select("INBOX")
        assert await decoded("2") == b"hello"
        assert await decoded("1") == b"a=b"
        with pytest.raises(Refused, match="who knows it"):
            await decoded("3")
        with pytest.raises(NotPermitted):
            await decoded("4")
        assert await decoded("") == b"a=3Db"
        await client.logout()


async def test_progress(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", Generated(LARGE))
    inbox = await (await connect(server)).select("INBOX")
    told: list[tuple[int, int]] = []
    file = Hashing()
    await inbox.download(1, cast(Any, file), progress=lambda *step: told.append(step))
    assert file.hash.hexdigest() == digest(server, 1)
    assert told == sorted(told)
    assert len(told) > 10
    assert {total for _, total in told} == {LARGE}
    assert told[-1] == (LARGE, LARGE)


async def test_constant_memory(connect: Connector, server: Server) -> None:
    """The server generates the message while sending, so the peak of memory is the client's."""
    server.add_message("INBOX", Generated(4 * LARGE))
    inbox = await (await connect(server)).select("INBOX")
    await inbox.download(1, cast(Any, Hashing()), section="HEADER")
    tracemalloc.start()
    try:
        await inbox.download(1, cast(Any, Hashing()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20


async def test_no_such_message(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    for uid, section in ((99, ""), (1, "5"), (1, "1.2.3")):
        file = io.BytesIO()
        with pytest.raises(NoSuchMessage):
            await inbox.download(uid, file, section=section)
        assert file.getvalue() == b""


@pytest.mark.parametrize("room", [0, 100_000, LARGE - 1])
async def test_a_full_disk_fails_this_download_only(
    connect: Connector, server: Server, room: int
) -> None:
    """The rest of the literal is skipped, and the connection stays in sync."""
    server.add_message("INBOX", Generated(LARGE))
    server.add_message("INBOX", letter())
    client = await connect(server)
    inbox = await client.select("INBOX")
    with pytest.raises(OSError, match="No space left") as caught:
        await inbox.download(1, cast(Any, Hashing(room)))
    assert caught.value.errno == errno.ENOSPC
    again = Hashing()
    assert await inbox.download(1, cast(Any, again)) == LARGE
    assert again.hash.hexdigest() == digest(server, 1)
    assert (await client.status("INBOX")).messages == 2
    assert len(server.sessions) == 1


async def test_a_progress_that_fails(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", Generated(LARGE))
    inbox = await (await connect(server)).select("INBOX")

    def stop(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await inbox.download(1, cast(Any, Hashing()), progress=stop)
    assert len(await inbox.uids()) == 1


async def test_many_into_sinks(connect: Connector, full: Server) -> None:
    """`into` returns the sink for each message's body."""
    inbox = await (await connect(full)).select("INBOX")
    item = BodySection()
    found = {
        each.uid: each[item.key]
        async for each in inbox.fetch("1:*", item, into=lambda uid, size: Digest())
    }
    assert found == {uid: digest(full, uid) for uid in full.mailbox().uids}


async def test_small_bodies_may_stay_in_memory(connect: Connector, full: Server) -> None:
    """`into` is not called for bodies smaller than `into_from`, however the data is split."""
    inbox = await (await connect(full)).select("INBOX")
    sizes = {each.uid: each.size async for each in inbox.fetch("1:*", "RFC822.SIZE")}
    middle = sorted(sizes.values())[len(sizes) // 2]
    asked: list[int] = []

    def into(uid: int | None, size: int) -> Digest:
        asked.append(size)
        return Digest()

    async for each in inbox.fetch("1:*", BodySection(), into=into, into_from=middle):
        body = each["BODY[]"]
        if sizes[each.uid] < middle:
            assert hashlib.sha256(body).hexdigest() == digest(full, each.uid)
        else:
            assert body == digest(full, each.uid)
    assert sorted(asked) == sorted(size for size in sizes.values() if size >= middle)


async def test_some_sinks_that_fail(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")

    class Full(Digest):
        def write(self, data: Any, /) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        [
            each
            async for each in inbox.fetch(
                "1:*", BodySection(), into=lambda uid, size: Full() if uid == 5 else Digest()
            )
        ]
    assert len(await inbox.uids()) == 10


async def test_a_body_that_is_too_large_for_memory(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", Generated(LARGE))
    inbox = await (await connect(server, limits=Limits(literal=1 << 20))).select("INBOX")
    with pytest.raises(ProtocolError, match="too large for memory"):
        [each async for each in inbox.fetch(1, BodySection())]
    file = Hashing()
    assert await inbox.download(1, cast(Any, file)) == LARGE
