"""As much of an IMAP server as clients need that idle, or fetch flags of a million messages.

    idle_server.py [FILE MESSAGES]       prints its port, and ends when standard input does

INBOX has one message. `XTELL` has it tell all that idle of one more, `XIDLING` says how many do.
FILE is what any FETCH is answered with, and MESSAGES how many there are then. It is one process
apart from the clients, and cheap, so that they are what is measured.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

CAPABILITIES = b"IMAP4rev1 IDLE LITERAL+ NAMESPACE"
SELECTED = b"""* FLAGS (\\Seen)\r
* %d EXISTS\r
* 0 RECENT\r
* OK [UIDVALIDITY 1] valid\r
* OK [UIDNEXT %d] next\r
"""


class Session(asyncio.Protocol):
    """A connection."""

    idling: dict[Session, bytes] = {}  # noqa: RUF012 - tag of each one's IDLE
    answer = b""
    messages = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._write = transport.write
        self._transport = transport
        self._pending = b""
        self._write(b"* OK [CAPABILITY %s] ready\r\n" % CAPABILITIES)

    def connection_lost(self, error: Exception | None) -> None:
        self.idling.pop(self, None)

    def data_received(self, data: bytes) -> None:
        *lines, self._pending = (self._pending + data).split(b"\r\n")
        for line in lines:
            tag, _, rest = line.partition(b" ")
            if line.upper() == b"DONE":
                self._write(self.idling.pop(self) + b" OK done\r\n")
            else:
                self._obey(tag, rest.upper().split())

    def _obey(self, tag: bytes, words: list[bytes]) -> None:
        match words:
            case [b"IDLE"]:
                self.idling[self] = tag
                self._write(b"+ idling\r\n")
                return
            case [b"XTELL"]:
                for session in self.idling:
                    session._write(b"* 2 EXISTS\r\n")
            case [b"XIDLING"]:
                self._write(b"* %d\r\n" % len(self.idling))
            case [b"CAPABILITY"]:
                self._write(b"* CAPABILITY %s\r\n" % CAPABILITIES)
            case [b"SELECT" | b"EXAMINE", *_]:
                self._write(SELECTED % (self.messages, self.messages + 1))
            case [*_, b"FETCH", _, _] | [*_, b"FETCH", _, _, _]:
                self._write(self.answer)
            case [b"LOGOUT"]:
                self._write(b"* BYE\r\n%s OK bye\r\n" % tag)
                self._transport.close()
                return
        self._write(tag + b" OK done\r\n")


async def serve() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Session, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Session.answer = Path(sys.argv[1]).read_bytes()
        Session.messages = int(sys.argv[2])
    asyncio.run(serve())
