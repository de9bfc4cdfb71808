"""The state of a connection, the capabilities of the server, and the selected mailbox.

Responses change it through `apply()`. Completed commands change it in `finish()`, through the
methods here. It performs no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from imaplus.errors import ProtocolError, UidValidityChanged, quote
from imaplus.protocol.data import Capability, Enabled, MessageData
from imaplus.protocol.mailbox import Mailbox
from imaplus.protocol.status import Status
from imaplus.wire.frames import DEFAULT_LIMITS, Limits
from imaplus.wire.mailbox_names import compose
from imaplus.wire.writer import DEFAULT_RULES, Rules


class State(Enum):
    """The states of a connection (RFC 9051, 3)."""

    GREETING = "waiting for the greeting"
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logged out"


ANY: Final = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
LOGGED_OUT: Final = frozenset({State.NOT_AUTHENTICATED})
LOGGED_IN: Final = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED: Final = frozenset({State.SELECTED})

PART_OF_REV2: Final = frozenset(
    "NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES ENABLE IDLE SASL-IR LIST-EXTENDED LIST-STATUS "
    "MOVE LITERAL- BINARY SPECIAL-USE STATUS=SIZE CHILDREN".split()
)
"""Extensions that IMAP4rev2 includes, whether announced or not (RFC 9051, appendix E)."""
MOST_ENABLED: Final = 1000
"""Limit on enabled extensions: servers can add to them at any time."""

MOST_LISTED: Final = 10_000
"""Limit on remembered names that are not in form C. Forgetting them is harmless."""


class ConnectionState:
    """The state of a connection: what commands and flows may read and change."""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, secure: bool = False) -> None:
        self.limits = limits
        self.secure = secure
        self.channel_bindings: Callable[[], Sequence[Any]] = tuple
        """Returns the channel bindings of the stream (RFC 5056), best first."""
        self.state: State = State.GREETING
        self.greeting: Status | None = None
        self.bye: Status | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.enabled: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()
        """Capabilities that the server announced, but refused when they were used."""
        self.seen_to_work: frozenset[str] = frozenset()
        """Capabilities that an answer of the server has confirmed."""
        self.mailbox: Mailbox | None = None
        self.listed: set[str] = set()
        """Mailbox names from the server that are not in Unicode normalization form C."""
        self._opening: Mailbox | None = None
        self._rules_now = DEFAULT_RULES
        self._rules_since = self.capabilities, self.enabled, self.refused

    # -- questions --------------------------------------------------------------------------

    def can(self, capability: str) -> bool:
        """Whether the server has a capability, by its latest list since TLS and login.

        It may be a part of IMAP4rev2, if that is in force. False if the server refused it.
        """
        capability = capability.upper()
        if capability in self.refused:
            return False
        if capability == "IMAP4REV2":
            return self.rev2
        if capability in self.capabilities:
            return True
        if capability == "CONDSTORE" and "QRESYNC" in self.capabilities:
            return True  # RFC 7162, 3.2
        if capability == "ENABLE" and "IMAP4REV2" in self.capabilities:
            return True  # needed to enable IMAP4rev2
        return capability in PART_OF_REV2 and self.rev2

    @property
    def rev2(self) -> bool:
        """Whether IMAP4rev2 is in force: it is enabled, or the only version of the server.

        A server with both versions uses IMAP4rev1 until ENABLE (RFC 9051, appendix A).
        """
        if "IMAP4REV2" in self.enabled:
            return True
        return (
            "IMAP4REV2" in self.capabilities
            and "IMAP4REV1" not in self.capabilities
            and "IMAP4REV2" not in self.refused
        )

    def greets_as(self, product: str) -> bool:
        """Whether the greeting contains the name of a product."""
        return self.greeting is not None and product in self.greeting.text

    @property
    def utf8(self) -> bool:
        """Whether mailbox names and quoted strings are UTF-8 (RFC 9051, 5.1; RFC 9755, 3)."""
        return not self.enabled.isdisjoint(("IMAP4REV2", "UTF8=ACCEPT"))

    def rules(self) -> Rules:
        """The current rules for writing: the same object until they change."""
        told = self.capabilities, self.enabled, self.refused
        if told != self._rules_since:
            eager = 0
            if self.can("LITERAL+"):
                eager = 1 << 62
            elif self.can("LITERAL-"):
                eager = 4096
            self._rules_since = told
            self._rules_now = Rules(eager=eager, utf8=self.utf8)
        return self._rules_now

    # -- changes by completed commands ------------------------------------------------------

    def forget_capabilities(self) -> None:
        """Forget capabilities from before TLS or login: they may be false (RFC 9051, 6.2.1)."""
        self.capabilities = frozenset()

    def refuse(self, *capabilities: str) -> None:
        """Make `can()` return False for these, because the server refused them when used."""
        self.refused |= frozenset(map(str.upper, capabilities))

    def trust(self, capability: str) -> None:
        """Note that an answer has confirmed a capability."""
        self.seen_to_work |= {capability}

    def log_in(self) -> None:
        """Enter the authenticated state."""
        self.state = State.AUTHENTICATED

    def learn_name(self, name: str) -> bool:
        """Remember a name that is not in form C, to send it unchanged; return whether it is one."""
        if not self.utf8 or name.isascii() or compose(name) == name:
            return False
        if len(self.listed) >= MOST_LISTED:
            self.listed.clear()
        self.listed.add(name)
        return True

    def start_opening(self, name: str, *, read_only: bool) -> None:
        """Expect data about this mailbox, after SELECT was sent. After [CLOSED] all data is its."""
        self._opening = Mailbox(name, read_only=read_only, limits=self.limits)

    def finish_opening(self) -> Mailbox:
        """Make the mailbox that was being opened the selected one: SELECT succeeded."""
        assert self._opening is not None
        self.mailbox, self._opening = self._opening, None
        self.state = State.SELECTED
        return self.mailbox

    def close_mailbox(self) -> None:
        """Leave the selected state."""
        self.mailbox = self._opening = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    # -- changes by the server --------------------------------------------------------------

    def greet(self, value: object, line: bytes) -> Status:
        """Take the greeting: `"*" SP (resp-cond-auth / resp-cond-bye)`.

        Raises:
            ProtocolError: it is something else.
        """
        said = value.kind if isinstance(value, Status) and value.tag is None else None
        if not isinstance(value, Status) or said not in ("OK", "PREAUTH", "BYE"):
            raise ProtocolError(f"no IMAP greeting, but {quote(line)}")
        self.greeting = value
        self.state = State.NOT_AUTHENTICATED
        if value.kind == "PREAUTH":
            self.log_in()
        return value

    def apply(self, value: object) -> object:
        """Update the state by a value; return the value, with its UID if the mailbox knows it."""
        if isinstance(value, MessageData):
            pass  # the most frequent
        elif isinstance(value, Status):
            self._apply_status(value)
        elif isinstance(value, Capability):
            self.capabilities = value.names
        elif isinstance(value, Enabled):
            self.enabled |= value.names
            self.refused -= value.names
            if len(self.enabled) > MOST_ENABLED:
                raise ProtocolError(f"the server has enabled more than {MOST_ENABLED} extensions")
        if self.mailbox is not None:
            value = self.mailbox.apply(value)
        if self._opening is not None:
            value = self._opening.apply(value)
        return value

    def _apply_status(self, status: Status) -> None:
        if status.kind == "BYE":
            self.bye = status
        if status.code == "CLOSED" and self._opening is not None:
            self.start_opening(self._opening.name, read_only=self._opening.read_only)
            self.mailbox = None  # data up to here was about the old one
        if status.code is not None and isinstance(status.data, Capability):
            self.apply(status.data)
        if status.code == "UIDVALIDITY" and self.mailbox is not None and self._opening is None:
            self.mailbox.check_uidvalidity(status.data)
            if self.mailbox.made_anew is not None:
                self._void_uids(self.mailbox.made_anew)

    def _void_uids(self, error: UidValidityChanged) -> None:
        """Make commands that name UIDs fail: the mailbox has a new UIDVALIDITY."""
