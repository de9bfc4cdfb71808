"""A server that behaves until one command, and what each of the three clients is to do with it.

The server is a thread at the other end of a socket pair. What it says at that command is a script;
behind it, the connection ends. So a client that waits for more than it should learns so at once.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from imaplus import AsyncClient, BodySection, Client, imaplib
from imaplus.endpoints import Connected
from imaplus.wire.frames import Limits

from .harness import Blocking

Script = Callable[[bytes], Iterable[bytes]]
"""What a server says, given the tag of the command."""

KIB = 1 << 10
SMALL = Limits(
    text=64 * KIB,
    literal=128 * KIB,
    small_literal=16 * KIB,
    literals=100,
    held=256 * KIB,
    unasked=256 * KIB,
    responses=2000,
)
"""A thousandth of the defaults, so that no flood has to be long; the way to them is the same."""
GREETING = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE UIDPLUS ESEARCH] ready\r\n"
SELECTED = (
    b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\n"
    b"%b OK [READ-WRITE] done\r\n"
)
_LITERAL = re.compile(rb"\{([0-9]+)\+?\}\r\n\Z")


class Case(NamedTuple):
    """What is done when a server misbehaves at a command, and what comes of it.

    An outcome is "gave" and what the representation of the result begins with, or the name of an
    error and what is in its text. `typed` is that of the sync and the async client.
    """

    do: str
    at: str
    script: Script
    typed: str
    facade: str


def lines(*parts: bytes) -> Script:
    """These lines; TAG in them is the tag."""
    said = b"".join(part + b"\r\n" for part in parts)
    return lambda tag: [said.replace(b"TAG", tag)]


def octets(data: bytes) -> Script:
    """These octets, and no line end."""
    return lambda tag: [data.replace(b"TAG", tag)]


def flood(data: bytes, first: bytes = b"") -> Script:
    """The same without end, after something else."""
    block = data * (16 * KIB // len(data) + 1)
    return lambda tag: itertools.chain([first], itertools.repeat(block))


def serve(sock: socket.socket, at: str, script: Script) -> None:
    with contextlib.suppress(OSError), sock, sock.makefile("rb") as incoming:
        if at == "GREETING":
            for data in script(b""):
                sock.sendall(data)
            return
        sock.sendall(GREETING)
        while line := incoming.readline():
            tag, _, command = line.partition(b" ")
            name = command.removeprefix(b"UID ").split()[0].decode()
            if name == at:
                for data in script(tag):
                    sock.sendall(data)
                return
            while found := _LITERAL.search(line):
                if not line.endswith(b"+}\r\n"):
                    sock.sendall(b"+ go on\r\n")
                incoming.read(int(found[1]))
                line = incoming.readline()
            if name == "IDLE":
                sock.sendall(b"+ idling\r\n")
                incoming.readline()
            sock.sendall(SELECTED % tag if name == "SELECT" else tag + b" OK done\r\n")


@contextlib.contextmanager
def server(at: str, script: Script) -> Iterator[socket.socket]:
    """The client's end of a connection."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(theirs, at, script), daemon=True)
    thread.start()
    try:
        yield ours
    finally:
        with contextlib.suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        ours.close()
        thread.join(10)


async def with_client(kind: str, sock: socket.socket, do: str) -> Any:
    """Do something with the sync or async client; what it gives, all taken."""
    where = Connected(sock, secure=True)
    if kind == "async":
        client = await AsyncClient.connect(where, identity={}, limits=SMALL)
    else:
        client = Blocking(Client.connect(where, identity={}, limits=SMALL))  # type: ignore[assignment]
    try:
        match do:
            case "noop":
                return await client.noop()
            case "list":
                return await client.list()
            case "append":
                return await client.append("INBOX", b"a letter")
            case "logout":
                return await client.logout()
        mailbox = await client.select("INBOX")
        match do:
            case "select":
                return mailbox.exists
            case "fetch":
                return [
                    (each.uid, each.body())
                    async for each in mailbox.fetch([1], "FLAGS", BodySection())
                ]
            case "structure":
                return [each.bodystructure async for each in mailbox.fetch([1], "BODYSTRUCTURE")]
            case "search":
                return await mailbox.search()
            case "copy":
                return await mailbox.copy([1], "Archive")
            case "flags":
                await mailbox.flags([1])
                return await mailbox.add_flags([1], "\\Seen")
            case "idle":
                return [event async for event in mailbox.idle(60)]
    finally:
        await client.close()
    raise AssertionError(do)


class _Drop(imaplib.IMAP4):
    limits = SMALL

    def __init__(self, sock: socket.socket) -> None:
        self._given = sock
        super().__init__("server")

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._given


def with_facade(sock: socket.socket, do: str) -> Any:
    """The same with the drop-in."""
    client = _Drop(sock)
    match do:
        case "noop":
            return client.noop()
        case "list":
            return client.list()
        case "append":
            return client.append("INBOX", None, None, b"a letter")
        case "logout":
            return client.logout()
    selected = client.select("INBOX")
    match do:
        case "select":
            return selected
        case "fetch":
            return client.uid("FETCH", "1", "(FLAGS BODY.PEEK[])")
        case "structure":
            return client.uid("FETCH", "1", "(BODYSTRUCTURE)")
        case "search":
            return client.uid("SEARCH", "ALL")
        case "copy":
            return client.uid("COPY", "1", "Archive")
        case "flags":
            client.uid("FETCH", "1", "(FLAGS)")
            return client.uid("STORE", "1", "+FLAGS", r"(\Seen)")
        case "idle":
            with client.idle(60) as idler:
                return list(idler)
    raise AssertionError(do)
