"""What a backup and a verification tell when they are over. Values; nothing here does anything."""

from __future__ import annotations

from imaplus.records import record


@record
class Problem:
    """What is wrong with one message, with a mailbox (`uid` None) or the store (both None)."""

    mailbox: str | None
    uid: int | None
    problem: str


@record
class Notice:
    """What a person should know of a mailbox (None: of the run), though nothing failed.

    `warning`: somebody should look at it.
    """

    mailbox: str | None
    text: str
    warning: bool = False


@record
class BackupReport:
    """What a backup did, or would do.

    `messages` are those that the mirror now has of the `mailboxes`; `fetched` and `octets` count
    what came, `spared` what the store had already by the server's identity, `replaced` the older
    copies that were kept beside what is there now. `gone`, `renamed` (old name, new name) and
    `returned` name mailboxes, `vanished` counts messages. `reconnects` counts connections that were
    made after the first. What is among the `failures` is tried again by the next run. After
    `interrupted`, so is the rest.
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
    """What is wrong with a mirror, if anything; of how many mailboxes, messages and bytes.

    `differing` names messages (mailbox, UID) whose body is another one on the server: a repair
    fetches them again. `unfinished` names mailboxes that the last backup did not complete: it was
    interrupted, or could not fetch every message.
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
        """Whether nothing is wrong, as far as was looked."""
        return not self.problems
