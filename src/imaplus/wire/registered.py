"""Names that the RFCs and the IANA registries give to flags, keywords and uses of mailboxes.

Each constant is a `str`, and equal to the text that IMAP has for it. Servers may write these names
in any case; imaplus gives them as they are written here (`tokens.SPELLING`), and others as
they come.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Flag(StrEnum):
    """The system flags of messages (RFC 9051, 2.3.2): `inbox.add_flags(uids, Flag.SEEN)`.

    Each is a `str`, equal to the text that IMAP has for it: `Flag.SEEN == "\\\\Seen"`.
    """

    SEEN = "\\Seen"
    """It has been read."""
    ANSWERED = "\\Answered"
    """It has been answered."""
    FLAGGED = "\\Flagged"
    """It is marked as urgent, or for special attention."""
    DELETED = "\\Deleted"
    """It is removed by the next EXPUNGE."""
    DRAFT = "\\Draft"
    """It has not been finished."""
    RECENT = "\\Recent"
    """This is the first session to see it. Of IMAP4rev1 only, and set by the server alone."""
    WILDCARD = "\\*"
    """Among `permanent_flags`: new keywords can be made. No message has it (RFC 9051, 7.1)."""


@unique
class Keyword(StrEnum):
    """The registered keywords of messages (RFC 5788 and the IANA registry, up to RFC 9979).

    Each is a `str`, equal to the text that IMAP has for it: `Keyword.JUNK == "$Junk"`. A server may
    allow any others. To search for one there is `imaplus.search.HasKeyword`.
    """

    FORWARDED = "$Forwarded"
    """It has been forwarded (RFC 9051, 2.3.2)."""
    MDN_SENT = "$MDNSent"
    """A disposition notification has been sent for it, so that none is sent twice (RFC 3503)."""
    JUNK = "$Junk"
    """It is junk (RFC 9051, 2.3.2)."""
    NOT_JUNK = "$NotJunk"
    """It is not junk. With both, it counts as neither (RFC 9051, 2.3.2)."""
    PHISHING = "$Phishing"
    """It is likely to be phishing; $Junk goes with it (RFC 9051, 2.3.2)."""
    IMPORTANT = "$Important"
    """It is likely to be important to the user (RFC 8457)."""
    SUBMIT_PENDING = "$SubmitPending"
    """It is about to be submitted (RFC 5550)."""
    SUBMITTED = "$Submitted"
    """It has been submitted (RFC 5550)."""
    AUTO_SENT = "$autosent"
    """It was sent by a program on the user's behalf, such as a vacation reply (RFC 9979)."""
    CAN_UNSUBSCRIBE = "$canunsubscribe"
    """It has a List-Unsubscribe header that can be trusted to work (RFC 9979)."""
    FOLLOWED = "$followed"
    """The user wants to be told of replies in its thread (RFC 9979)."""
    HAS_ATTACHMENT = "$hasattachment"
    """It has an attachment (RFC 9979)."""
    HAS_MEMO = "$hasmemo"
    """The user has a memo about it; see $memo (RFC 9979)."""
    HAS_NO_ATTACHMENT = "$hasnoattachment"
    """It has no attachment (RFC 9979)."""
    IMPORTED = "$imported"
    """It was imported from another mailbox (RFC 9979)."""
    IS_TRUSTED = "$istrusted"
    """The server has verified its sender (RFC 9979)."""
    MAIL_FLAG_BIT_0 = "$MailFlagBit0"
    """The first of three bits that say in which colour \\\\Flagged is shown (RFC 9979)."""
    MAIL_FLAG_BIT_1 = "$MailFlagBit1"
    """The second bit of the colour."""
    MAIL_FLAG_BIT_2 = "$MailFlagBit2"
    """The third bit of the colour."""
    MASKED_EMAIL = "$maskedemail"
    """It came to an alias made for one sender (RFC 9979)."""
    MEMO = "$memo"
    """It is a note of the user's about another message of the thread (RFC 9979)."""
    MUTED = "$muted"
    """The user does not want to see more of its thread (RFC 9979)."""
    NEW = "$new"
    """It is to be shown as new, such as after it was snoozed (RFC 9979)."""
    NOTIFY = "$notify"
    """The user is to be notified of it (RFC 9979)."""
    UNSUBSCRIBED = "$unsubscribed"
    """The user has unsubscribed from its list (RFC 9979)."""


@unique
class SpecialUse(StrEnum):
    """What a mailbox is for (RFC 6154, RFC 8457, RFC 9979): `entry.special_use`.

    Each is a `str`, equal to the text that IMAP has for it: `SpecialUse.SENT == "\\\\Sent"`.
    """

    ALL = "\\All"
    """All messages of the account, at least as a view."""
    ARCHIVE = "\\Archive"
    """Messages that have been archived."""
    DRAFTS = "\\Drafts"
    """Messages that have not been finished."""
    FLAGGED = "\\Flagged"
    """Messages that are marked as important: a view, as a rule."""
    IMPORTANT = "\\Important"
    """Messages that are likely to be important to the user (RFC 8457)."""
    JUNK = "\\Junk"
    """Messages that are junk."""
    MEMOS = "\\Memos"
    """Notes that the user has written; see `Keyword.MEMO` (RFC 9979)."""
    SCHEDULED = "\\Scheduled"
    """Messages that are to be sent later (RFC 9979)."""
    SENT = "\\Sent"
    """Messages that have been sent."""
    SNOOZED = "\\Snoozed"
    """Messages that come back later (RFC 9979)."""
    TRASH = "\\Trash"
    """Messages that have been deleted, or are about to be."""
