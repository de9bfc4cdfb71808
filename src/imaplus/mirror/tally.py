"""The counts, failures and notices of a run, from which its report is made."""

from __future__ import annotations

from imaplus.mirror.reports import BackupReport, Notice, Problem


class Tally:
    """The counts, failures and notices of one run."""

    def __init__(self) -> None:
        self.mailboxes = self.messages = self.fetched = self.octets = 0
        self.spared = self.replaced = self.flags_changed = self.vanished = 0
        self.gone: list[str] = []
        self.renamed: list[tuple[str, str]] = []
        self.returned: list[str] = []
        self.failures: list[Problem] = []
        self.notices: list[Notice] = []
        self.interrupted = False

    def fail(self, mailbox: str | None, uid: int | None, problem: str) -> None:
        """Add a failure."""
        self.failures.append(Problem(mailbox, uid, problem))

    def tell(self, mailbox: str | None, text: str, *, warning: bool = False) -> None:
        """Add a notice for the user."""
        self.notices.append(Notice(mailbox, text, warning))

    def tell_once(self, mailbox: str | None, text: str, *, warning: bool = False) -> None:
        """Add a notice unless it was added before."""
        if Notice(mailbox, text, warning) not in self.notices:
            self.tell(mailbox, text, warning=warning)

    def failed_uids(self, mailbox: str) -> set[int]:
        """Return the UIDs of the messages of a mailbox that failed."""
        return {
            failure.uid
            for failure in self.failures
            if failure.mailbox == mailbox and failure.uid is not None
        }

    def has_failed(self, mailbox: str) -> bool:
        """Whether the mailbox itself failed."""
        return any(each.mailbox == mailbox and each.uid is None for each in self.failures)

    def report(self, reconnects: int) -> BackupReport:
        """Return the report."""
        return BackupReport(
            mailboxes=self.mailboxes,
            messages=self.messages,
            fetched=self.fetched,
            octets=self.octets,
            spared=self.spared,
            replaced=self.replaced,
            flags_changed=self.flags_changed,
            vanished=self.vanished,
            gone=tuple(self.gone),
            renamed=tuple(self.renamed),
            returned=tuple(self.returned),
            failures=tuple(self.failures),
            notices=tuple(self.notices),
            reconnects=reconnects,
            interrupted=self.interrupted,
        )
