"""Messages to read: headers, texts, attachments, and the number of round trips."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest

from imaplus import AsyncMailbox, AsyncMessage, InvalidArgument, NoSuchMessage
from imaplus.errors import CapabilityMissing
from imaplus.search import All, From, Raw, Seen, Uid
from imaplus.testing import Fault, Personality, Quirk, Server
from imaplus.testing.personality import named

from ..reading.weird import (
    HOPELESS,
    HTML,
    INNER,
    PNG,
    SOUND,
    TEXT,
    WEIRD,
    inner_multipart,
    multipart,
    part,
)
from .harness import Connector, letter, names

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def collect(found: AsyncIterator[AsyncMessage]) -> list[AsyncMessage]:
    return [each async for each in found]


async def uids(mailbox: AsyncMailbox, *what: Any, **options: Any) -> list[int]:
    return [each.uid for each in await collect(mailbox.messages(*what, **options))]


async def only(connect: Connector, server: Server, data: bytes) -> AsyncMessage:
    """The one message of a mailbox."""
    server.add_message("INBOX", data, internaldate=WHEN)
    return await (await (await connect(server)).select("INBOX")).message(1)


# -- which messages --------------------------------------------------------------------------------


async def test_which_messages(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    assert await uids(inbox) == list(range(1, 11))
    assert await uids(inbox, Seen) == [8, 9, 10]
    assert await uids(inbox, Seen, newest_first=True) == [10, 9, 8]
    assert await uids(inbox, newest_first=True, limit=3) == [10, 9, 8]
    assert await uids(inbox, limit=3) == [1, 2, 3]
    assert await uids(inbox, Raw("UNSEEN"), limit=2, newest_first=True) == [7, 6]
    assert await uids(inbox, From("nobody")) == []
    assert await uids(inbox, limit=0) == []
    assert await uids(inbox, limit=100) == list(range(1, 11))


async def test_given_uids(connect: Connector, full: Server) -> None:
    full.mailbox().expunge([3, 9])
    inbox = await (await connect(full)).select("INBOX")
    assert await uids(inbox, [2, 3, 4]) == [2, 4]
    assert await uids(inbox, "2:5", newest_first=True) == [5, 4, 2]
    assert await uids(inbox, "8:*", newest_first=True, limit=2) == [10, 8]
    assert await uids(inbox, "1:*", limit=2) == [1, 2]
    assert await uids(inbox, "11:*") == []
    assert await uids(inbox, range(1, 4_000_000_000), limit=3, newest_first=True) == [10, 8, 7]
    assert await uids(inbox, [2, 3, 4, 5], limit=2) == [2, 4]
    assert await uids(inbox, ()) == []
    assert await uids(inbox, Uid("4:5") & ~Seen) == [4, 5]


async def test_what_makes_no_sense(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    for what, limit in ((All, -1), ("x", None), (None, None)):
        with pytest.raises(InvalidArgument):
            await uids(inbox, what, limit=limit)


async def test_one_message(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    assert (await inbox.message(3)).subject == "letter 3"
    with pytest.raises(NoSuchMessage):
        await inbox.message(11)


@pytest.mark.parametrize("personality", ["rev1", "rev2", "rev1-basic", "gmail", "sloppy", "yandex"])
async def test_on_servers_of_all_kinds(
    connect: Connector, start: Callable[..., Server], personality: str
) -> None:
    server = start(personality=personality)
    for number in range(120):
        server.add_message("INBOX", letter(f"letter {number}"))
    inbox = await (await connect(server)).select("INBOX")
    found = await collect(inbox.messages(newest_first=True, limit=60))
    assert [each.uid for each in found] == list(range(120, 60, -1))
    assert await found[0].text() == "world\n"
    assert await uids(inbox) == list(range(1, 121))


async def test_messages_may_go_while_the_loop_runs(connect: Connector, full: Server) -> None:
    client = await connect(full)
    await client.create("Done")
    inbox = await client.select("INBOX")
    async for each in inbox.messages(newest_first=True):
        await each.move("Done")
    assert len(full.mailbox("Done").messages) == 10
    assert await uids(inbox) == []


# -- round trips -----------------------------------------------------------------------------------


async def test_headers_of_many_come_in_few_commands(connect: Connector, server: Server) -> None:
    for number in range(100):
        server.add_message("INBOX", letter(f"letter {number}"))
    inbox = await (await connect(server)).select("INBOX")
    before = len(names(server))
    found = await collect(inbox.messages(newest_first=True, limit=20))
    for each in found:
        assert each.subject.startswith("letter ")
        assert (each.date, each.size, each.attachments) != (None, None, None)
    assert names(server)[before:] == ["UID SEARCH", "UID FETCH"]
    assert len(await collect(inbox.messages())) == 100
    assert names(server)[before + 2 :] == ["UID SEARCH", "UID FETCH", "UID FETCH"]


async def test_a_limit_is_a_limit_without_esearch(
    connect: Connector, start: Callable[..., Server]
) -> None:
    """Neither all UIDs nor more messages than `limit` are requested."""
    server = start(personality="rev1-basic")
    server.mailbox().add_many([letter()] * 1000)
    inbox = await (await connect(server)).select("INBOX")
    assert await uids(inbox, newest_first=True, limit=2) == [1000, 999]
    tail = [line.split(" ", 1)[1] for line in server.commands[-1][-2:]]
    assert tail[0] == "FETCH 999:1000 (UID)"
    assert tail[1].startswith("UID FETCH 999:1000 (UID FLAGS ")


async def test_a_text_takes_its_parts_and_no_more(connect: Connector, server: Server) -> None:
    large = part("Content-Type: application/pdf", b"x" * 1_000_000)
    data = multipart("mixed", inner_multipart("alternative", TEXT, HTML), large, TEXT)
    each = await only(connect, server, data)
    before = len(server.commands[-1])
    sent = server.sessions[-1].stream.sent
    assert await each.text() == "Hello\n\nHello\n"
    assert await each.text() == "Hello\n\nHello\n"
    (line,) = server.commands[-1][before:]
    assert line.endswith("UID FETCH 1 (UID BODY.PEEK[1.1] BODY.PEEK[3])")
    assert server.sessions[-1].stream.sent - sent < 500
    assert "<b>HTML</b>" in await each.html()
    assert len(server.commands[-1]) == before + 2
    assert "\\Seen" not in server.mailbox().messages[1].flags


async def test_a_reply_takes_one_command(connect: Connector, server: Server) -> None:
    each = await only(connect, server, multipart("mixed", TEXT, PNG))
    before = len(server.commands[-1])
    await each.reply("hi", sender="ada@example.org")
    (line,) = server.commands[-1][before:]
    assert line.endswith("UID FETCH 1 (UID BODY.PEEK[HEADER] BODY.PEEK[1])")
    assert await each.header("subject") == "weird"
    assert await each.text() == "Hello\n"
    await each.forward("see", sender="ada@example.org", to="bob@example.org")
    assert len(server.commands[-1]) == before + 2


# -- texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOUND)
async def test_sound_messages_read_as_python_reads_them(
    connect: Connector, server: Server, name: str
) -> None:
    each = await only(connect, server, SOUND[name])
    parsed = message_from_bytes(SOUND[name], policy=policy.default)
    body = parsed.get_body(("plain", "html"))
    assert body is not None
    assert await each.text() == body.get_content().replace("\r\n", "\n")
    assert each.problems == ()


@pytest.mark.parametrize("name", WEIRD)
async def test_weird_messages(connect: Connector, server: Server, name: str) -> None:
    weird = WEIRD[name]
    each = await only(connect, server, weird.message)
    assert await each.text() == weird.text
    assert len(each.problems) == weird.problems
    assert tuple(found.safe_name for found in each.attachments) == weird.attachments


@pytest.mark.parametrize("name", HOPELESS)
async def test_hopeless_messages(connect: Connector, server: Server, name: str) -> None:
    each = await only(connect, server, HOPELESS[name])
    assert isinstance(await each.text(), str)
    assert isinstance(await each.html(), str)
    for attachment in (*each.attachments, *each.inline):
        assert isinstance(await attachment.read(), bytes)
    assert isinstance(await each.reply("x", sender="ada@example.org"), object)


async def test_a_text_beyond_measure_is_read_to_16_mib(connect: Connector, server: Server) -> None:
    each = await only(connect, server, letter(body="x" * (17 << 20)))
    assert len(await each.text()) == 16 << 20
    assert [problem.section for problem in each.problems] == ["1"]


async def test_html(connect: Connector, server: Server) -> None:
    each = await only(connect, server, multipart("alternative", TEXT, HTML))
    assert await each.html() == "<p>Hello, <b>HTML</b></p>\n"
    server.add_message("INBOX", SOUND["ascii"])
    server.add_message("INBOX", multipart("mixed", HTML, TEXT))
    inbox = await (await connect(server)).select("INBOX")
    assert await (await inbox.message(2)).html() == ""
    both = await (await inbox.message(3)).html()
    assert "<b>HTML</b>" in both
    assert ">Hello\n</pre>" in both


# -- headers ---------------------------------------------------------------------------------------

HEADER = (
    b"From: =?utf-8?Q?Ann_M=C3=BCller?= <ann@example.org>\r\n"
    b"Sender: secretary@example.org\r\nReply-To: office@example.org\r\n"
    b"To: Ada <ada@example.org>, bob@example.org\r\nCc: cleo@example.org\r\n"
    b"Bcc: dora@example.org\r\nDate: Thu, 1 Jan 2026 12:00:00 +0100\r\n"
    b"Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nMessage-ID: <3@example.org>\r\n"
    b"In-Reply-To: <2@example.org>\r\nReferences: <1@example.org>\r\n <2@example.org>\r\n"
    b"X-Note: one\r\nX-Note: =?utf-8?Q?zw=C3=B6lf?=\r\nX-Raw: Gr\xc3\xbc\xdfe\r\n\r\nHello\r\n"
)


async def test_headers(connect: Connector, server: Server) -> None:
    each = await only(connect, server, HEADER)
    before = len(server.commands[-1])
    assert str(each.sender) == "Ann Müller <ann@example.org>"
    assert each.from_ == (each.sender,)
    assert [str(who) for who in each.to] == ["Ada <ada@example.org>", "bob@example.org"]
    assert [who.email for who in (*each.cc, *each.bcc, *each.reply_to)] == [
        "cleo@example.org",
        "dora@example.org",
        "office@example.org",
    ]
    assert each.subject == "Grüße"
    assert each.date == datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert each.internaldate == WHEN
    assert each.message_id == "<3@example.org>"
    assert each.in_reply_to == ("<2@example.org>",)
    assert each.references == ("<1@example.org>", "<2@example.org>")
    assert each.size == len(HEADER)
    assert len(server.commands[-1]) == before
    assert await each.header("x-note") == "one"
    assert await each.header("X-Missing") is None
    assert await each.header("X-Raw") == "GrÃ¼ße"
    assert [value for name, value in await each.headers() if name == "X-Note"] == ["one", "zwölf"]
    assert len(server.commands[-1]) == before + 1


async def test_a_message_without_anything(connect: Connector, server: Server) -> None:
    each = await only(connect, server, b"X: y\r\n\r\n")
    assert (each.sender, each.subject, each.message_id) == (None, "", None)
    assert (each.to, each.references, each.in_reply_to) == ((), (), ())
    assert each.date == WHEN
    assert "1" in repr(each)


async def test_the_whole_message(connect: Connector, server: Server) -> None:
    each = await only(connect, server, HEADER)
    assert await each.raw() == HEADER
    assert (await each.email())["Subject"] == "Grüße"


# -- servers that do not tell ----------------------------------------------------------------------


def breaks(name: bytes, by: bytes) -> Personality:
    def rewrite(response: bytes) -> bytes:
        at = response.find(name)
        return response if at < 0 else response[:at] + by + response[at + len(name) :]

    return named("rev1").but(rewrites=(rewrite,))


@pytest.mark.parametrize(
    ("name", "by", "problems"),
    [
        (b"ENVELOPE (", b"ENVELOPE (() ", 1),
        (b"BODYSTRUCTURE (", b"BODYSTRUCTURE (5 5 ", 1),
        (b"ENVELOPE (", b"X-OTHER (", 1),
        (b"BODYSTRUCTURE (", b"X-OTHER (", 1),
        (b"INTERNALDATE ", b"X-DATE ", 0),
        (b"RFC822.SIZE ", b"X-SIZE ", 0),
    ],
)
async def test_what_the_server_cannot_tell_is_read_here(
    connect: Connector, start: Callable[..., Server], name: bytes, by: bytes, problems: int
) -> None:
    server = start(personality=breaks(name, by))
    each = await only(
        connect, server, multipart("mixed", TEXT, PNG.replace(b"inline", b"attachment"))
    )
    assert each.subject == "weird"
    assert str(each.sender) == "Ann <ann@example.org>"
    assert await each.text() == "Hello\n"
    (attachment,) = each.attachments
    assert await attachment.read() == b"\x89PNG dot"
    assert (len(each.problems), each.uid) == (problems, 1)


async def test_one_message_that_the_server_cannot_read_costs_no_other(
    connect: Connector, full: Server
) -> None:
    full.fail_always(Fault.at_message("INBOX", 4, "no", items="body"))
    inbox = await (await connect(full)).select("INBOX")
    found = await collect(inbox.messages())
    assert [each.uid for each in found] == list(range(1, 11))
    assert [each.uid for each in found if each.problems] == [4]
    assert found[3].size == found[2].size


async def test_an_empty_body_without_a_value(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality=named("rev1").but(Quirk.BODY_VALUE_MISSING))
    each = await only(connect, server, SOUND["nothing in it"])
    assert await each.text() == ""


# -- attachments -----------------------------------------------------------------------------------


async def test_attachments(connect: Connector, server: Server) -> None:
    pdf = part(
        'Content-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64',
        b"UERG\r\n",
    )
    inner = part("Content-Type: message/rfc822", INNER)
    data = multipart("mixed", inner_multipart("related", HTML, PNG), pdf, inner)
    each = await only(connect, server, data)
    assert [(a.filename, a.content_type, a.safe_name) for a in each.attachments] == [
        ("a.pdf", "application/pdf", "a.pdf"),
        (None, "message/rfc822", "the inner one.eml"),
    ]
    (dot,) = each.inline
    assert (dot.filename, dot.content_id, dot.size) == ("dot.png", "dot@example.org", 14)
    assert await dot.read() == b"\x89PNG dot"
    assert [await a.read() for a in each.attachments] == [b"PDF", INNER]
    file = io.BytesIO()
    assert await each.attachments[0].download(file) == 3
    assert file.getvalue() == b"PDF"
    assert await each.text() == "Hello, HTML\n"
    assert "a.pdf" in repr(each.attachments[0])


# -- changes ---------------------------------------------------------------------------------------


async def test_changes(connect: Connector, full: Server) -> None:
    client = await connect(full)
    await client.create("Done")
    inbox = await client.select("INBOX")
    each = await inbox.message(1)
    assert each.flags == {"\\Recent"}
    await each.mark(["\\Seen", "$Work"])
    assert each.flags >= {"\\Seen", "$Work"}
    await each.unmark("\\Seen")
    assert "\\Seen" not in each.flags
    copied = await each.copy("Done")
    assert list(copied.pairs()) == [(1, 1)]
    await each.move("Done")
    await (await inbox.message(2)).delete()
    assert await uids(inbox) == list(range(3, 11))
    for method in (each.text, each.raw, each.headers):
        with pytest.raises(NoSuchMessage):
            await method()


async def test_expunge_takes_what_this_session_has_marked(connect: Connector, full: Server) -> None:
    full.add_message("INBOX", letter(), ["\\Deleted"])  # 11: somebody else's
    inbox = await (await connect(full)).select("INBOX")
    assert not await inbox.expunge()
    await (await inbox.message(1)).mark("\\Deleted")
    await inbox.add_flags("2:4", "\\Deleted")
    await inbox.remove_flags(3, "\\Deleted")
    await inbox.set_flags(4, "\\Seen")
    await inbox.set_flags([5], ["\\deleted"])
    before = len(full.commands[-1])
    assert str(await inbox.expunge()) == "1:2,5"
    assert [line.split(" ", 1)[1] for line in full.commands[-1][before:]] == ["UID EXPUNGE 1:2,5"]
    assert list(full.mailbox().messages) == [3, 4, 6, 7, 8, 9, 10, 11]
    assert not await inbox.expunge()


async def test_nothing_is_expunged_that_was_not_named(
    connect: Connector, start: Callable[..., Server]
) -> None:
    server = start(personality="rev1-basic")
    server.add_message("INBOX", letter())
    inbox = await (await connect(server)).select("INBOX")
    await inbox.add_flags(1, "\\Deleted")
    with pytest.raises(CapabilityMissing, match="UIDPLUS"):
        await inbox.expunge()
    assert "EXPUNGE" not in names(server)


@pytest.mark.parametrize("personality", ["rev1", "rev1-basic", "sloppy", "strato"])
async def test_count(connect: Connector, start: Callable[..., Server], personality: str) -> None:
    server = start(personality=personality)
    inbox = await (await connect(server)).select("INBOX")
    assert await inbox.count() == 0
    for number in range(5):
        server.add_message("INBOX", letter(), ["\\Seen"] if number else [])
    await (await connect(server)).noop()
    inbox = await (await connect(server)).select("INBOX")
    assert (await inbox.count(), await inbox.count(Seen), await inbox.count(~Seen)) == (5, 4, 1)


async def test_raw_criteria(connect: Connector, full: Server) -> None:
    inbox = await (await connect(full)).select("INBOX")
    assert str(await inbox.search(Raw("OR UID 2 (SEEN SUBJECT 9)"))) == "2,9"
    assert str(await inbox.search(Raw("NOT SEEN") & Uid("6:8"))) == "6:7"
    assert not await inbox.search(Raw("SUBJECT Grüße"))


def test_weird_messages_are_messages() -> None:
    """Each message of the corpus has a header and CRLF line endings."""
    for data in (*SOUND.values(), *HOPELESS.values(), *(each.message for each in WEIRD.values())):
        assert data.count(b"\n") == data.count(b"\r\n")
        assert b"\r\n\r\n" in data
