"""What can go wrong, on purpose: a connection cut, stalled, slowed, or a command refused.

A `Fault` says what happens to one connection, counted in octets of IMAP (TLS and compression
apart) or in commands. Faults combine: `Fault.slow(10, 0.01) | Fault.cut_after_sent(500)`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from imaplus.records import names_of, record
from imaplus.testing.streams import Stream

NEVER: Final = 1 << 63


@record(kw_only=True)
class Refusal:
    """The answer to a command instead of carrying it out: by name, by number, or both."""

    status: str
    text: str
    command: str | None = None
    """The command's name, `UID FETCH` for one; None for any."""
    nth: int | None = None
    """Which one of those the refusal can meet, counted from 1; None for every one."""


@record(kw_only=True)
class Fault:
    """What happens to one connection. Without arguments: nothing."""

    sent: int = NEVER
    """The connection is cut when exactly so many octets have been sent."""
    received: int = NEVER
    """The connection is cut when so many octets have been received, before they are looked at."""
    stall: int = NEVER
    """After so many octets sent nothing more is, and the connection stays open."""
    piece: int = NEVER
    """Octets of one write: with `delay`, a slow connection."""
    delay: float = 0.0
    """Seconds between two writes."""
    bye_at: int = NEVER
    """The command of this number, counted from 1, is answered with BYE and a closed connection."""
    bye_text: str = "Server is shutting down"
    greeting: bytes | None = None
    """Sent as it is, instead of the greeting."""
    injected: bytes = b""
    """Sent in clear behind the OK of STARTTLS, in the same write: what an attacker would add."""
    refusals: tuple[Refusal, ...] = ()

    @classmethod
    def cut_after_sent(cls, octets: int) -> Fault:
        """Cut the connection when exactly so many octets have been sent."""
        return cls(sent=octets)

    @classmethod
    def cut_after_received(cls, octets: int) -> Fault:
        """Cut the connection when so many octets have been received; those are acted upon."""
        return cls(received=octets)

    @classmethod
    def stall_after_sent(cls, octets: int) -> Fault:
        """Send so many octets, then nothing, with the connection left open."""
        return cls(stall=octets)

    @classmethod
    def slow(cls, octets: int, seconds: float) -> Fault:
        """Send so many octets at a time, with a pause after each."""
        return cls(piece=octets, delay=seconds)

    @classmethod
    def bye(cls, nth: int, text: str = "Server is shutting down") -> Fault:
        """Answer the nth command with BYE, and close."""
        return cls(bye_at=nth, bye_text=text)

    @classmethod
    def refuse(
        cls,
        command: str | None = None,
        *,
        nth: int | None = None,
        status: str = "NO",
        text: str = "[UNAVAILABLE] Not now",
    ) -> Fault:
        """Answer a command with NO or BAD; see `Refusal`."""
        name = command.upper() if command else None
        return cls(refusals=(Refusal(status=status, text=text, command=name, nth=nth),))

    @classmethod
    def fail_login(cls, text: str = "[AUTHENTICATIONFAILED] Authentication failed") -> Fault:
        """Refuse LOGIN and AUTHENTICATE, whatever the password."""
        return cls.refuse("LOGIN", text=text) | cls.refuse("AUTHENTICATE", text=text)

    @classmethod
    def greet(cls, line: bytes) -> Fault:
        """Send this line, CRLF included, instead of the greeting."""
        return cls(greeting=line)

    @classmethod
    def inject(cls, data: bytes) -> Fault:
        """Send these octets in clear behind the OK of STARTTLS."""
        return cls(injected=data)

    def __or__(self, other: Fault) -> Fault:
        """Both: refusals add up; of anything else the other's counts where it says something."""
        nothing = Fault()
        merged = {
            name: getattr(other, name)
            if getattr(other, name) != getattr(nothing, name)
            else getattr(self, name)
            for name in names_of(Fault)
        }
        merged["refusals"] = self.refusals + other.refusals
        return Fault(**merged)


class Cut(ConnectionError):
    """The fault has cut the connection."""


class Faulty:
    """A stream that fails as its fault says. `inner` is what TLS and DEFLATE replace."""

    def __init__(self, inner: Stream, fault: Fault) -> None:
        self.inner = inner
        self.fault = fault
        self.sent: int = 0
        self.received: int = 0

    async def read(self) -> bytes:
        left = self.fault.received - self.received
        data = await self.inner.read() if left > 0 else b""
        data = data[:left]
        self.received += len(data)
        if not data:
            await self.inner.close(politely=False)
        return data

    async def write(self, data: bytes) -> None:
        if not data:
            return
        view = memoryview(data)
        while view:
            room = min(self.fault.sent, self.fault.stall) - self.sent
            piece = bytes(view[: max(0, min(len(view), self.fault.piece, room))])
            view = view[len(piece) :]
            if piece:
                await self.inner.write(piece)
                self.sent += len(piece)
            if self.sent >= self.fault.sent:
                await self.inner.close(politely=False)
                raise Cut
            if self.sent >= self.fault.stall:
                await self._stall()
            if self.fault.delay:
                await asyncio.sleep(self.fault.delay)

    async def _stall(self) -> None:
        """Say nothing more until the peer has gone."""
        while await self.inner.read():
            pass
        raise Cut

    async def close(self, *, politely: bool = True) -> None:
        await self.inner.close(politely=politely)
