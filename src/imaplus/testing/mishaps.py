"""Mishaps: what goes wrong while a command is carried out, at a message or in an answer.

A `Fault` holds any number of them; its class methods make them. A mishap says what happens, to
which message or mailbox, and how often; the `commands_*` modules ask for it and act.
"""

from __future__ import annotations

from typing import Final, Literal

from imaplus.records import record
from imaplus.testing.content import Content, InMemory
from imaplus.testing.store import Message

HangUp = Literal["bye", "close", "stall", "no"]
"""BYE and a closed connection; a closed one; silence; or a tagged NO instead of the rest."""
ToldSize = Literal["real", "own", "fitted"]
"""What RFC822.SIZE says of another body: see `Fault.substitute`."""
Missing = Literal["", "NIL", "item"]
"""How a body is left out: not at all, as NIL, or without its item."""

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
"""What Microsoft 365 and Exchange send in the place of a message that they cannot convert."""
COURIER: Final = b"""\
From: System Administrator <root@localhost>\r
Subject: message unavailable\r
\r
This message is no longer available on the server.\r
"""
"""What Courier sends in the place of a message whose file it cannot open."""


@record(kw_only=True)
class Mishap:
    """What all of them have."""

    mailbox: str | None = None
    """The mailbox that it happens in; None for any."""
    uid: int | None = None
    """The message that it happens at; None for any."""
    times: int | None = None
    """How often it happens, over all connections; None for always."""
    spared: int = 0
    """How often it does not happen first, over all connections."""

    def concerns(self, mailbox: str | None, uid: int | None) -> bool:
        """Whether it happens in this mailbox, at this message."""
        return self.mailbox in (None, mailbox) and self.uid in (None, uid)


@record(kw_only=True)
class AtMessage(Mishap):
    """The server hangs up, or refuses, when it comes to a message in a FETCH."""

    how: HangUp = "bye"
    text: str = ""
    items: Literal["body", "any"] = "body"
    """Which FETCHes: those of octets of the message, or all whose set has the message in it."""
    after: int = 0
    """Octets of the message's own response that are sent before it happens."""


@record(kw_only=True)
class OtherBody(Mishap):
    """Other octets, or none, are sent in a message's place."""

    data: bytes = b""
    size: ToldSize = "own"
    missing: Missing = ""

    def shown(self, message: Message) -> Shown:
        """The message as FETCH shows it."""
        data = self.data
        if self.size == "fitted":
            data = _fitted(data, message.size)
        told = message.size if self.missing or self.size != "own" else len(data)
        return _shown(message, InMemory(data), told, missing=self.missing)


@record(kw_only=True)
class ShiftedPartials(Mishap):
    """`BODY[]<o.n>` gives other octets than those at `o`, except at 0."""

    by: int = 1

    def shown(self, message: Message) -> Shown:
        """The message as FETCH shows it."""
        return _shown(message, message.content, message.size, shift=self.by)


@record(kw_only=True)
class ShortSearch(Mishap):
    """SEARCH tells only the first results."""

    first: int


@record(kw_only=True)
class ShortFetch(Mishap):
    """FETCH answers only for the first messages of its set."""

    first: int


@record(kw_only=True)
class HiddenMailboxes(Mishap):
    """LIST and LSUB do not name some mailboxes, or none at all."""

    names: frozenset[str] | None = None
    """None for all of them."""

    def hides(self, name: str) -> bool:
        """Whether the answer leaves the mailbox out."""
        return self.names is None or name in self.names


@record(kw_only=True)
class OtherStatus(Mishap):
    """STATUS tells other numbers than SELECT."""

    numbers: tuple[tuple[str, int], ...] = ()


@record(kw_only=True)
class MessageLimit(Mishap):
    """A command works on so many messages at most (RFC 9738)."""

    limit: int
    untagged: bool = False
    """Whether that is said before the tagged response, and not in it."""


@record(kw_only=True)
class RefusedLogin(Mishap):
    """LOGIN and AUTHENTICATE are refused, though the password is right."""

    text: str
    most: int = 0
    """Sessions that may be logged in at once."""


@record(frozen=False, eq=False)
class Shown(Message):
    """A message as a mishap shows it."""

    told_size: int
    missing: Missing = ""
    shift: int = 0
    """How far a partial is off."""

    @property
    def size(self) -> int:
        return self.told_size


def _shown(
    message: Message, content: Content, told: int, *, missing: Missing = "", shift: int = 0
) -> Shown:
    return Shown(
        message.uid,
        content,
        message.flags,
        message.internaldate,
        message.modseq,
        message.identity,
        told_size=told,
        missing=missing,
        shift=shift,
    )


def _fitted(data: bytes, size: int) -> bytes:
    """The text cut, or lengthened by lines of spaces, to so many octets."""
    if len(data) >= size:
        return data[:size]
    lines, rest = divmod(size - len(data), 78)
    return data + (b" " * 76 + b"\r\n") * lines + b" " * rest
