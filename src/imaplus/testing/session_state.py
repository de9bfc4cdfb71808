"""The state of one connection: capabilities, faults, the selected mailbox and its changes."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from imaplus.errors import InvalidArgument
from imaplus.testing.command_log import CommandLog
from imaplus.testing.faults import Fault
from imaplus.testing.faulty import Faulty
from imaplus.testing.incoming import LITERAL_MINUS, Incoming, LiteralRules
from imaplus.testing.mishaps import MessageLimit, Mishap
from imaplus.testing.outgoing import Outgoing
from imaplus.testing.personality import Personality, Quirk
from imaplus.testing.registry import Bad, State
from imaplus.testing.replies import flag_list, parens
from imaplus.testing.store import Account, Message
from imaplus.testing.streams import Stream, Tls
from imaplus.testing.view import Numbered, View
from imaplus.wire.cursor import Cursor
from imaplus.wire.set_reading import read_sequence_set
from imaplus.wire.sets import SequenceSet

if TYPE_CHECKING:
    from collections import deque

    from imaplus.testing.server import Hub

M = TypeVar("M", bound=Mishap)
_NAME: Final = re.compile(rb"(?:UID )?[A-Za-z0-9.-]+", re.IGNORECASE)
_TAG: Final = re.compile(rb'[^\x00-\x20(){%*"\\+\x7f-\xff]+')


class SessionState:
    """The state of one connection, and what the functions of commands need of it."""

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
        self.context = context  # for STARTTLS; None if not offered
        self.certificate_user: str | None = certificate_user
        self.bindings: dict[str, bytes] = stream.bindings() if isinstance(stream, Tls) else {}
        """The channel bindings of the connection, by type (RFC 5929)."""
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
        self.locked_out = False  # the password was wrong, but the server answered OK (quirk 26)
        self.compressed = False
        self.last_word: str | None = None  # text of BYE when the server ends the session
        self.news_held: bool = False  # report changes only after NOOP (quirk 55)
        self.tag: bytes = b""
        self.log: CommandLog = CommandLog()
        self.changed: asyncio.Event = asyncio.Event()
        self._refusable = [0] * len(fault.refusals)

    @property
    def commands(self) -> deque[str]:
        """The command lines so far, with their tags; see `CommandLog`."""
        return self.log.lines

    # -- capabilities and quirks --------------------------------------------------------------

    def _literal_rules(self) -> LiteralRules:
        largest = self.personality.largest_message
        if self.can("LITERAL+"):
            return LiteralRules(eager=largest, largest=largest)
        return LiteralRules(eager=LITERAL_MINUS if self.can("LITERAL-") else 0, largest=largest)

    def can(self, *names: str) -> bool:
        """Return whether the personality has one of these capabilities."""
        return not self.personality.capabilities.isdisjoint(names)

    def has(self, quirk: Quirk) -> bool:
        """Return whether the personality or the connection's fault has this quirk."""
        return quirk in self.personality.quirks or quirk in self.fault.quirks

    @property
    def tells_uids(self) -> bool:
        """Whether APPENDUID and COPYUID are sent (RFC 4315, 3)."""
        lost = self.has(Quirk.NO_UIDVALIDITY) or self.has(Quirk.UIDNOTSTICKY)
        return self.can("UIDPLUS", "IMAP4rev2") and not lost

    @property
    def rev2(self) -> bool:
        """Whether IMAP4rev2 is active: it was enabled, or is the only version offered."""
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
        """Whether SASL mechanisms with channel binding are offered."""
        names = self.personality.capabilities
        return bool(self.bindings) and any(name.endswith("-PLUS") for name in names)

    def capabilities(self) -> list[str]:
        """Return the capabilities to announce now, in a fixed order, IMAP4rev1 first."""
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
        """Return the account; the session must be authenticated."""
        assert self.account is not None
        return self.account

    def selected(self) -> View:
        """Return the view of the selected mailbox; one must be selected."""
        assert self.view is not None
        return self.view

    # -- faults ---------------------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> None:
        """Apply a fault to the connection from now on, in addition to its other faults."""
        self._refusable += [0] * len(fault.refusals)
        self.fault = self.stream.fault = self.fault | fault

    def find_mishap(
        self,
        kind: type[M],
        mailbox: str | None = None,
        uid: int | None = None,
        *,
        when: Callable[[M], bool] = lambda mishap: True,
        counts: bool = True,
    ) -> M | None:
        """Return the mishap of this kind that happens here now, or None; count it if `counts`."""
        for mishap in self.fault.mishaps:
            if not (isinstance(mishap, kind) and mishap.concerns(mailbox, uid) and when(mishap)):
                continue
            if self.hub.may_happen(mishap, counts=counts):
                return mishap
        return None

    # -- changes of the selected mailbox --------------------------------------------------------

    def report_changes(self, *, expunges: bool) -> None:
        """Send the changes of the selected mailbox since the last report."""
        view = self.view
        if view is None:
            return
        if view.gone:
            self.view = None
            self.out.say(b"BYE Selected mailbox was deleted, have to disconnect.")
            self.state = State.LOGOUT
            return
        if expunges:
            self._report_expunged(*view.take_expunged())
        if view.take_new():
            self.out.say(b"%d EXISTS" % len(view.uids))
            if not self.rev2:
                self.out.say(b"%d RECENT" % view.recent)
        for seq, message in view.take_changed():
            self.out.say(self.flags_response(seq, message))

    def _report_expunged(self, seqs: list[int], uids: list[int]) -> None:
        if uids and self.qresync:
            self.out.say(b"VANISHED " + bytes(SequenceSet.of(uids)))
        else:
            for seq in seqs:
                self.out.say(b"%d EXPUNGE" % seq)

    def flags_response(self, seq: int, message: Message, *, uid: bool = False) -> bytes:
        """Format a FETCH response with the flags of a message."""
        items = [b"UID %d" % message.uid] if uid or self.qresync else []
        items.append(b"FLAGS " + self.flags(message))
        if self.condstore:
            items.append(b"MODSEQ (%d)" % message.modseq)
        return b"%d FETCH %b" % (seq, parens(items))

    def flags(self, message: Message) -> bytes:
        """Format the flags of a message, with `\\Recent` unless IMAP4rev2 is active."""
        if self.rev2 or self.view is None or not self.view.is_recent(message.uid):
            return flag_list(message.flags)
        return flag_list(message.flags | {"\\Recent"})

    def wake(self) -> None:
        """Wake IDLE after a change."""
        self.changed.set()

    def leave_mailbox(self) -> None:
        """Deselect the mailbox, if one is selected."""
        if self.view is not None:
            self.view.close()
            self.view = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    # -- sets -----------------------------------------------------------------------------------

    def sequence_set(self, c: Cursor) -> SequenceSet | None:
        """Read a sequence set; None for `$`, the saved result (RFC 5182)."""
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
        """Return the messages of a set, and whether all of them still exist."""
        view = self.selected()
        try:
            if numbers is None:
                return view.resolve(view.saved, by_uid=True)
            return view.resolve(numbers, by_uid=by_uid)
        except InvalidArgument as error:
            raise Bad(f"Invalid message number: {error}") from error
