"""`timeout` of single methods: every method that waits takes it, and all its waiting counts."""

from __future__ import annotations

import inspect
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from imaplus import AsyncAttachment, AsyncClient, AsyncMailbox, AsyncMessage, TimedOut
from imaplus.testing import Server

from .harness import Connector

LETTER = (
    b'Subject: hi\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n"
    b"--b\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--\r\n"
)


@pytest.mark.parametrize("kind", [AsyncClient, AsyncMailbox, AsyncMessage, AsyncAttachment])
def test_every_method_that_waits_takes_a_timeout(kind: type) -> None:
    without = [
        name
        for name, method in inspect.getmembers(kind)
        if not name.startswith("_")
        and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method))
        and "timeout" not in inspect.signature(method).parameters
    ]
    assert without == (["close"] if kind is AsyncClient else [])  # it does not wait


METHODS: dict[str, Callable[[AsyncMessage, Path], Awaitable[object]]] = {
    "text": lambda message, folder: message.text(timeout=0),
    "html": lambda message, folder: message.html(timeout=0),
    "header": lambda message, folder: message.header("X-Note", timeout=0),
    "headers": lambda message, folder: message.headers(timeout=0),
    "raw": lambda message, folder: message.raw(timeout=0),
    "email": lambda message, folder: message.email(timeout=0),
    "save": lambda message, folder: message.save(folder, timeout=0),
    "mark": lambda message, folder: message.mark("\\Seen", timeout=0),
    "unmark": lambda message, folder: message.unmark("\\Seen", timeout=0),
    "copy": lambda message, folder: message.copy("Done", timeout=0),
    "move": lambda message, folder: message.move("Done", timeout=0),
    "delete": lambda message, folder: message.delete(timeout=0),
    "reply": lambda message, folder: message.reply(timeout=0),
    "forward": lambda message, folder: message.forward(timeout=0),
    "forward whole": lambda message, folder: message.forward(as_attachment=True, timeout=0),
    "attachment.read": lambda message, folder: message.attachments[0].read(timeout=0),
    "attachment.save": lambda message, folder: message.attachments[0].save(folder, timeout=0),
    "attachment.download": lambda message, folder: message.attachments[0].download(
        io.BytesIO(), timeout=0
    ),
}


@pytest.mark.parametrize("method", METHODS)
async def test_messages_and_attachments(
    connect: Connector, server: Server, tmp_path: Path, method: str
) -> None:
    server.add_message("INBOX", LETTER)
    client = await connect(server)
    message = await (await client.select("INBOX")).message(1)
    with pytest.raises(TimedOut, match="deadline of 0 seconds"):
        await METHODS[method](message, tmp_path)
    with pytest.raises(TimedOut):  # the connection is closed
        await client.noop()


async def test_iterating(connect: Connector, server: Server) -> None:
    server.add_message("INBOX", LETTER)
    inbox: Any = await (await connect(server)).select("INBOX")
    assert [each.uid async for each in inbox.messages(timeout=60)] == [1]
    with pytest.raises(TimedOut, match="deadline of 0 seconds"):
        _ = [each async for each in inbox.messages(timeout=0)]
