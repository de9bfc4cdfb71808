"""Runs an example against the embedded server, with the names that its page takes for granted.

Where an example connects to imap.example.org, it gets the embedded server; what it uses without
having made it, it is given: a client that is logged in, say.
"""

from __future__ import annotations

import ast
import asyncio
import email.message
import email.policy
import io
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from inspect import CO_COROUTINE
from typing import Any, Final
from unittest import mock

import imaplus
from imaplus import AsyncClient, Client, Security, imaplib
from imaplus.endpoints import Tcp
from imaplus.testing import Server

from .finding import parsed

HOST: Final = "imap.example.org"
MODULES: Final = {"email": email, "imaplib": imaplib, "imaplus": imaplus, "io": io, "re": re}
KNOWN: Final = {**MODULES, "date": date, "datetime": datetime, "time": time}
"""What an example of a page may use without importing it."""


def three_letters(server: Server) -> None:
    """What the guide takes for granted: three unread messages."""
    for number in range(1, 4):
        letter = f"From: ann@example.org\r\nSubject: letter {number}\r\n\r\nhello\r\n"
        server.add_message("INBOX", letter.encode(), internaldate=datetime(2025, 1, 2, tzinfo=UTC))


CODE: Final = b"""\
From: Login <login@example.com>\r
Subject: Your code\r
\r
Your code is 271828. It is valid for ten minutes.\r
"""


def send_code(server: Server) -> None:
    """What the page of programs calls `request_code()`: a site sends its mail."""
    server.add_message("INBOX", CODE)


def run(code: str, server: Server, *, everything: bool = False) -> dict[str, Any]:
    """The names that an example leaves behind. With `everything`, all public names are known."""
    names: dict[str, Any] = {"__name__": "example", **KNOWN}
    if everything:
        for face in (imaplus.search, imaplus.credentials, imaplus.endpoints, imaplus):
            names |= {name: getattr(face, name) for name in face.__all__}
    compiled = compile(code, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    wanted = free_names(code)
    with redirected(server), logging_restored():
        if compiled.co_flags & CO_COROUTINE:
            asyncio.run(_run_async(compiled, wanted, names, server))
        else:
            with prepared(wanted, server) as given:
                names |= given
                exec(compiled, names)
    return names


async def _run_async(compiled: Any, wanted: set[str], names: dict[str, Any], server: Server) -> Any:
    names |= {"names": ["INBOX"], "server": server, "request_code": lambda: send_code(server)}
    if wanted.isdisjoint(("client", "inbox")):
        return await eval(compiled, names)
    async with AsyncClient.connect(HOST, **who(server)) as client:
        names["client"] = client
        if "inbox" in wanted:
            names["inbox"] = await client.select("INBOX")
        return await eval(compiled, names)


@contextmanager
def logging_restored() -> Iterator[None]:
    """An example that switches logging on does so for itself only."""
    loggers = [logging.getLogger(name) for name in ("", "imaplus")]
    before = [(each, each.level, list(each.handlers)) for each in loggers]
    try:
        yield
    finally:
        for each, level, handlers in before:
            each.setLevel(level)
            each.handlers[:] = handlers


@contextmanager
def prepared(wanted: set[str], server: Server) -> Iterator[dict[str, Any]]:
    """What an example uses and does not make: connections that are logged in."""
    given: dict[str, Any] = {"names": ["INBOX"], "server": server}
    given["request_code"] = lambda: send_code(server)
    with ExitStack() as stack:
        if not wanted.isdisjoint(("client", "inbox")):
            given["client"] = stack.enter_context(Client.connect(HOST, **who(server)))
        if "inbox" in wanted:
            given["inbox"] = given["client"].select("INBOX")
        if "imap" in wanted:
            imap = imaplib.IMAP4(server.host, server.port)
            given["imap"] = stack.enter_context(imap)
            imap.login(server.user, server.password)
        yield given


def who(server: Server) -> dict[str, Any]:
    return {"user": server.user, "password": server.password}


def free_names(code: str) -> set[str]:
    """The names that an example reads and nowhere sets."""
    nodes = [node for node in ast.walk(parsed(code)) if isinstance(node, ast.Name)]
    stored = {node.id for node in nodes if not isinstance(node.ctx, ast.Load)}
    return {node.id for node in nodes} - stored


@contextmanager
def redirected(server: Server) -> Iterator[None]:
    """Let the examples' host be the embedded server, for both clients and the facade."""
    with ExitStack() as stack:
        for client in (Client, AsyncClient):
            connect: Any = client.connect
            to_server = classmethod(_to_the_server(connect.__func__, server))
            stack.enter_context(mock.patch.object(client, "connect", to_server))

        def old(host: str = "", *args: object, **options: object) -> imaplib.IMAP4:
            return imaplib.IMAP4(server.host, server.port)

        stack.enter_context(mock.patch.object(imaplib, "IMAP4_SSL", old))
        yield


def _to_the_server(connect: Callable[..., Any], server: Server) -> Callable[..., Any]:
    def to_the_server(cls: type, where: object, *args: object, **options: Any) -> Any:
        if where == HOST:
            where = Tcp(server.host, server.port, Security.PLAIN)
            options["security"] = Security.PLAIN
        return connect(cls, where, *args, **options)

    return to_the_server
