"""One connection: commands come in, responses go out, in the order of RFC 9051, 3 and 7.

It reads a command, finds its function in the registry, and tells what changed in the selected
mailbox when that is allowed. What each command does stands in the `commands_*` modules.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from imaplus.errors import ImapError, InvalidArgument, ProtocolError
from imaplus.testing.command_log import CommandLog
from imaplus.testing.faults import Fault, Refusal
from imaplus.testing.faulty import Faulty
from imaplus.testing.incoming import LITERAL_MINUS, Incoming, LiteralRefused, LiteralRules
from imaplus.testing.mishaps import MessageLimit, Mishap, RefusedLogin
from imaplus.testing.outgoing import Outgoing
from imaplus.testing.personality import Personality, Quirk
from imaplus.testing.registry import COMMANDS, Bad, Handler, No, Ok, State
from imaplus.testing.replies import flag_list, parens
from imaplus.testing.store import Account, Message
from imaplus.testing.streams import Replay, Stream, Tls
from imaplus.testing.view import Numbered, View
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import Frame
from imaplus.wire.set_reading import read_sequence_set
from imaplus.wire.sets import SequenceSet

if TYPE_CHECKING:
    from collections import deque

    from imaplus.testing.server import Hub

M = TypeVar("M", bound=Mishap)
_NAME: Final = re.compile(rb"(?:UID )?[A-Za-z0-9.-]+", re.IGNORECASE)
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+\x7f-\xff]+')


class Session:
    """The server's side of one connection."""

    def __init__(
        self,
        stream: Stream,
        hub: Hub,
        *,
        fault: Fault,
        secure: bool,
        context: ssl.SSLContext | None,
        certificate_user: str | None = None,
    ) -> None:
        self.hub = hub
        self.personality: Personality = hub.personality
        self.fault: Fault = fault
        self.secure: bool = secure
        self.context = context  # for STARTTLS; None where it is not to be had
        self.certificate_user = certificate_user
        self.bindings: dict[str, bytes] = stream.bindings() if isinstance(stream, Tls) else {}
        """What a login can be bound to on this connection, by its type (RFC 5929)."""
        self.stream: Faulty = Faulty(stream, fault)
        self.out: Outgoing = Outgoing(self.stream, hub.personality)
        self.incoming: Incoming = Incoming(
            self.stream, self.out.continuation, self._literal_rules()
        )
        self.state: State = State.NOT_AUTHENTICATED
        self.account: Account | None = None
        self.view: View | None = None
        self.enabled: set[str] = set()
        self.identified = False  # the client has sent ID
        self.locked_out = False  # the password was wrong, and nobody said so (quirk 26)
        self.compressed = False
        self.last_word: str | None = None  # said when the server ends the session
        self.news_held: bool = False  # until the client asks by NOOP (quirk 55)
        self.tag: bytes = b""
        self.log: CommandLog = CommandLog()
        self.changed: asyncio.Event = asyncio.Event()
        self._refusable = [0] * len(fault.refusals)

    @property
    def commands(self) -> deque[str]:
        """The command lines so far, with their tags; see `CommandLog`."""
        return self.log.lines

    # -- what the personality can -------------------------------------------------------------

    def _literal_rules(self) -> LiteralRules:
        largest = self.personality.largest_message
        if self.can("LITERAL+"):
            return LiteralRules(eager=largest, largest=largest)
        return LiteralRules(eager=LITERAL_MINUS if self.can("LITERAL-") else 0, largest=largest)

    def can(self, *names: str) -> bool:
        """Whether the personality has one of these capabilities."""
        return not self.personality.capabilities.isdisjoint(names)

    def has(self, quirk: Quirk) -> bool:
        """Whether the personality, or the connection's fault, has this habit."""
        return quirk in self.personality.quirks or quirk in self.fault.quirks

    @property
    def tells_uids(self) -> bool:
        """Whether APPENDUID and COPYUID are said (RFC 4315, 3)."""
        lost = self.has(Quirk.NO_UIDVALIDITY) or self.has(Quirk.UIDNOTSTICKY)
        return self.can("UIDPLUS", "IMAP4rev2") and not lost

    @property
    def rev2(self) -> bool:
        """Whether the client speaks IMAP4rev2: it enabled it, or there is nothing else."""
        return "IMAP4REV2" in self.enabled or not self.can("IMAP4", "IMAP4rev1")

    @property
    def utf8(self) -> bool:
        """Whether quoted strings and mailbox names are UTF-8."""
        return self.rev2 or "UTF8=ACCEPT" in self.enabled

    @property
    def condstore(self) -> bool:
        return "CONDSTORE" in self.enabled or self.qresync

    @property
    def qresync(self) -> bool:
        return "QRESYNC" in self.enabled

    @property
    def login_disabled(self) -> bool:
        return self.hub.require_tls and not self.secure

    @property
    def offers_plus(self) -> bool:
        """Whether a login can be bound to this connection."""
        names = self.personality.capabilities
        return bool(self.bindings) and any(name.endswith("-PLUS") for name in names)

    def capabilities(self) -> list[str]:
        """What to advertise now, in a fixed order, IMAP4rev1 first."""
        names = set(self.personality.capabilities)
        if self.secure or self.context is None or self.account is not None:
            names.discard("STARTTLS")
        if self.account is not None or self.login_disabled:
            names = {name for name in names if not name.startswith("AUTH=")}
        if self.login_disabled and self.account is None:
            names.add("LOGINDISABLED")
        if not self.bindings:
            names = {name for name in names if not name.endswith("-PLUS")}
        if self.compressed:
            names.discard("COMPRESS=DEFLATE")
        mishaps = (each for each in self.fault.mishaps if isinstance(each, MessageLimit))
        names |= {f"MESSAGELIMIT={each.limit}" for each in mishaps}
        return sorted(names, key=lambda name: (not name.startswith("IMAP4"), name))

    def user(self) -> Account:
        """The account of a session that is logged in."""
        assert self.account is not None
        return self.account

    def selected(self) -> View:
        """The view of a session that has a mailbox selected."""
        assert self.view is not None
        return self.view

    # -- what is to go wrong --------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> None:
        """Let this happen to the connection from now on, beside what it meets already."""
        self._refusable += [0] * len(fault.refusals)
        self.fault = self.stream.fault = self.fault | fault

    def meets(
        self,
        kind: type[M],
        mailbox: str | None = None,
        uid: int | None = None,
        *,
        when: Callable[[M], bool] = lambda mishap: True,
        counts: bool = True,
    ) -> M | None:
        """The mishap of this kind that happens now, and here; if it `counts`, as one time."""
        for mishap in self.fault.mishaps:
            if not (isinstance(mishap, kind) and mishap.concerns(mailbox, uid) and when(mishap)):
                continue
            if self.hub.may_happen(mishap, counts=counts):
                return mishap
        return None

    # -- news of the selected mailbox -----------------------------------------------------------

    def tell(self, *, expunges: bool) -> None:
        """Say what has changed in the selected mailbox since it was last said."""
        view = self.view
        if view is None:
            return
        if view.gone:
            self.view = None
            self.out.say(b"BYE Selected mailbox was deleted, have to disconnect.")
            self.state = State.LOGOUT
            return
        if expunges:
            self._tell_expunged(*view.take_expunged())
        if view.take_new():
            self.out.say(b"%d EXISTS" % len(view.uids))
            if not self.rev2:
                self.out.say(b"%d RECENT" % view.recent)
        for seq, message in view.take_changed():
            self.out.say(self.flags_response(seq, message))

    def _tell_expunged(self, seqs: list[int], uids: list[int]) -> None:
        if uids and self.qresync:
            self.out.say(b"VANISHED " + bytes(SequenceSet.of(uids)))
        else:
            for seq in seqs:
                self.out.say(b"%d EXPUNGE" % seq)

    def flags_response(self, seq: int, message: Message, *, uid: bool = False) -> bytes:
        """A FETCH response that tells the flags of a message."""
        items = [b"UID %d" % message.uid] if uid or self.qresync else []
        items.append(b"FLAGS " + self.flags(message))
        if self.condstore:
            items.append(b"MODSEQ (%d)" % message.modseq)
        return b"%d FETCH %b" % (seq, parens(items))

    def flags(self, message: Message) -> bytes:
        """flag-list of a message, with `\\Recent` where that still exists."""
        if self.rev2 or self.view is None or not self.view.is_recent(message.uid):
            return flag_list(message.flags)
        return flag_list(message.flags | {"\\Recent"})

    def wake(self) -> None:
        """Something has changed: IDLE looks."""
        self.changed.set()

    def leave_mailbox(self) -> None:
        """No mailbox is selected any longer."""
        if self.view is not None:
            self.view.close()
            self.view = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    # -- sets -----------------------------------------------------------------------------------

    def sequence_set(self, c: Cursor) -> SequenceSet | None:
        """A set of the client's; None for `$`, the saved result (RFC 5182)."""
        if self.can("SEARCHRES", "IMAP4rev2") and c.accept(b"$"):
            return None
        start = c.pos
        numbers = read_sequence_set(c)
        if self.has(Quirk.NO_DESCENDING_SETS):
            for item in c.text[start : c.pos].split(b","):
                low, colon, high = item.partition(b":")
                if colon and high != b"*" and (low == b"*" or int(low) > int(high)):
                    raise Bad("Invalid sequence set")
        return numbers

    def messages(self, numbers: SequenceSet | None, *, by_uid: bool) -> tuple[list[Numbered], bool]:
        """The messages of a set, and whether all of it still exists."""
        view = self.selected()
        try:
            if numbers is None:
                return view.resolve(view.saved, by_uid=True)
            return view.resolve(numbers, by_uid=by_uid)
        except InvalidArgument as error:
            raise Bad(f"Invalid message number: {error}") from error

    # -- the dialogue ---------------------------------------------------------------------------

    async def run(self, *, account: Account | None = None) -> None:
        """Greet (as PREAUTH, if there is an account already) and serve until the end."""
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
                self.state = State.LOGOUT
                return
        code = f" [CAPABILITY {' '.join(self.capabilities())}]" if not self.can("IMAP4") else ""
        if self.fault.greeting is not None:
            await self.stream.write(self.fault.greeting)
        else:
            self.out.say(f"{status}{code} {self.personality.greeting}".rstrip().encode())

    def log_in(self, account: Account) -> None:
        """The client is who it says it is. Raises No, if a fault refuses it."""
        present = self.hub.present
        if refused := self.meets(RefusedLogin, when=lambda mishap: present >= mishap.most):
            raise No(refused.text)
        self.hub.present += 1
        self.account = account
        self.state = State.AUTHENTICATED

    def log_out(self) -> None:
        """The client is nobody any more."""
        self.leave_mailbox()
        if self.account is not None:
            self.hub.present -= 1
            self.account = None

    async def _serve(self, frame: Frame) -> None:
        self.log.add(frame)
        c = Cursor(frame, utf8=self.utf8)
        match = c.accept_match(_TAG)
        self.tag = match[0] if match else b"*"
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
        if handler and self.state is State.SELECTED and self._may_tell(name):
            self.tell(expunges=not handler.hides_expunges)
        if self.tag:
            self.out.finish(self.tag, status, code, text)

    def _may_tell(self, name: str) -> bool:
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
        """TLS from here on. What the client sent before it is forgotten."""
        assert self.context is not None
        self.incoming.forget()
        layer = Tls(self.stream.inner, self.context)
        await layer.handshake()
        self.stream.inner = layer
        self.secure = True
        self.certificate_user = layer.peer_name()
        self.bindings = layer.bindings()

    def start_layer(self, layer: Callable[[Stream], Stream]) -> None:
        """Compression from here on. What the client sent before it had to wait is in it."""
        self.stream.inner = layer(Replay(self.stream.inner, self.incoming.forget()))


def end(c: Cursor) -> None:
    """Insist that the command ends here."""
    if not c.at_end():
        raise Bad(f"Unexpected argument: {c.rest()[:40]!a}")


def _bad_text(frame: Frame, *, utf8: bool) -> bool:
    """Octets that no command line may have: NUL, and 8-bit ones before UTF-8 is enabled."""
    return b"\0" in frame.text or not (utf8 or frame.text.isascii())
