"""The results of a backup and of a verification."""

from __future__ import annotations

from imaplus.records import record


@record
class Problem:
    """A problem with a message, a mailbox (`uid` None) or the store (both None)."""

    mailbox: str | None
    uid: int | None
    problem: str


@record
class Notice:
    """Information about a mailbox (None: about the run). `warning`: the user should check it."""

    mailbox: str | None
    text: str
    warning: bool = False


@record
class BackupReport:
    """What a backup did, or in a dry run would do.

    Attributes:
        mailboxes: the number of mailboxes that were processed.
        messages: the number of their messages that the mirror now has.
        fetched: the number of messages fetched.
        octets: the size of the fetched messages in bytes.
        spared: messages not fetched because the store had their body (EMAILID, X-GM-MSGID).
        replaced: messages fetched again whose older copies were kept.
        flags_changed: messages whose flags or labels changed.
        vanished: messages that are gone from the server; they are kept.
        gone: mailboxes that are gone from the server; they are kept.
        renamed: old and new names of renamed mailboxes.
        returned: mailboxes that were gone and exist again.
        failures: what could not be fetched; the next run tries again.
        notices: information and warnings for the user.
        reconnects: the number of connections after the first.
        interrupted: `should_stop` ended the run early; the next run continues.
    """

    mailboxes: int = 0
    messages: int = 0
    fetched: int = 0
    octets: int = 0
    spared: int = 0
    replaced: int = 0
    flags_changed: int = 0
    vanished: int = 0
    gone: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    returned: tuple[str, ...] = ()
    failures: tuple[Problem, ...] = ()
    notices: tuple[Notice, ...] = ()
    reconnects: int = 0
    interrupted: bool = False


@record
class VerifyReport:
    """The result of a verification.

    Attributes:
        mailboxes, messages, octets: the mailboxes, messages and bytes of the mirror.
        problems: damage, and differences from the server.
        interrupted: `should_stop` ended the verification early.
        notices: information and warnings for the user.
        differing: mailbox and UID of messages with another body on the server; a repair fetches
            them again.
        unfinished: mailboxes that the last backup did not complete; not a problem.
    """

    mailboxes: int
    messages: int
    octets: int
    problems: tuple[Problem, ...]
    interrupted: bool
    notices: tuple[Notice, ...] = ()
    differing: tuple[tuple[str, int], ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no problem was found."""
        return not self.problems
