"""Gmail accounts: messages have labels, and each label is a mailbox.

A message may be in several mailboxes; its identity and its flags, except `\\Deleted`, are the same
in all. All Mail has every message except those in Trash and Spam, which are in no other mailbox.
Expunging a message from a label removes the label; expunging it from All Mail, Trash or Spam
deletes it. (By default, Gmail itself keeps messages that are expunged from All Mail.)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from imaplus.testing.content import Content
from imaplus.testing.store import Account, Home, Mailbox, Message, Watcher

SPECIAL: Final = {
    "[Gmail]/All Mail": "\\All",
    "[Gmail]/Drafts": "\\Drafts",
    "[Gmail]/Important": "\\Important",
    "[Gmail]/Sent Mail": "\\Sent",
    "[Gmail]/Spam": "\\Junk",
    "[Gmail]/Starred": "\\Flagged",
    "[Gmail]/Trash": "\\Trash",
}
"""The mailboxes of every account in addition to INBOX, and their special uses."""
LABELS: Final = {"\\Junk": "\\Spam", "\\Flagged": "\\Starred"}
"""Labels that differ from the special use of their mailbox."""


class GmailMailbox(Mailbox):
    """The mailbox of one label."""

    def __init__(self, name: str, uidvalidity: int, home: Home, account: GmailAccount) -> None:
        super().__init__(name, uidvalidity, home)
        self.by_identity: dict[int, int] = {}  # UIDs
        self._account = account

    @property
    def label(self) -> str:
        """The label as in X-GM-LABELS."""
        if self.name == "INBOX":
            return "\\Inbox"
        for use in self.attributes:
            return LABELS.get(use, use)
        return self.name

    def has_use(self, *uses: str) -> bool:
        """Return whether the mailbox has one of these special uses."""
        return not self.attributes.isdisjoint(uses)

    def _add(
        self,
        contents: Iterable[bytes | Content],
        flags: Iterable[str],
        internaldate: datetime | None,
        identity: int | None = None,
    ) -> list[int]:
        if identity in self.by_identity:
            return [self.by_identity[identity]]
        added = super()._add(contents, flags, internaldate, identity)
        for uid in added:
            message = self.messages[uid]
            self.by_identity[message.identity] = uid
            self._account.note_added(self, message)
        return added

    def _set_flags(self, uid: int, flags: Iterable[str], origin: Watcher | None) -> frozenset[str]:
        new = super()._set_flags(uid, flags, origin)
        self._account.note_flags(self, self.messages[uid])
        return new

    def _expunge(self, uids: Iterable[int]) -> list[int]:
        identities = {uid: self.messages[uid].identity for uid in uids if uid in self.messages}
        gone = super()._expunge(identities)
        for identity in identities.values():
            del self.by_identity[identity]
            self._account.note_removed(self, identity)
        return gone

    def _put(self, messages: Iterable[Message]) -> None:
        super()._put(messages)
        self.by_identity = {message.identity: uid for uid, message in self.messages.items()}


class GmailAccount(Account):
    """An account of a Gmail user."""

    def __init__(self, user: str, password: str, home: Home, delimiter: str = "/") -> None:
        super().__init__(user, password, home, delimiter)
        for name, use in SPECIAL.items():
            self.create(name.replace("/", delimiter), use)
        self.mailbox("[Gmail]").selectable = False

    def _mailbox(self, name: str, uidvalidity: int) -> Mailbox:
        return GmailMailbox(name, uidvalidity, self._home, self)

    def boxes(self, *uses: str) -> list[GmailMailbox]:
        """Return all mailboxes, or those with one of these special uses."""
        every = [box for box in self.mailboxes.values() if isinstance(box, GmailMailbox)]
        return [box for box in every if box.has_use(*uses)] if uses else every

    def labels(self, identity: int) -> list[GmailMailbox]:
        """Return the mailboxes that a message is in, except All Mail."""
        boxes = self.boxes()
        return [box for box in boxes if identity in box.by_identity and not box.has_use("\\All")]

    def find_label(self, label: str) -> GmailMailbox | None:
        """Find the mailbox of a label, in any case, with or without its backslash."""
        plain = label.removeprefix("\\").lower()
        for box in self.boxes():
            if box.name.lower() == label.lower() or box.label.lower() == f"\\{plain}":
                return box
        return None

    # -- consequences of a change -----------------------------------------------------------------

    def note_added(self, box: GmailMailbox, message: Message) -> None:
        """Update the other mailboxes after a message was added to one."""
        self._touch_everywhere(box, message.identity)
        away = box.has_use("\\Trash", "\\Junk")
        others = [each for each in self.boxes() if each is not box]
        for other in others:
            if away or other.has_use("\\Trash", "\\Junk"):
                _remove(other, message.identity)
        if away:
            return
        for other in others:
            if other.has_use("\\All"):
                other._take(message)
        if box.has_use("\\Flagged"):
            box._set_flags(message.uid, message.flags | {"\\Flagged"}, None)
        elif "\\Flagged" in message.flags:
            self.note_flags(box, message)

    def _touch_everywhere(self, box: GmailMailbox, identity: int) -> None:
        """Increase a message's mod-sequence in all other mailboxes, as its labels changed."""
        for other in self.boxes():
            uid = other.by_identity.get(identity)
            if other is not box and uid is not None:
                other.messages[uid].modseq = other._next_modseq()

    def note_flags(self, box: GmailMailbox, message: Message) -> None:
        """Copy a message's flags to the other mailboxes after a change in one."""
        shared = message.flags - {"\\Deleted"}
        for other in self.boxes():
            uid = other.by_identity.get(message.identity)
            if other is not box and uid is not None:
                own = other.messages[uid].flags & {"\\Deleted"}
                Mailbox._set_flags(other, uid, shared | own, None)
        if box.has_use("\\Trash", "\\Junk"):
            return
        for starred in self.boxes("\\Flagged"):
            if "\\Flagged" not in shared:
                _remove(starred, message.identity)
            elif message.identity not in starred.by_identity:
                starred._take(message)

    def note_removed(self, box: GmailMailbox, identity: int) -> None:
        """Update the other mailboxes after a message was expunged from one."""
        self._touch_everywhere(box, identity)
        for other in self.boxes():
            if box.has_use("\\All"):
                _remove(other, identity)
            elif box.has_use("\\Flagged") and (uid := other.by_identity.get(identity)):
                other._set_flags(uid, other.messages[uid].flags - {"\\Flagged"}, None)


def _remove(box: GmailMailbox, identity: int) -> None:
    """Remove a message from a mailbox without further consequences."""
    if (uid := box.by_identity.pop(identity, None)) is not None:
        Mailbox._expunge(box, [uid])
