"""One session on standard input and output, for clients that run a child process.

Such a child process is a tunnel, as in `ssh host imapd`; it greets with PREAUTH.
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
    """Serve one session until the client disconnects. The server need not be started.

    Args:
        server: its accounts and personality are used.
        preauth: greet with PREAUTH, as the first user; otherwise the client must log in.

    Raises:
        ValueError: standard input or output is neither a pipe, a socket nor a terminal.
    """
    pipe = Pipe(*await _streams())
    session = Session(pipe, server.hub, fault=Fault(), secure=True, context=None)
    await session.run(account=server.account() if preauth else None)


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if os.path.sameopenfile(sys.stdin.fileno(), sys.stdout.fileno()):
        # One socket for both: a write pipe on it would take incoming data for a closed pipe.
        return await asyncio.open_connection(sock=socket.socket(fileno=os.dup(sys.stdin.fileno())))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout.buffer
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)
