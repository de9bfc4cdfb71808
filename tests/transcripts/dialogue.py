"""How a transcript is run: five ways, against one table of what the client does and what comes out.

A row is `(what, value)`: a command, or a function of the connection that gives a flow or a value;
and what that must come to. The rows of a transcript make one flow, so that a state machine without
a stream and both clients run the very same thing.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from imaplus.client._async_runner import AsyncRunner
from imaplus.client._sync_runner import Runner
from imaplus.client.async_streams import AsyncStream
from imaplus.client.endpoints import DEFAULT_TLS, Security, Tcp, Timeouts
from imaplus.client.streams import Stream
from imaplus.core.bulk import bulk_reader
from imaplus.core.bulk.reader import Reader
from imaplus.core.fetched import FetchData
from imaplus.core.mailboxes import Opened
from imaplus.core.messages import Stored
from imaplus.errors import CommandError, ImapError, ProtocolError
from imaplus.protocol.bulk import Bulk
from imaplus.protocol.command import Command
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow, Handshake, Step, Together
from imaplus.protocol.mailbox import Mailbox
from imaplus.protocol.pending import Pending
from imaplus.protocol.response import Malformed, Unknown
from imaplus.protocol.status import Status
from imaplus.protocol.telling import Trace
from imaplus.testing import ScriptServer, Transcript
from imaplus.testing.transcript import Cut, byte_by_byte, randomly, whole
from imaplus.wire.frames import Frame
from imaplus.wire.sets import SequenceSet

HERE: Final = Path(__file__).parent
CORPUS: Final = HERE.parent / "corpus"

What = Command[Any] | Together | Callable[[Connection], Any]
Row = tuple[What, object]
Rows = Sequence[Row]
Cases = dict[str, Rows]


def greeting(connection: Connection) -> object:
    """As the first row: what the greeting came to, be it an error."""
    return connection.error or connection.greeting


def heard(connection: Connection) -> object:
    """As a row: what the server has said unasked during the command or flow before it."""
    raise AssertionError("the dialogue knows")


def mailbox(connection: Connection) -> object:
    """As a row: what is known of the selected mailbox."""
    return connection.mailbox


def enabled(connection: Connection) -> object:
    """As a row: the extensions that are switched on."""
    return connection.enabled


class Fails:
    """As a value: an error of exactly this class, whose text has these words in it."""

    def __init__(self, kind: type[ImapError], words: str = "", **attributes: object) -> None:
        self.kind, self.words, self.attributes = kind, words, attributes

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is self.kind
            and self.words in str(other)
            and all(getattr(other, name) == value for name, value in self.attributes.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({self.words!r}, {self.attributes})"


# -- the rows as a flow ----------------------------------------------------------------------------


def dialogue(rows: Rows, connection: Connection, events: list[object]) -> Flow[None]:
    """Do what the rows say, one after the other, and insist on what they say of it."""
    if connection.error is not None and rows[0][0] is not greeting:
        raise connection.error
    for number, (what, expected) in enumerate(rows, 1):
        found: object
        try:
            found = events.copy() if what is heard else (yield from _done(what, connection, events))
        except ImapError as error:
            found = error
        if (shown := plain(found)) != expected:
            raise AssertionError(f"row {number}: expected {expected!r}, found {shown!r}")


def _done(what: What, connection: Connection, events: list[object]) -> Flow[object]:
    """What a row comes to. What was heard before is forgotten, unless the row only looks."""
    found = what(connection) if callable(what) else what
    if not isinstance(found, Command | Together) and not inspect.isgenerator(found):
        return found
    events.clear()
    return (yield from found)


_FACTS: Final = (
    "name exists recent uidvalidity uidnext highestmodseq first_unseen flags permanent_flags "
    "read_only uids vanished_earlier"
).split()


def plain(value: object) -> object:
    """A value as it is written in a row: what has no equality, or much to say, as a dict."""
    match value:
        case FetchData():
            items = {name: plain(_item(value, name)) for name in value.items if name != "UID"}
            return {"uid": value.uid, **items}
        case Opened():
            changes = {"changes": plain(value.changes)} if value.changes else {}
            return {**_facts(value.mailbox), **changes}
        case Mailbox():
            return _facts(value)
        case Stored():
            modified = {"modified": str(value.modified)} if value.modified else {}
            return {"messages": plain(value.messages), **modified}
        case SequenceSet():
            return str(value)
        case Status():
            code = f"[{value.code}] " if value.code else ""
            return f"{value.kind} {code}{value.text}"
        case Malformed():
            return f"malformed {value.name}".strip()
        case Unknown():
            return value.frame.text
        case Frame():
            return value.text
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _item(message: FetchData, name: str) -> object:
    try:
        return message[name]
    except ProtocolError:
        return "malformed"


def _facts(mailbox: Mailbox) -> dict[str, object]:
    facts = {name: plain(getattr(mailbox, name)) for name in _FACTS}
    return {name: value for name, value in facts.items() if value}


# -- without a stream ------------------------------------------------------------------------------


class Player:
    """A connection and a flow that needs no stream: what a transcript is played to."""

    def __init__(self, rows: Rows, trace: Trace | None = None, bulk: Bulk | None = None) -> None:
        self.connection = Connection(trace=trace, bulk=bulk)
        self._rows = rows
        self._events: list[object] = []
        self._flow: Flow[None] | None = None
        self._step: Step | None = None
        self._pendings: list[Pending[Any]] = []
        self.over = False

    def receive(self, data: bytes) -> None:
        """Octets from the server."""
        self._events += self.connection.receive_data(data)
        self._proceed()

    def end(self) -> None:
        """The server has closed the connection."""
        self.connection.receive_eof()
        self._proceed()

    def take(self) -> bytes:
        """Octets for the server."""
        if isinstance(self._step, Handshake) and self.connection.error is None:
            self.connection.confirm_tls()
            self._go_on(None)
            self._proceed()
        said = b""
        while self.connection.has_data_to_send:
            said += self.connection.data_to_send()
        return said

    def _proceed(self) -> None:
        """Go as far as one can without hearing more."""
        connection = self.connection
        if self._flow is None:
            if connection.greeting is None and connection.error is None:
                return
            self._flow = dialogue(self._rows, connection, self._events)
            self._go_on(None)
        while not self.over:
            if isinstance(self._step, Handshake):
                if (error := connection.error) is None:
                    return
                self._go_on(error)
            elif not all(pending.done for pending in self._pendings):
                return
            else:
                self._settle()

    def _settle(self) -> None:
        """The commands of a step are over: give the flow what they came to."""
        results: list[object] = []
        for pending in self._pendings:
            try:
                results.append(pending.result())
            except ImapError as error:
                if not isinstance(self._step, Together) or not isinstance(error, CommandError):
                    self._go_on(error)
                    return
                results.append(error)
        self._go_on(results if isinstance(self._step, Together) else results[0])

    def _go_on(self, result: object) -> None:
        """Give the flow a result, or throw an error into it; send what it wants next."""
        assert self._flow is not None
        try:
            if isinstance(result, ImapError):
                self._step = self._flow.throw(result)
            else:
                self._step = self._flow.send(result)
        except StopIteration:
            self.over, self._step = True, None
            return
        commands: Iterable[Command[Any]] = ()
        if isinstance(self._step, Together):
            commands = self._step.commands
        elif not isinstance(self._step, Handshake):
            commands = (self._step,)
        try:
            self._pendings = [self.connection.send(command) for command in commands]
        except ImapError as refused:
            self._go_on(refused)


def _alone(transcript: Transcript, rows: Rows, cut: Cut, trace: Trace | None = None) -> None:
    """Without a bulk reader, and with one for every read, however short."""
    for bulk in (None, partial(Reader, least=0)):
        player = Player(rows, trace, bulk)
        transcript.play(player, cut)
        player.end()
        assert player.over, "the transcript ended before the rows did"


def at_once(transcript: Transcript, rows: Rows) -> None:
    """Without a stream, line by line, and traced."""
    _alone(transcript, rows, whole, lambda side, line: None)


def octet_by_octet(transcript: Transcript, rows: Rows) -> None:
    """Without a stream, every octet for itself."""
    _alone(transcript, rows, byte_by_byte)


def cut_at_random(transcript: Transcript, rows: Rows) -> None:
    """Without a stream, in pieces of any size."""
    for seed in range(3):
        _alone(transcript, rows, randomly(seed))


# -- with a stream ---------------------------------------------------------------------------------

_TIMEOUTS: Final = Timeouts(greeting=10, silence=10)


def _options(events: list[object]) -> dict[str, Any]:
    return {
        "tls": DEFAULT_TLS,
        "host": "localhost",
        "timeouts": _TIMEOUTS,
        "on_event": events.append,
    }


def by_client(transcript: Transcript, rows: Rows) -> None:
    """By the sync client's runner, over a socket."""
    events: list[object] = []
    with ScriptServer(transcript) as server:
        endpoint = Tcp(server.host, server.port, Security.PLAIN)
        stream = Stream.connect(endpoint, DEFAULT_TLS, 10)
        client = Runner(stream, Connection(bulk=bulk_reader), **_options(events))
        try:
            with contextlib.suppress(ImapError):
                client.greeting()
            client.run(dialogue(rows, client.connection, events))
        finally:
            client.close()


def by_async_client(transcript: Transcript, rows: Rows) -> None:
    """By the async client's runner, over a socket."""

    async def main(server: ScriptServer) -> None:
        events: list[object] = []
        endpoint = Tcp(server.host, server.port, Security.PLAIN)
        stream = await AsyncStream.connect(endpoint, DEFAULT_TLS, 10)
        client = AsyncRunner(stream, Connection(bulk=bulk_reader), **_options(events))
        try:
            with contextlib.suppress(ImapError):
                await client.greeting()
            await client.run(dialogue(rows, client.connection, events))
        finally:
            await client.close()

    with ScriptServer(transcript) as server:
        asyncio.run(main(server))


Way = Callable[[Transcript, Rows], None]
WITHOUT_STREAM: Final[tuple[Way, ...]] = (at_once, octet_by_octet, cut_at_random)
FIVE_WAYS: Final[tuple[Way, ...]] = (*WITHOUT_STREAM, by_client, by_async_client)


def each_way(cases: Cases, folder: Path = HERE, ways: Sequence[Way] = FIVE_WAYS) -> Any:
    """The test of a table: `test_it = each_way(CASES)`."""

    @pytest.mark.parametrize("way", ways, ids=lambda way: way.__name__)
    @pytest.mark.parametrize("name", cases)
    def test(name: str, way: Way) -> None:
        way(Transcript.load(folder / f"{name}.txt"), cases[name])

    return test
