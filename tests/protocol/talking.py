"""What the tests of this folder share: a connection that has been greeted, and its two ends."""

from __future__ import annotations

from typing import Any, ClassVar

from imaplus.core.bulk import bulk_reader
from imaplus.core.mailboxes import Select
from imaplus.protocol.bulk import Bulk
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.pending import Pending
from imaplus.wire.frames import DEFAULT_LIMITS, Limits

CAPABILITIES = (
    "IMAP4rev1 IDLE STARTTLS UIDPLUS MOVE ENABLE COMPRESS=DEFLATE UNSELECT NAMESPACE LIST-STATUS"
)


class Talk:
    """A connection, and the server's part spoken by the test: `{}` stands for a tag."""

    lanes: ClassVar[list[Bulk | None]] = [bulk_reader]
    """The last one makes the bulk reader of a connection, or is None: see `conftest.lane`."""

    def __init__(
        self,
        greeting: str = f"* PREAUTH [CAPABILITY {CAPABILITIES}] ready",
        *,
        limits: Limits = DEFAULT_LIMITS,
        trace: Any = None,
    ) -> None:
        self.connection = Connection(limits=limits, trace=trace, bulk=self.lanes[-1])
        self.events: list[object] = []
        if greeting:
            self.hear(greeting)

    def hear(self, *lines: str, after: Pending[Any] | None = None) -> None:
        """The server says these lines; a tag is that of the command given."""
        tag = after.tag if after is not None else ""
        self.feed("".join(f"{line}\r\n" for line in lines).replace("{}", tag).encode())

    def feed(self, data: bytes) -> None:
        self.events += self.connection.receive_data(data)
        while self.connection.has_more:
            self.events += self.connection.receive_data(b"")

    def wrote(self) -> bytes:
        """What the client has to say now."""
        return b"".join(iter(self.connection.data_to_send, b""))

    def send(self, command: Command[Any]) -> Pending[Any]:
        """A command, written as far as it goes."""
        pending = self.connection.send(command)
        self.wrote()
        return pending

    def do(self, command: Command[Any], *lines: str) -> Any:
        """A command that the server carries out, saying these lines."""
        pending = self.send(command)
        self.hear(*lines, "{} OK done", after=pending)
        return pending.result()


def selected(capabilities: str = CAPABILITIES, **options: Any) -> Talk:
    """A connection on which INBOX, of five messages, is open."""
    talk = Talk(f"* PREAUTH [CAPABILITY {capabilities}] ready", **options)
    talk.do(Select("INBOX"), "* 5 EXISTS")
    talk.events.clear()
    return talk
