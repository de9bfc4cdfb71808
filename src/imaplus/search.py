"""What to search for: keys, combined by `&`, `|` and `~`::

    from datetime import date

    from imaplus.search import From, Seen, Since

    unread = client.select("INBOX").search(From("ada") & Since(date(2025, 1, 1)) & ~Seen)

A key checks its arguments when it is made, and its values travel as data whatever they contain
(RFC 9051, 6.4.4).
"""

from __future__ import annotations

from imaplus.core.raw_search import Raw
from imaplus.core.search_keys import (
    Answered,
    Bcc,
    Before,
    Body,
    Cc,
    Deleted,
    Draft,
    Flagged,
    From,
    HasKeyword,
    Header,
    LacksKeyword,
    Larger,
    ModSeq,
    New,
    Old,
    On,
    Recent,
    Seen,
    SentBefore,
    SentOn,
    SentSince,
    Since,
    Smaller,
    Subject,
    Text,
    To,
    Uid,
    Unanswered,
    Undeleted,
    Undraft,
    Unflagged,
    Unseen,
)
from imaplus.core.search_query import All, And, Not, Or, Query
from imaplus.extensions.gmail import GmailLabel, GmailMessage, GmailSearch, GmailThread
from imaplus.extensions.objectid import EmailId, ThreadId
from imaplus.extensions.within import Older, Younger

__all__ = [
    "All",
    "And",
    "Answered",
    "Bcc",
    "Before",
    "Body",
    "Cc",
    "Deleted",
    "Draft",
    "EmailId",
    "Flagged",
    "From",
    "GmailLabel",
    "GmailMessage",
    "GmailSearch",
    "GmailThread",
    "HasKeyword",
    "Header",
    "LacksKeyword",
    "Larger",
    "ModSeq",
    "New",
    "Not",
    "Old",
    "Older",
    "On",
    "Or",
    "Query",
    "Raw",
    "Recent",
    "Seen",
    "SentBefore",
    "SentOn",
    "SentSince",
    "Since",
    "Smaller",
    "Subject",
    "Text",
    "ThreadId",
    "To",
    "Uid",
    "Unanswered",
    "Undeleted",
    "Undraft",
    "Unflagged",
    "Unseen",
    "Younger",
]
