"""Invalid arguments raise at once, and nothing is written. A single name needs no list."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from imaplus import AsyncClient, ImapError, InvalidArgument, Security
from imaplus.core.session import Noop
from imaplus.endpoints import Tcp
from imaplus.testing import ScriptServer, Server, Transcript
from imaplus.wire.names import names_of

from .harness import Connector, names

WRONG: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "a text for a query": (lambda c, m: m.search("UNSEEN"), "a query such as Unseen"),
    "no query": (lambda c, m: m.search(None), "a query such as Unseen"),
    "a line for a command": (lambda c, m: c.run("NOOP"), "a command or a flow"),
    "a class for a command": (lambda c, m: c.run(Noop), "found Noop"),
    "nothing for a command": (lambda c, m: c.run(None), "a command or a flow"),
    "a number for an item": (lambda c, m: c.status("INBOX", 7), "a STATUS item as str, found int"),
    "octets for an item": (lambda c, m: c.status("INBOX", [b"MESSAGES"]), "found bytes"),
    "a number for a label": (lambda c, m: m.add_labels(1, ["a", 7]), "a label as str"),
    "a text file to write to": (lambda c, m: m.download(1, io.StringIO()), "in binary mode"),
    "a number to write to": (lambda c, m: m.download(1, 7), "found int"),
}


@pytest.mark.parametrize(("use", "words"), WRONG.values(), ids=WRONG)
async def test_what_is_given_is_checked(
    connect: Connector, full: Server, use: Callable[..., Any], words: str
) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    before = list(full.commands[0])
    with pytest.raises(InvalidArgument, match=words):
        await use(client, mailbox)
    assert list(full.commands[0]) == before
    await client.noop()


@pytest.mark.parametrize("items", [["FLAGS"], ("UID", "FLAGS"), 7, None])
async def test_items_are_given_one_by_one(connect: Connector, full: Server, items: Any) -> None:
    client = await connect(full)
    mailbox = await client.select("INBOX")
    with pytest.raises(InvalidArgument, match="expected a FETCH item or Body"):
        [message async for message in mailbox.fetch("1:*", items)]
    assert "UID FETCH" not in names(full)


async def test_in_a_pipeline_too(connect: Connector, full: Server) -> None:
    client = await connect(full)
    await client.select("INBOX")
    before = list(full.commands[0])
    for give, words in {
        lambda pipe: pipe.run("NOOP"): "a command or a flow",
        lambda pipe: pipe.mailbox.search("UNSEEN"): "a query such as Unseen",
        lambda pipe: pipe.mailbox.fetch("1:*", ["FLAGS"]): "a FETCH item",
    }.items():
        with pytest.raises(InvalidArgument, match=words):
            async with client.pipeline() as pipe:
                give(pipe)
    assert list(full.commands[0]) == before


@pytest.mark.parametrize("security", ["tls", "starttls", "plain", 1])
async def test_security_is_no_text(connect: Connector, server: Server, security: Any) -> None:
    """A text equals no member of `Security`; without the check nothing would be secure."""
    with pytest.raises(InvalidArgument, match=r"one of Security\.TLS"):
        await connect(server.host, server.port, security=security)
    with pytest.raises(InvalidArgument, match=r"one of Security\.TLS"):
        await connect(Tcp(server.host, server.port, security))
    assert server.sessions == []


@pytest.mark.parametrize("password", [b"hunter2", 7])
async def test_a_password_is_a_text(connect: Connector, server: Server, password: Any) -> None:
    with pytest.raises(InvalidArgument, match="expected a secret as str, found") as caught:
        await connect(server.host, server.port, user="ada", password=password)
    assert "hunter2" not in str(caught.value)


# -- one name, or several --------------------------------------------------------------------------

SESSION = """
S: * OK [CAPABILITY IMAP4rev1 SASL-IR ENABLE AUTH=PLAIN AUTH=LOGIN] ready
C: $1 AUTHENTICATE LOGIN
S: + VXNlcm5hbWU6
C: YWRh
S: + UGFzc3dvcmQ6
C: aG9yc2U=
S: $1 OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE LIST-EXTENDED LIST-STATUS] done
C: $2 ENABLE CONDSTORE
S: * ENABLED CONDSTORE
S: $2 OK done
C: $3 STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 5)
S: $3 OK done
C: $4 LIST "" "*" RETURN (CHILDREN SUBSCRIBED STATUS (UNSEEN))
S: * LIST () "/" INBOX
S: * STATUS INBOX (UNSEEN 2)
S: $4 OK done
"""


async def test_a_lone_name_is_no_iterable_of_letters(connect: Connector) -> None:
    with ScriptServer(Transcript.parse(SESSION)) as server:
        client = await connect(
            server.host,
            server.port,
            user="ada",
            password="horse",
            security=Security.PLAIN,
            identity={},
            mechanisms="LOGIN",
            enable="CONDSTORE",
        )
        assert (await client.status("INBOX", "MESSAGES")).messages == 5
        (entry,) = await client.list(status="UNSEEN")
        assert entry.status is not None
        assert entry.status.unseen == 2
        await client.close()


def test_names_in_every_form() -> None:
    assert names_of("a name", "ab") == ("ab",)
    assert names_of("a name", "a", ["b", "c"], ("d",), iter("ef")) == tuple("abcdef")
    assert names_of("a name") == names_of("a name", []) == ()
    for wrong in (None, 7, b"ab", [None], [["a"]]):
        with pytest.raises(InvalidArgument, match="expected a name as str, found"):
            names_of("a name", wrong)  # type: ignore[arg-type]


async def test_labels_in_every_form(connect: Connector) -> None:
    script = (
        "S: * PREAUTH [CAPABILITY IMAP4rev1 X-GM-EXT-1] ready\n"
        "C: $1 SELECT INBOX\nS: * 5 EXISTS\nS: $1 OK [READ-WRITE] done\n"
        "C: $2 UID STORE 1 +X-GM-LABELS (a b)\nS: $2 OK done\n"
        "C: $3 UID STORE 1 +X-GM-LABELS (a b)\nS: $3 OK done\n"
        "C: $4 UID STORE 1 X-GM-LABELS ()\nS: $4 OK done\n"
    )
    with ScriptServer(Transcript.parse(script)) as server:
        client: AsyncClient = await connect(server.host, server.port, security=Security.PLAIN)
        mailbox = await client.select("INBOX")
        await mailbox.add_labels(1, ("a", "b"))
        await mailbox.add_labels(1, ["a", "b"])
        await mailbox.set_labels(1, ())
        with pytest.raises(ImapError, match="at least one label"):
            await mailbox.add_labels(1, [])
        await client.close()
