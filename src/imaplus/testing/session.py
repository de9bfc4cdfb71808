"""One connection: read commands, call their functions, send responses (RFC 9051, 3 and 7).

The functions of the commands are in the `commands_*` modules, the state that they use in
`session_state`. Changes of the selected mailbox are reported after a command that allows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from imaplus.errors import ImapError, ProtocolError
from imaplus.testing.faults import Refusal
from imaplus.testing.incoming import LiteralRefused
from imaplus.testing.mishaps import Mishap, RefusedLogin
from imaplus.testing.personality import Quirk
from imaplus.testing.registry import COMMANDS, Bad, Handler, No, Ok, State
from imaplus.testing.session_state import SessionState
from imaplus.testing.store import Account
from imaplus.testing.streams import Replay, Stream, Tls
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame

if TYPE_CHECKING:
    pass

M = TypeVar("M", bound=Mishap)
_NAME: Final = re.compile(rb"(?:UID )?[A-Za-z0-9.-]+", re.IGNORECASE)
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+\x7f-\xff]+')


class Session(SessionState):
    """The server side of one connection: the dialogue."""

    # -- the dialogue ---------------------------------------------------------------------------

    async def run(self, *, account: Account | None = None) -> None:
        """Greet (with PREAUTH, if an account is given) and serve until the connection ends."""
        try:
            await self._greet(account)
            while self.state is not State.LOGOUT:
                await self.out.flush()
                try:
                    frame = await self.incoming.command()
                except LiteralRefused as refused:
                    self.tag = refused.tag
                    self.out.finish(self.tag, refused.status, "", str(refused))
                    continue
                if frame is None:
                    break
                await self._serve(frame)
            await self.out.flush()
        except ProtocolError as error:
            with contextlib.suppress(OSError):
                await self.stream.write(f"* BYE {error}\r\n".encode())
        except OSError:
            pass  # the peer, or a fault, has cut the connection
        except asyncio.CancelledError:
            if self.last_word is not None:
                with contextlib.suppress(OSError):
                    await self.stream.write(f"* BYE {self.last_word}\r\n".encode())
            raise
        finally:
            self.log_out()
            with contextlib.suppress(OSError):
                await self.stream.close()

    async def _greet(self, account: Account | None) -> None:
        status = "OK" if account is None else "PREAUTH"
        if account is not None:
            try:
                self.log_in(account)
            except No as refused:
                self.out.say(f"BYE {refused}".encode())
                self.state: State = State.LOGOUT
                return
        code = f" [CAPABILITY {' '.join(self.capabilities())}]" if not self.can("IMAP4") else ""
        if self.fault.greeting is not None:
            await self.stream.write(self.fault.greeting)
        else:
            self.out.say(f"{status}{code} {self.personality.greeting}".rstrip().encode())

    def log_in(self, account: Account) -> None:
        """Enter the authenticated state. Raises No if a fault refuses the login."""
        present = self.hub.present
        if refused := self.find_mishap(RefusedLogin, when=lambda mishap: present >= mishap.most):
            raise No(refused.text)
        self.hub.present += 1
        self.account = account
        self.state = State.AUTHENTICATED

    def log_out(self) -> None:
        """Leave the authenticated state."""
        self.leave_mailbox()
        if self.account is not None:
            self.hub.present -= 1
            self.account = None

    async def _serve(self, frame: Frame) -> None:
        self.log.add(frame)
        c = Cursor(frame, utf8=self.utf8)
        match = c.accept_match(_TAG)
        self.tag: bytes = match[0] if match else b"*"
        if match is None or not c.accept(b" "):
            self.out.finish(self.tag, "BAD", "", "Expected a tag and a command")
            return
        if len(frame.text) > self.personality.longest_line or _bad_text(frame, utf8=self.utf8):
            self.out.finish(self.tag, "BAD", "", "Command line too long or malformed")
            return
        name, handler = self._find(c)
        if self.log.count >= self.fault.bye_at:
            self.out.say(f"BYE {self.fault.bye_text}".encode())
            self.state = State.LOGOUT
        elif refusal := self._refusal(name):
            self.out.finish(self.tag, refusal.status, "", refusal.text)
        else:
            await self._carry_out(name, handler, c)

    def _find(self, c: Cursor) -> tuple[str, Handler | None]:
        word = c.accept_match(_NAME)
        name = word[0].decode().upper() if word else ""
        handler = COMMANDS.get(name)
        if handler and handler.requires and not self.can(*handler.requires):
            handler = None
        return name, handler

    async def _carry_out(self, name: str, handler: Handler | None, c: Cursor) -> None:
        try:
            self._check(name, handler)
            assert handler is not None
            done = await handler.run(self, c) or Ok()
            status, code, text = "OK", done.code, done.text or f"{name} completed"
        except No as no:
            status, code, text = "NO", no.code, str(no)
        except Bad as bad:
            status, code, text = "BAD", bad.code, str(bad)
        except ImapError as error:
            status, code, text = "BAD", "CLIENTBUG" if self.rev2 else "", str(error)
        if handler and self.state is State.SELECTED and self._may_report(name):
            self.report_changes(expunges=not handler.hides_expunges)
        if self.tag:
            self.out.finish(self.tag, status, code, text)

    def _may_report(self, name: str) -> bool:
        if name in ("NOOP", "CHECK", "IDLE"):
            self.news_held = False
        elif self.news_held or self.has(Quirk.ONLY_NOOP_TELLS):
            return "EXPUNGE" in name or "MOVE" in name
        return True

    def _check(self, name: str, handler: Handler | None) -> None:
        if handler is None:
            raise Bad(f"Unknown command {name[:40]!a}")
        if self.state not in handler.states:
            raise Bad(f"{name} is not possible in state {self.state.name}")
        if self.locked_out and name != "LOGOUT":
            raise Bad("User is authenticated but not connected.")

    def _refusal(self, name: str) -> Refusal | None:
        for index, refusal in enumerate(self.fault.refusals):
            if refusal.command in (None, name):
                self._refusable[index] += 1
                if refusal.nth in (None, self._refusable[index]):
                    return refusal
        return None

    async def start_tls(self) -> None:
        """Start TLS; input received before it is discarded."""
        assert self.context is not None
        self.incoming.take_rest()
        layer = Tls(self.stream.inner, self.context)
        await layer.handshake()
        self.stream.inner = layer
        self.secure = True
        self.certificate_user: str | None = layer.peer_name()
        self.bindings: dict[str, bytes] = layer.bindings()

    def start_layer(self, layer: Callable[[Stream], Stream]) -> None:
        """Start a layer such as compression; input already received is part of it."""
        self.stream.inner = layer(Replay(self.stream.inner, self.incoming.take_rest()))


def end(c: Cursor) -> None:
    """Raise Bad unless the command ends here."""
    if not c.at_end():
        raise Bad(f"Unexpected argument: {c.rest()[:40]!a}")


def _bad_text(frame: Frame, *, utf8: bool) -> bool:
    """Return whether a command line has NUL, or 8-bit bytes before UTF-8 is enabled."""
    return b"\0" in frame.text or not (utf8 or frame.text.isascii())
