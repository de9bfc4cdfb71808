"""Transcripts: dialogues as text, replayed to a client or a state machine.

    # what this one shows
    S: * OK ready
    C: $1 NOOP
    S: * 3 EXISTS
    S: $1 OK done
    S.

`$1` at the start of a client's line is the tag that the client chose; it may be used again. `S=`
and `C=` take a Python bytes literal, to which no line end is added. `S.` closes the connection.
"""

from __future__ import annotations

import ast
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, NamedTuple, Protocol

from imaplus.errors import InvalidArgument
from imaplus.records import record

Cut = Callable[[bytes], Iterator[bytes]]
"""Splits the server's data into the pieces in which the client receives it."""

_LINE: Final = re.compile(r"([SC])([:=]) ?(.*)")
_NAME: Final = re.compile(rb"\$(\w+)")
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+]+')
PATIENCE: Final = 10.0
"""Seconds that a `ScriptServer` waits for the client."""


def whole(data: bytes) -> Iterator[bytes]:
    """Yield all data at once."""
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    """Yield one byte at a time."""
    return (data[at : at + 1] for at in range(len(data)))


def randomly(seed: int) -> Cut:
    """Return a cut into random pieces of 1 to 40 bytes, deterministic for a seed."""
    dice = random.Random(seed)

    def cut(data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = dice.randint(1, 40)
            yield data[at : at + size]
            at += size

    return cut


class Step(NamedTuple):
    """One line of a transcript; `side` is "." if the server closes the connection."""

    side: Literal["S", "C", "."]
    data: bytes
    number: int
    """The line number in the transcript."""


class Peer(Protocol):
    """The client side of `Transcript.play`: a state machine without a socket."""

    def receive(self, data: bytes) -> None:
        """Process bytes from the server."""

    def take(self) -> bytes:
        """Return the bytes to send to the server since the last call."""
        ...


@record
class Transcript:
    """A dialogue."""

    steps: tuple[Step, ...]
    name: str = "transcript"

    @classmethod
    def parse(cls, text: str, name: str = "transcript") -> Transcript:
        """Parse a transcript. Raises InvalidArgument, naming the line, if it is invalid."""
        return cls(tuple(_steps(text, name)), name)

    @classmethod
    def load(cls, path: Path) -> Transcript:
        """Parse a transcript from a file in UTF-8. Raises as `parse` does, and OSError."""
        return cls.parse(path.read_text("utf-8"), path.name)

    def play(self, peer: Peer, cut: Cut = whole) -> None:
        """Replay the server's side to a peer. Raises AssertionError if its answers differ."""
        tags = Tags()
        said = bytearray()
        for step in self.steps:
            if step.side == "S":
                for piece in cut(tags.fill(step.data)):
                    peer.receive(piece)
            elif step.side == "C":
                said += peer.take()
                end = said.find(b"\r\n") + 2 if step.data.endswith(b"\r\n") else len(step.data)
                came = bytes(said[:end] if end > 1 else said)
                self.check(step, came, tags)
                del said[: len(came)]
        said += peer.take()
        if said:
            raise AssertionError(f"{self.name}: the client also sent {bytes(said)!r}")

    def check(self, step: Step, came: bytes, tags: Tags) -> None:
        """Compare what the client sent with a step. Raises AssertionError if it differs."""
        if not tags.match(step.data, came):
            expected = tags.fill(step.data)
            where = f"{self.name}, line {step.number}"
            raise AssertionError(f"{where}: expected {expected!r}, the client sent {came!r}")


class Tags:
    """The tags that a client chose, by their names in the transcript."""

    def __init__(self) -> None:
        self._tags: dict[bytes, bytes] = {}

    def fill(self, data: bytes) -> bytes:
        """Replace the names of known tags in a line by the tags."""
        return _NAME.sub(lambda found: self._tags.get(found[1], found[0]), data)

    def match(self, expected: bytes, came: bytes) -> bool:
        """Return whether a line is as expected; a new tag name takes its value from the line."""
        name = _NAME.match(expected)
        if name is not None and name[1] not in self._tags and (tag := _TAG.match(came)):
            self._tags[name[1]] = tag[0]
        return self.fill(expected) == came


def _steps(text: str, name: str) -> Iterator[Step]:
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip() if line.lstrip().startswith("#") else line.removeprefix("    ")
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if line.strip() == "S.":
            yield Step(".", b"", number)
        elif found is None:
            raise InvalidArgument(f"{name}, line {number}: expected S: or C:, found {line!r}")
        else:
            data = _read_bytes(found[3]) if found[2] == "=" else found[3].encode() + b"\r\n"
            yield Step("S" if found[1] == "S" else "C", data, number)


def _read_bytes(text: str) -> bytes:
    value: object = ast.literal_eval(text)
    if not isinstance(value, bytes):
        raise InvalidArgument(f"expected a bytes literal, found {text!r}")
    return value


class ScriptServer:
    """A server that replays a transcript to one client: `with ScriptServer(t) as server:`.

    It runs in a thread. Leaving the block raises AssertionError if the client sent anything else,
    or disconnected early.
    """

    def __init__(self, transcript: Transcript, cut: Cut = whole) -> None:
        self._transcript = transcript
        self._cut = cut
        self._error: BaseException | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.host: str
        self.port: int
        self.host, self.port = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._run, name="imaplus.testing", daemon=True)

    def __enter__(self) -> ScriptServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(2 * PATIENCE)
        self._listener.close()
        if self._error is not None and error is None:
            raise AssertionError(f"{self._transcript.name}: {self._error}") from self._error

    def _run(self) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as incoming:
                connection.settimeout(PATIENCE)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._play(connection, incoming.readline, incoming.read)
        except (OSError, AssertionError) as error:
            self._error = error

    def _play(
        self,
        connection: socket.socket,
        read_line: Callable[[], bytes],
        read: Callable[[int], bytes],
    ) -> None:
        tags = Tags()
        last = max((step.number for step in self._transcript.steps if step.side == "C"), default=0)
        for step in self._transcript.steps:
            if step.side == ".":
                return
            if step.side == "S":
                try:
                    for piece in self._cut(tags.fill(step.data)):
                        connection.sendall(piece)
                except ConnectionError:
                    if step.number < last:
                        raise
                    return  # the client expects no more and may close the connection
            else:
                ends = step.data.endswith(b"\r\n")
                came = read_line() if ends else read(len(step.data))
                self._transcript.check(step, came, tags)
