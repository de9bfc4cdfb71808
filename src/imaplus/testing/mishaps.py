"""Mishaps: faults while a command is executed, at a message or in an answer.

The class methods of `Fault` make them. A mishap says what goes wrong, at which message or mailbox,
and how often; the `commands_*` modules apply it.
"""

from __future__ import annotations

from typing import Final, Literal

from imaplus.records import record
from imaplus.testing.content import Content, InMemory
from imaplus.testing.store import Message

HangUp = Literal["bye", "close", "stall", "no"]
"""Send BYE and close; close; send nothing more; or answer NO."""
ReportedSize = Literal["real", "own", "fitted"]
"""The RFC822.SIZE of a substituted message; see `Fault.substitute`."""
Missing = Literal["", "NIL", "item"]
"""How a body is omitted: not at all, as NIL, or without its item."""

MICROSOFT_365: Final = b"""\
From: Microsoft Exchange Server\r
To: ada@example.org\r
Subject: Retrieval using the IMAP4 protocol failed for the following message: 3\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset="iso-8859-1"\r
\r
The server couldn't retrieve the following message:\r
\r
Subject: "hello"\r
From: "Ann" ("ann@example.org")\r
\r
The message hasn't been deleted.\r
"""
"""What Microsoft 365 and Exchange send in place of a message that they cannot convert."""
COURIER: Final = b"""\
From: System Administrator <root@localhost>\r
Subject: message unavailable\r
\r
This message is no longer available on the server.\r
"""
"""What Courier sends in place of a message whose file it cannot open."""


@record(kw_only=True)
class Mishap:
    """The base class of mishaps: where and how often one happens."""

    mailbox: str | None = None
    """The mailbox where it happens; None for any."""
    uid: int | None = None
    """The UID of the message where it happens; None for any."""
    times: int | None = None
    """How often it happens, counted over all connections; None for always."""
    spared: int = 0
    """How many occasions to skip first, counted over all connections."""

    def concerns(self, mailbox: str | None, uid: int | None) -> bool:
        """Return whether it happens in this mailbox, at this message."""
        return self.mailbox in (None, mailbox) and self.uid in (None, uid)


@record(kw_only=True)
class AtMessage(Mishap):
    """The server hangs up, or answers NO, when a FETCH reaches a message."""

    how: HangUp = "bye"
    text: str = ""
    items: Literal["body", "any"] = "body"
    """Which FETCHes: those of bytes of the message, or all whose set includes the message."""
    after: int = 0
    """Number of bytes of the message's response to send first."""


@record(kw_only=True)
class OtherBody(Mishap):
    """Another message, or no bytes, are sent in place of a message."""

    data: bytes = b""
    size: ReportedSize = "own"
    missing: Missing = ""

    def show(self, message: Message) -> Shown:
        """Return the message as FETCH shows it."""
        data = self.data
        if self.size == "fitted":
            data = _fit(data, message.size)
        size = message.size if self.missing or self.size != "own" else len(data)
        return _make_shown(message, InMemory(data), size, missing=self.missing)


@record(kw_only=True)
class ShiftedPartials(Mishap):
    """`BODY[]<o.n>` gives other bytes than those at `o`, except at 0."""

    by: int = 1

    def show(self, message: Message) -> Shown:
        """Return the message as FETCH shows it."""
        return _make_shown(message, message.content, message.size, shift=self.by)


@record(kw_only=True)
class ShortSearch(Mishap):
    """SEARCH returns only the first results."""

    first: int


@record(kw_only=True)
class ShortFetch(Mishap):
    """FETCH answers only for the first messages of its set."""

    first: int


@record(kw_only=True)
class HiddenMailboxes(Mishap):
    """LIST and LSUB omit some mailboxes, or all."""

    names: frozenset[str] | None = None
    """None for all of them."""

    def hides(self, name: str) -> bool:
        """Return whether the answer omits the mailbox."""
        return self.names is None or name in self.names


@record(kw_only=True)
class OtherStatus(Mishap):
    """STATUS reports other numbers than SELECT."""

    numbers: tuple[tuple[str, int], ...] = ()


@record(kw_only=True)
class MessageLimit(Mishap):
    """A command processes at most `limit` messages (RFC 9738)."""

    limit: int
    untagged: bool = False
    """Whether the code is in an untagged NO instead of the tagged response."""


@record(kw_only=True)
class RefusedLogin(Mishap):
    """LOGIN and AUTHENTICATE are refused although the password is right."""

    text: str
    most: int = 0
    """Maximum number of simultaneous sessions."""


@record(frozen=False, eq=False)
class Shown(Message):
    """A message as changed by a mishap."""

    reported_size: int
    missing: Missing = ""
    shift: int = 0
    """How many bytes partial fetches are off."""

    @property
    def size(self) -> int:
        return self.reported_size


def _make_shown(
    message: Message, content: Content, size: int, *, missing: Missing = "", shift: int = 0
) -> Shown:
    return Shown(
        message.uid,
        content,
        message.flags,
        message.internaldate,
        message.modseq,
        message.identity,
        reported_size=size,
        missing=missing,
        shift=shift,
    )


def _fit(data: bytes, size: int) -> bytes:
    """Truncate `data`, or pad it with lines of spaces, to `size` bytes."""
    if len(data) >= size:
        return data[:size]
    lines, rest = divmod(size - len(data), 78)
    return data + (b" " * 76 + b"\r\n") * lines + b" " * rest
