"""One session on standard input and output, logged in from the start: what a tunnel would give.

For clients that talk to a child process, as in `ssh host imapd`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from imaplus.testing.faults import Fault
from imaplus.testing.server import BaseServer
from imaplus.testing.session import Session
from imaplus.testing.streams import Pipe


async def serve_stdio(server: BaseServer, *, preauth: bool = True) -> None:
    """Serve one session until its client leaves. The server itself need not be started.

    Without `preauth` the client has to log in. Both streams must be pipes, sockets or terminals.
    """
    pipe = Pipe(*await _streams())
    session = Session(pipe, server.hub, fault=Fault(), secure=True, context=None)
    await session.run(account=server.account() if preauth else None)


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if os.path.sameopenfile(sys.stdin.fileno(), sys.stdout.fileno()):
        # One socket for both: as two pipes, what comes would look like the end to the writing one.
        return await asyncio.open_connection(sock=socket.socket(fileno=os.dup(sys.stdin.fileno())))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout.buffer
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)
