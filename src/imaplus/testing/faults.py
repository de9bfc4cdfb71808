"""Faults to inject: cut, stalled and slow connections, refused commands, false answers.

A `Fault` describes what goes wrong on one connection: after a number of bytes (of IMAP, before TLS
and compression), at a command, or at a message or mailbox (`mishaps`). Faults combine:
`Fault.slow(10, 0.01) | Fault.cut_after_sent(500)`. `fail_next`, `fail_always` and `fail_now` of a
server choose the connections.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from imaplus.records import names_of, record, replace
from imaplus.testing.mishaps import (
    AtMessage,
    HangUp,
    HiddenMailboxes,
    MessageLimit,
    Mishap,
    Missing,
    OtherBody,
    OtherStatus,
    RefusedLogin,
    ReportedSize,
    ShiftedPartials,
    ShortFetch,
    ShortSearch,
)
from imaplus.testing.personality import Quirk
from imaplus.wire.mailbox_names import normalise

NEVER: Final = 1 << 63


@record(kw_only=True)
class Refusal:
    """A NO or BAD for commands chosen by name, by number, or both."""

    status: str
    text: str
    command: str | None = None
    """The command's name, such as `UID FETCH`; None for any."""
    nth: int | None = None
    """Which of the commands of that name to refuse, counted from 1; None for all."""


@record(kw_only=True)
class Fault:
    """What goes wrong on one connection; nothing by default.

    The class methods make faults; `|` combines them.
    """

    sent: int = NEVER
    """Cut the connection when exactly this many bytes have been sent."""
    received: int = NEVER
    """Cut the connection when this many bytes have been received."""
    stall: int = NEVER
    """Stop sending after this many bytes, and keep the connection open."""
    piece: int = NEVER
    """Maximum size of one write in bytes; with `delay`, a slow connection."""
    delay: float = 0.0
    """Seconds between two writes."""
    bye_at: int = NEVER
    """Answer the command of this number, counted from 1, with BYE and close the connection."""
    bye_text: str = "Server is shutting down"
    greeting: bytes | None = None
    """Raw bytes to send instead of the greeting."""
    injected: bytes = b""
    """Bytes to send in the clear after the OK of STARTTLS, as an attacker may, in one write."""
    refusals: tuple[Refusal, ...] = ()
    mishaps: tuple[Mishap, ...] = ()
    """Faults at messages and false answers."""
    quirks: frozenset[Quirk] = frozenset()
    """Quirks in addition to those of the personality."""

    @classmethod
    def cut_after_sent(cls, size: int) -> Fault:
        """Cut the connection when exactly `size` bytes have been sent."""
        return cls(sent=size)

    @classmethod
    def cut_after_received(cls, size: int) -> Fault:
        """Cut the connection when `size` bytes have been received and processed."""
        return cls(received=size)

    @classmethod
    def stall_after_sent(cls, size: int) -> Fault:
        """Send `size` bytes, then nothing more, and keep the connection open."""
        return cls(stall=size)

    @classmethod
    def slow(cls, size: int, seconds: float) -> Fault:
        """Send `size` bytes at a time and wait `seconds` after each."""
        return cls(piece=size, delay=seconds)

    @classmethod
    def bye(cls, nth: int, text: str = "Server is shutting down") -> Fault:
        """Answer the nth command, counted from 1, with BYE and close the connection."""
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
        """Answer a command with NO or BAD instead of executing it; see `Refusal`."""
        name = command.upper() if command else None
        return cls(refusals=(Refusal(status=status, text=text, command=name, nth=nth),))

    @classmethod
    def fail_login(cls, text: str = "[AUTHENTICATIONFAILED] Authentication failed") -> Fault:
        """Refuse LOGIN and AUTHENTICATE, even with the right password."""
        return cls.refuse("LOGIN", text=text) | cls.refuse("AUTHENTICATE", text=text)

    @classmethod
    def too_many_connections(
        cls,
        most: int = 0,
        text: str = "[ALERT] Too many simultaneous connections. (Failure)",
        *,
        times: int | None = None,
    ) -> Fault:
        """Refuse a login with the right password while `most` sessions are logged in.

        `Fault.too_many_connections().after(5)` accepts five logins and refuses all others.
        """
        return cls(mishaps=(RefusedLogin(most=most, text=text, times=times),))

    @classmethod
    def greet(cls, line: bytes) -> Fault:
        """Send this line, CRLF included, instead of the greeting."""
        return cls(greeting=line)

    @classmethod
    def inject(cls, data: bytes) -> Fault:
        """Send these bytes in the clear after the OK of STARTTLS."""
        return cls(injected=data)

    # -- at a message -------------------------------------------------------------------------

    @classmethod
    def at_message(
        cls,
        mailbox: str | None,
        uid: int | None,
        how: HangUp = "bye",
        *,
        text: str = "",
        items: Literal["body", "any"] = "body",
        after: int = 0,
        times: int | None = None,
    ) -> Fault:
        """Fail when a FETCH reaches a message; earlier messages are sent completely.

        Args:
            mailbox, uid: the message; None for any.
            how: "bye" (send BYE and close), "close" (close without BYE), "stall" (send nothing
                more and keep the connection open), "no" (answer NO).
            text: the text of BYE or NO, with an optional response code in brackets.
            items: "body" for a FETCH of bytes of the message (`BODY[...]`, `BINARY[...]`,
                `RFC822...`), "any" for every FETCH whose set includes the message.
            after: number of bytes of the message's response to send first.
            times: how often, counted over all connections; None for always.
        """
        mishap = AtMessage(
            mailbox=_name(mailbox),
            uid=uid,
            how=how,
            text=text or _TEXTS[how],
            items=items,
            after=after,
            times=times,
        )
        return cls(mishaps=(mishap,))

    @classmethod
    def substitute(
        cls,
        mailbox: str | None,
        uid: int | None,
        data: bytes,
        *,
        size: ReportedSize = "own",
        times: int | None = None,
    ) -> Fault:
        """Send another message in place of a message, including ENVELOPE and BODYSTRUCTURE.

        Args:
            mailbox, uid: the message; None for any.
            data: the other message; `MICROSOFT_365` and `COURIER` are those of real servers.
            size: the value of RFC822.SIZE: "own" is the size of `data`; "real" is that of the
                message, although another number of bytes is sent; "fitted" is that of the
                message, and `data` is truncated or padded with spaces to it.
            times: how often, counted over all connections; None for always.
        """
        mishap = OtherBody(mailbox=_name(mailbox), uid=uid, times=times, data=data, size=size)
        return cls(mishaps=(mishap,))

    @classmethod
    def no_body(
        cls,
        mailbox: str | None,
        uid: int | None,
        missing: Literal["NIL", "empty", "item"] = "NIL",
        *,
        times: int | None = None,
    ) -> Fault:
        """Send no bytes of a message, and OK: `BODY[] NIL`, `BODY[] ""`, or no `BODY[]` item."""
        left_out: Missing = "" if missing == "empty" else missing
        size: ReportedSize = "real"
        mishap = OtherBody(
            mailbox=_name(mailbox), uid=uid, times=times, size=size, missing=left_out
        )
        return cls(mishaps=(mishap,))

    @classmethod
    def shift_partials(
        cls, mailbox: str | None, uid: int | None, by: int = 1, *, times: int | None = None
    ) -> Fault:
        """Send the wrong bytes for `BODY[]<o.n>` with `o` above 0: those at `o + by`.

        With `by` above 0 the pieces add up to less than RFC822.SIZE; with `by` below 0 they may
        have the right size but repeat bytes.
        """
        mishap = ShiftedPartials(mailbox=_name(mailbox), uid=uid, by=by, times=times)
        return cls(mishaps=(mishap,))

    # -- false answers --------------------------------------------------------------------------

    @classmethod
    def short_search(
        cls, first: int, mailbox: str | None = None, *, times: int | None = None
    ) -> Fault:
        """Return only the first `first` results of SEARCH; COUNT is the same number."""
        return cls(mishaps=(ShortSearch(first=first, mailbox=_name(mailbox), times=times),))

    @classmethod
    def short_fetch(
        cls, first: int, mailbox: str | None = None, *, times: int | None = None
    ) -> Fault:
        """Answer FETCH only for the first `first` messages of its set, and OK."""
        return cls(mishaps=(ShortFetch(first=first, mailbox=_name(mailbox), times=times),))

    @classmethod
    def hide_mailboxes(cls, *names: str, times: int | None = None) -> Fault:
        """Omit mailboxes from LIST and LSUB; without names, all. They can still be selected.

        With `times=1` only the first LIST over all connections is wrong.
        """
        hidden = frozenset(map(normalise, names)) if names else None
        return cls(mishaps=(HiddenMailboxes(names=hidden, times=times),))

    @classmethod
    def status_says(
        cls, mailbox: str | None = None, *, times: int | None = None, **numbers: int
    ) -> Fault:
        """Report false numbers in STATUS, such as `messages=3, uidnext=9`."""
        items = tuple((name.upper(), value) for name, value in numbers.items())
        return cls(mishaps=(OtherStatus(mailbox=_name(mailbox), numbers=items, times=times),))

    @classmethod
    def message_limit(
        cls, limit: int, mailbox: str | None = None, *, untagged: bool = False
    ) -> Fault:
        """Announce MESSAGELIMIT (RFC 9738) and process at most `limit` messages per command.

        FETCH, SEARCH (counting results), STORE, MOVE and UID EXPUNGE process the highest UIDs and
        answer OK [MESSAGELIMIT limit lowest-UID-done]; COPY does nothing and answers NO. With
        `untagged`, or if the OK has another code, the code is in an untagged NO instead.
        """
        mishap = MessageLimit(limit=limit, mailbox=_name(mailbox), untagged=untagged)
        return cls(mishaps=(mishap,))

    @classmethod
    def quirk(cls, *quirks: Quirk) -> Fault:
        """Add quirks to those of the personality, such as `Quirk.NO_UIDVALIDITY`."""
        return cls(quirks=frozenset(quirks))

    def after(self, spared: int) -> Fault:
        """Return this fault with each mishap skipped on its first `spared` occasions."""
        return replace(self, mishaps=tuple(replace(each, spared=spared) for each in self.mishaps))

    def __or__(self, other: Fault) -> Fault:
        """Combine two faults.

        Refusals, mishaps and quirks add up. For other fields, `other` takes precedence where it
        differs from the default.
        """
        nothing = Fault()
        merged: dict[str, Any] = {
            name: getattr(other, name)
            if getattr(other, name) != getattr(nothing, name)
            else getattr(self, name)
            for name in names_of(Fault)
        }
        merged["refusals"] = self.refusals + other.refusals
        merged["mishaps"] = self.mishaps + other.mishaps
        merged["quirks"] = self.quirks | other.quirks
        return Fault(**merged)


_TEXTS: Final[dict[HangUp, str]] = {
    "bye": "Internal error occurred. Refer to server log for more information.",
    "close": "",
    "stall": "",
    "no": "[SERVERBUG] Internal error occurred",
}
"""Default texts of BYE and NO."""


def _name(mailbox: str | None) -> str | None:
    return None if mailbox is None else normalise(mailbox)
