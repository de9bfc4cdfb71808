"""What can go wrong, on purpose: a connection cut, stalled, slowed, a command refused, an answer
that is complete in form and wrong in fact.

A `Fault` says what happens to one connection: counted in octets of IMAP (TLS and compression
apart), in commands, or at a message or mailbox (`mishaps`). Faults combine:
`Fault.slow(10, 0.01) | Fault.cut_after_sent(500)`. `fail_next`, `fail_always` and `fail_now` of a
server say which connections meet it.
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
    ShiftedPartials,
    ShortFetch,
    ShortSearch,
    ToldSize,
)
from imaplus.testing.personality import Quirk
from imaplus.wire.mailbox_names import normalise

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
    mishaps: tuple[Mishap, ...] = ()
    """What goes wrong at messages and in answers."""
    quirks: frozenset[Quirk] = frozenset()
    """Habits that the connection has beside those of the personality."""

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
    def too_many_connections(
        cls,
        most: int = 0,
        text: str = "[ALERT] Too many simultaneous connections. (Failure)",
        *,
        times: int | None = None,
    ) -> Fault:
        """Refuse a login with the right password while `most` sessions are logged in.

        `Fault.too_many_connections().after(5)` lets five logins through, and no more.
        """
        return cls(mishaps=(RefusedLogin(most=most, text=text, times=times),))

    @classmethod
    def greet(cls, line: bytes) -> Fault:
        """Send this line, CRLF included, instead of the greeting."""
        return cls(greeting=line)

    @classmethod
    def inject(cls, data: bytes) -> Fault:
        """Send these octets in clear behind the OK of STARTTLS."""
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
        """Hang up, or refuse, when a FETCH comes to a message. What came before it is sent whole.

        Args:
            mailbox, uid: the message; None for any.
            how: "bye" (BYE and a closed connection), "close" (closed without a word), "stall"
                (nothing more, with the connection left open), "no" (the tagged answer is NO).
            text: of BYE or NO, with a response code in brackets if it is to have one.
            items: "body" for a FETCH of octets of the message (`BODY[...]`, `BINARY[...]`,
                `RFC822...`), "any" for every FETCH whose set has the message in it.
            after: octets of the message's own response that are sent before it happens.
            times: how often, over all connections; None for always.
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
        size: ToldSize = "own",
        times: int | None = None,
    ) -> Fault:
        """Send another text in a message's place; ENVELOPE and BODYSTRUCTURE are the text's too.

        Args:
            mailbox, uid: the message; None for any.
            data: the text: `MICROSOFT_365` and `COURIER` are what these servers send.
            size: what RFC822.SIZE says: "own" is the text's size, "real" the message's, though
                fewer or more octets come; with "fitted" the text is cut, or lengthened by spaces,
                to the message's size, so that no number shows it.
            times: how often, over all connections; then the message comes. None for always.
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
        """Send no octets of a message, and OK: `BODY[] NIL`, `BODY[] ""`, or no `BODY[]` at all."""
        left_out: Missing = "" if missing == "empty" else missing
        size: ToldSize = "real"
        mishap = OtherBody(
            mailbox=_name(mailbox), uid=uid, times=times, size=size, missing=left_out
        )
        return cls(mishaps=(mishap,))

    @classmethod
    def shift_partials(
        cls, mailbox: str | None, uid: int | None, by: int = 1, *, times: int | None = None
    ) -> Fault:
        """Give wrong octets for `BODY[]<o.n>` with `o` above 0: those `by` further on.

        With `by` above 0 the pieces add up to less than RFC822.SIZE; below 0 they may have the
        right size, and octets twice.
        """
        mishap = ShiftedPartials(mailbox=_name(mailbox), uid=uid, by=by, times=times)
        return cls(mishaps=(mishap,))

    # -- wrong in fact --------------------------------------------------------------------------

    @classmethod
    def short_search(
        cls, first: int, mailbox: str | None = None, *, times: int | None = None
    ) -> Fault:
        """Tell only the first results of SEARCH, as if there were no more; COUNT agrees."""
        return cls(mishaps=(ShortSearch(first=first, mailbox=_name(mailbox), times=times),))

    @classmethod
    def short_fetch(
        cls, first: int, mailbox: str | None = None, *, times: int | None = None
    ) -> Fault:
        """Answer FETCH only for the first messages of its set, and OK."""
        return cls(mishaps=(ShortFetch(first=first, mailbox=_name(mailbox), times=times),))

    @classmethod
    def hide_mailboxes(cls, *names: str, times: int | None = None) -> Fault:
        """Leave mailboxes out of LIST and LSUB; all of them without a name. They can be selected.

        With `times=1` only the first LIST of all is wrong.
        """
        hidden = frozenset(map(normalise, names)) if names else None
        return cls(mishaps=(HiddenMailboxes(names=hidden, times=times),))

    @classmethod
    def status_says(
        cls, mailbox: str | None = None, *, times: int | None = None, **numbers: int
    ) -> Fault:
        """Tell these numbers in STATUS, whatever SELECT says: `messages=3, uidnext=9`."""
        told = tuple((name.upper(), value) for name, value in numbers.items())
        return cls(mishaps=(OtherStatus(mailbox=_name(mailbox), numbers=told, times=times),))

    @classmethod
    def message_limit(
        cls, limit: int, mailbox: str | None = None, *, untagged: bool = False
    ) -> Fault:
        """Announce MESSAGELIMIT (RFC 9738), and work on so many messages in one command.

        FETCH, SEARCH (by what it finds), STORE, MOVE and UID EXPUNGE do the highest UIDs, and say
        OK [MESSAGELIMIT limit lowest-UID-done]; COPY does nothing and says NO. With `untagged`, or
        where the OK has another code, an untagged NO has the code instead.
        """
        mishap = MessageLimit(limit=limit, mailbox=_name(mailbox), untagged=untagged)
        return cls(mishaps=(mishap,))

    @classmethod
    def quirk(cls, *quirks: Quirk) -> Fault:
        """Have these habits beside those of the personality: `Quirk.NO_UIDVALIDITY` for one."""
        return cls(quirks=frozenset(quirks))

    def after(self, spared: int) -> Fault:
        """The same, but each mishap in it does not happen the first so many times."""
        return replace(self, mishaps=tuple(replace(each, spared=spared) for each in self.mishaps))

    def __or__(self, other: Fault) -> Fault:
        """Both: refusals, mishaps and quirks add up; of anything else the other's counts where it
        says something.
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
"""What is said if nothing else is given."""


def _name(mailbox: str | None) -> str | None:
    return None if mailbox is None else normalise(mailbox)
