"""OBJECTID and X-GM-EXT-1: identities that outlive UIDs, and Gmail's labels."""

from __future__ import annotations

import pytest

from imaplus.core.fetch import Fetch
from imaplus.core.mailboxes import Create, GetStatus, MailboxStatus, Select
from imaplus.core.messages import Change
from imaplus.core.search import Search
from imaplus.core.search_query import Query
from imaplus.core.session import Noop
from imaplus.errors import CapabilityMissing, InvalidArgument
from imaplus.extensions.gmail import (
    GmailLabel,
    GmailMessage,
    GmailSearch,
    GmailThread,
    StoreLabels,
)
from imaplus.extensions.objectid import EmailId, ThreadId
from imaplus.flows import gmail, mailboxes, messages
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.wire.sets import SequenceSet

from .dialogue import Cases, Fails, Row, each_way

uids = SequenceSet.parse


def inbox(exists: int) -> Row:
    return Select("INBOX"), {"name": "INBOX", "exists": exists}


def mailboxid(connection: Connection) -> object:
    return connection.mailbox is not None and connection.mailbox.mailboxid


def labels(change: Change, numbers: str, *names: str) -> Row:
    return lambda c: gmail.change_labels(c, uids(numbers), change, names), {"messages": []}


def just_uids(query: Query) -> Flow[SequenceSet]:
    found = yield from Search(query)
    return found.uids


CASES: Cases = {
    "objectid": [
        (Create("foo"), "F2212ea87-6097-4256-9d51-71338625"),
        (
            Select("INBOX"),
            {"name": "INBOX", "exists": 3, "uidvalidity": 1521475658},
        ),
        (mailboxid, "Ff8e3ead4-9389-4aff-adb1-d8d89efd8cbf"),
        (Create("bar"), "F6352ae03-b7f5-463c-896f-d8b48ee3"),
        (mailboxid, "Ff8e3ead4-9389-4aff-adb1-d8d89efd8cbf"),  # of what is selected, still
        (
            lambda c: mailboxes.status(c, "foo", ("MESSAGES", "MAILBOXID")),
            MailboxStatus("foo", 0, mailboxid="F2212ea87-6097-4256-9d51-71338625"),
        ),
        (
            Fetch(uids("1:*"), ("EMAILID", "threadid")),
            [
                {"uid": 1, "EMAILID": "M6d99ac3275bb4e", "THREADID": "T64b478a75b7ea9"},
                {"uid": 2, "EMAILID": "M288836c4c7a762", "THREADID": None},
                {"uid": 3, "EMAILID": "M5fdc09b49ea703", "THREADID": None},
            ],
        ),
        (
            lambda c: messages.uids_of(c, EmailId("M6d99ac3275bb4e") | ThreadId("T64b478a75b7ea9")),
            "1:2",
        ),
    ],
    "objectid-without": [
        inbox(3),
        (Fetch(uids("1:*"), ("EMAILID",)), Fails(CapabilityMissing, "OBJECTID")),
        (Fetch(uids("1:*"), ("FLAGS", "ThreadId")), Fails(CapabilityMissing, "OBJECTID")),
        (Search(EmailId("M1")), Fails(CapabilityMissing, "OBJECTID")),
        (
            lambda c: mailboxes.status(c, "foo", ("MESSAGES", "MAILBOXID")),
            MailboxStatus("foo", 0),
        ),
        (Create("foo"), None),
        (mailboxid, None),
    ],
    "gmail": [
        inbox(9),
        (
            Fetch(uids("1:4"), ("X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS")),
            [
                {
                    "uid": 1,
                    "X-GM-THRID": 1266894439832287888,
                    "X-GM-MSGID": 1278455344230334865,
                    "X-GM-LABELS": {"\\Inbox", "\\Sent", "Important", "Muy Importante"},
                },
                {
                    "uid": 2,
                    "X-GM-THRID": 18446744073709551615,
                    "X-GM-MSGID": 1278455344230334866,
                    "X-GM-LABELS": set(),
                },
                {
                    "uid": 3,
                    "X-GM-THRID": 1,
                    "X-GM-MSGID": 2,
                    "X-GM-LABELS": {"\\Starred", "äpfel", "+x", "~y", "NIL"},
                },
                {
                    "uid": 4,
                    "X-GM-THRID": 1,
                    "X-GM-MSGID": 3,
                    "X-GM-LABELS": {'a"b', "ä"},
                },
            ],
        ),
        (
            lambda c: gmail.change_labels(c, uids("1"), Change.ADD, ("\\Starred", "äpfel", "a b")),
            {"messages": [{"uid": 1, "X-GM-LABELS": {"\\Starred", "äpfel", "a b"}}]},
        ),
        labels(Change.REMOVE, "1:3", "foo"),
        labels(Change.REPLACE, "1"),
        (lambda c: messages.uids_of(c, GmailSearch("has:attachment in:unread")), "3"),
        (
            lambda c: just_uids(
                GmailMessage(1278455344230334865)
                & GmailThread(18446744073709551615)
                & GmailLabel("foo")
                & ~GmailLabel("\\Inbox")
            ),
            "9",
        ),
    ],
    "gmail-without": [
        inbox(3),
        *(
            (Fetch(uids("1:*"), (item,)), Fails(CapabilityMissing, "X-GM-EXT-1"))
            for item in ("X-GM-MSGID", "x-gm-thrid", "X-GM-LABELS")
        ),
        *(
            (Search(key), Fails(CapabilityMissing, "X-GM-EXT-1"))
            for key in (GmailSearch("x"), GmailMessage(1), GmailThread(1), GmailLabel("x"))
        ),
        (
            StoreLabels(uids("1"), Change.ADD, frozenset({"x"})),
            Fails(CapabilityMissing, "X-GM-EXT-1"),
        ),
        (Noop(), None),
    ],
}

test_identities = each_way(CASES)


@pytest.mark.parametrize("text", ["", "a b", "(M1)", "x" * 256, "ä", 'x"', "1\r\n"])
def test_what_is_no_object_identifier(text: str) -> None:
    with pytest.raises(InvalidArgument):
        EmailId(text)


@pytest.mark.parametrize("number", [-1, 1 << 64, "1", None])
def test_what_is_no_number_of_gmail(number: int) -> None:
    with pytest.raises(InvalidArgument):
        GmailMessage(number)


@pytest.mark.parametrize("label", ["\\", "\\In box", "\\Inbox)", "\\a\r\nb", "\\ä"])
def test_what_is_no_label(label: str) -> None:
    with pytest.raises(InvalidArgument):
        GmailLabel(label)


def test_no_label_at_all() -> None:
    with pytest.raises(InvalidArgument, match="at least one label"):
        next(gmail.change_labels(Connection(), uids("1"), Change.ADD, ()))


def test_status_without_an_identifier() -> None:
    assert GetStatus("x", ("MAILBOXID",)).items == ("MAILBOXID",)
    assert MailboxStatus("x").mailboxid is None
