"""Runs tests on both clients: a test is written once, with `await`.

`Blocking` wraps a sync client so that its methods can be awaited. It has no list of methods, so a
method that one of the two clients lacks is an error.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

from imaplus import (
    AsyncAttachment,
    AsyncClient,
    AsyncMessage,
    Attachment,
    Client,
    Mailbox,
    Message,
    Security,
    Tls,
)
from imaplus.client._async_mailbox import AsyncMailbox
from imaplus.client._async_pipeline import AsyncPipeline
from imaplus.client._sync_pipeline import Pipeline
from imaplus.client.async_opening import opening
from imaplus.endpoints import Connected, Endpoint, Tcp
from imaplus.testing import Server

Connect = Callable[..., Awaitable[AsyncClient]]
"""`connect(server)` logs in to an embedded server; `connect(endpoint, ...)` is as the client's."""

_TWINS: dict[type, type] = {
    Attachment: AsyncAttachment,
    Client: AsyncClient,
    Mailbox: AsyncMailbox,
    Message: AsyncMessage,
    Pipeline: AsyncPipeline,
}
_SECURITY = {each.value: each for each in Security}


class Blocking:
    """A sync client, mailbox or pipeline: its methods can be awaited, its iterators are async."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __repr__(self) -> str:
        return repr(self.inner)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        model = getattr(_TWINS[type(self.inner)], name, None)
        if inspect.iscoroutinefunction(inspect.unwrap(model) if callable(model) else None):
            return _make_awaitable(found)
        if inspect.isfunction(model):
            return lambda *args, **options: _wrap(found(*args, **options))
        return _wrap(found)

    async def __aenter__(self) -> Blocking:
        return self

    async def __aexit__(self, *exception: object) -> None:
        cast(Any, self.inner).__exit__(*exception)


def _make_awaitable(function: Callable[..., object]) -> Callable[..., Awaitable[object]]:
    async def call(*args: object, **options: object) -> Any:
        return _wrap(function(*args, **options))

    return opening(call)


def _wrap(value: object) -> object:
    if inspect.isgenerator(value):
        return _iterate(value)
    if type(value) is tuple and any(type(each) in _TWINS for each in value):
        return tuple(map(_wrap, value))
    return Blocking(value) if type(value) in _TWINS else value


async def _iterate(values: Iterator[object]) -> AsyncIterator[object]:
    try:
        for value in values:
            yield _wrap(value)
    finally:
        cast(Any, values).close()


class Connector:
    """Connects clients of one kind, and closes them after the test."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clients: list[AsyncClient] = []

    async def __call__(
        self, where: str | Endpoint | Server, port: int | None = None, **options: Any
    ) -> AsyncClient:
        if isinstance(where, Server):
            where = self._at(where, options)
        if self.kind == "async":
            client = await AsyncClient.connect(where, port, **options)
        else:
            client = cast(AsyncClient, Blocking(Client.connect(where, port, **options)))
        self.clients.append(client)
        return client

    def _at(self, server: Server, options: dict[str, Any]) -> Tcp:
        """Return the endpoint of a server, and add user, password and CA to the options."""
        if "credentials" not in options and "user" not in options:
            options.update(user=server.user, password=server.password)
        if server.security != "plain" and "tls" not in options:
            options["tls"] = Tls(ca_file=server.ca_file)
        security = options.setdefault("security", _SECURITY[server.security])
        return Tcp(server.host, server.port, security)

    async def close(self) -> None:
        for client in self.clients:
            await client.close()


def pair() -> tuple[Connected, socket.socket]:
    """An endpoint, and the server's end of it."""
    ours, theirs = socket.socketpair()
    return Connected(ours, secure=True), theirs


async def tags(theirs: socket.socket, count: int) -> list[bytes]:
    """The tags of so many commands, as they come to the server's end."""
    data = b""
    while data.count(b"\r\n") < count:
        data += await asyncio.to_thread(theirs.recv, 1 << 16)
    return [line.split(b" ")[0] for line in data.splitlines()]


def letter(
    subject: str = "hello", body: str = "world\r\n", sender: str = "Ann <ann@x.org>"
) -> bytes:
    """A small message."""
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\n{body}".encode()


def names(server: Server, connection: int = -1) -> list[str]:
    """The names of the commands that a connection of the server has seen, in order."""
    lines = [line.split(" ", 3) for line in server.commands[connection]]
    return [" ".join(words[1:3]) if words[1] == "UID" else words[1] for words in lines]
