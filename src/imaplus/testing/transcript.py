"""Dialogues as text, played to a client or a state machine: what each side says, line by line.

    # what this one shows
    S: * OK ready
    C: $1 NOOP
    S: * 3 EXISTS
    S: $1 OK done
    S.

`$1` at the start of a client's line stands for the tag it chose, wherever it comes again. `S=` and
`C=` take a Python bytes literal, without a line end added. `S.` closes the connection. Of IMAP
only tags are known here.
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
"""Divides what the server says into the pieces in which it arrives."""

_LINE: Final = re.compile(r"([SC])([:=]) ?(.*)")
_NAME: Final = re.compile(rb"\$(\w+)")
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+]+')
PATIENCE: Final = 10.0
"""Seconds that a scripted server waits for the client."""


def whole(data: bytes) -> Iterator[bytes]:
    """All at once."""
    yield data


def octets(data: bytes) -> Iterator[bytes]:
    """One octet at a time."""
    return (data[at : at + 1] for at in range(len(data)))


def randomly(seed: int) -> Cut:
    """Pieces of one to forty octets, the same for the same seed."""
    dice = random.Random(seed)

    def cut(data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = dice.randint(1, 40)
            yield data[at : at + size]
            at += size

    return cut


class Step(NamedTuple):
    """One line of a script. `side` is "." where the server closes the connection."""

    side: Literal["S", "C", "."]
    data: bytes
    number: int
    """Of the line in the script."""


class Peer(Protocol):
    """What a transcript is played to without a socket: a state machine and whoever drives it."""

    def receive(self, data: bytes) -> None:
        """Octets from the server."""

    def take(self) -> bytes:
        """Octets for the server, each given once."""
        ...


@record
class Transcript:
    """A dialogue."""

    steps: tuple[Step, ...]
    name: str = "transcript"

    @classmethod
    def parse(cls, text: str, name: str = "transcript") -> Transcript:
        """Read a script. Raises InvalidArgument, naming the line."""
        return cls(tuple(_steps(text, name)), name)

    @classmethod
    def load(cls, path: Path) -> Transcript:
        """Read a script from a file in UTF-8."""
        return cls.parse(path.read_text("utf-8"), path.name)

    def play(self, peer: Peer, cut: Cut = whole) -> None:
        """Say the server's part to a peer. Raises AssertionError where it says something else."""
        tags = Tags()
        said = bytearray()
        for step in self.steps:
            if step.side == "S":
                for piece in cut(tags.filled(step.data)):
                    peer.receive(piece)
            elif step.side == "C":
                said += peer.take()
                end = said.find(b"\r\n") + 2 if step.data.endswith(b"\r\n") else len(step.data)
                came = bytes(said[:end] if end > 1 else said)
                self.check(step, came, tags)
                del said[: len(came)]
        said += peer.take()
        if said:
            raise AssertionError(f"{self.name}: the client also said {bytes(said)!r}")

    def check(self, step: Step, came: bytes, tags: Tags) -> None:
        """Insist that the client said what it should have."""
        if not tags.match(step.data, came):
            expected = tags.filled(step.data)
            where = f"{self.name}, line {step.number}"
            raise AssertionError(f"{where}: expected {expected!r}, the client said {came!r}")


class Tags:
    """The tags that a client chose, by the names they have in the script."""

    def __init__(self) -> None:
        self._tags: dict[bytes, bytes] = {}

    def filled(self, data: bytes) -> bytes:
        """The line with the tags that are known."""
        return _NAME.sub(lambda found: self._tags.get(found[1], found[0]), data)

    def match(self, expected: bytes, came: bytes) -> bool:
        """Whether a line is as expected; a tag that is new is taken from it."""
        name = _NAME.match(expected)
        if name is not None and name[1] not in self._tags and (tag := _TAG.match(came)):
            self._tags[name[1]] = tag[0]
        return self.filled(expected) == came


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
            data = _octets(found[3]) if found[2] == "=" else found[3].encode() + b"\r\n"
            yield Step("S" if found[1] == "S" else "C", data, number)


def _octets(text: str) -> bytes:
    value: object = ast.literal_eval(text)
    if not isinstance(value, bytes):
        raise InvalidArgument(f"expected a bytes literal, found {text!r}")
    return value


class ScriptServer:
    """Plays a transcript to one real client, from a thread: `with ScriptServer(t) as server:`.

    Leaving the block raises AssertionError if the client said anything else, or left early.
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
                    for piece in self._cut(tags.filled(step.data)):
                        connection.sendall(piece)
                except ConnectionError:
                    if step.number < last:
                        raise
                    return  # it need not hear us out
            else:
                ends = step.data.endswith(b"\r\n")
                came = read_line() if ends else read(len(step.data))
                self._transcript.check(step, came, tags)
