"""A compressed flood against our own client, in a process that may have little memory.

    python bomb.py sync|async

200 MiB of short responses come in one go, compressed to a third of a megabyte. The client has a
deadline of a second. It prints how the command ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys
import threading
import zlib

from imaplus import AsyncClient, Client, ImapError
from imaplus.core.session import Noop
from imaplus.endpoints import Connected

MOST_MEMORY = 512 << 20
"""Address space, of which Python and its threads take a part."""
LINES = (200 << 20) // len(b"* 1 EXISTS\r\n")


def bomb() -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    some = b"* 1 EXISTS\r\n" * 10_000
    parts = [deflate.compress(some) for _ in range(LINES // 10_000)]
    return b"".join([*parts, deflate.flush(zlib.Z_SYNC_FLUSH)])


def serve(sock: socket.socket, flood: bytes) -> None:
    sock.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] ready\r\n")
    line = sock.recv(1000)
    assert b"COMPRESS" in line
    with contextlib.suppress(OSError):  # the client hangs up
        sock.sendall(line.split()[0] + b" OK go\r\n" + flood)


async def attack(where: Connected) -> None:
    async with await AsyncClient.connect(where, identity={}, compress=True) as client:
        await client.run(Noop(), timeout=1.0)


def main(kind: str) -> None:
    ours, theirs = socket.socketpair()
    server = threading.Thread(target=serve, args=(theirs, bomb()), daemon=True)
    server.start()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        if kind == "async":
            asyncio.run(attack(Connected(ours, secure=True)))
        else:
            with Client.connect(Connected(ours, secure=True), identity={}, compress=True) as client:
                client.run(Noop(), timeout=1.0)
    except ImapError as error:
        print(type(error).__name__, error)


if __name__ == "__main__":
    main(sys.argv[1])
