"""The extensions that the core has: each as its RFC shows it, and what is done without it."""

from __future__ import annotations

from imaplus.core.append import Append, Appended, Outgoing
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.listing import (
    RECURSIVEMATCH,
    SUBSCRIBED,
    List,
    ListEntry,
    Namespace,
    Namespaces,
)
from imaplus.core.mailboxes import Create, MailboxStatus, Select
from imaplus.core.messages import Change, Copied, Store
from imaplus.core.search import RETURN_COUNT, RETURN_MAX, RETURN_MIN, Found, Search
from imaplus.core.search_keys import (
    Answered,
    Draft,
    Flagged,
    ModSeq,
    Seen,
    Subject,
    Undeleted,
    Unseen,
)
from imaplus.core.search_query import All, Query
from imaplus.core.session import Enable, Noop
from imaplus.errors import (
    AlreadyExists,
    CapabilityMissing,
    InvalidArgument,
    NoSuchMailbox,
    OverQuota,
    Refused,
    TooLarge,
)
from imaplus.extensions.condstore import ChangedSince, Condstore, UnchangedSince
from imaplus.extensions.id import Id
from imaplus.extensions.qresync import Resync
from imaplus.flows import latest, listing, mailboxes, messages, special_use
from imaplus.flows.outgoing import outgoing
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import Capability, Exists, Vanished
from imaplus.protocol.data import Recent as RecentCount
from imaplus.protocol.flow import Flow
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

from .dialogue import Cases, Fails, Row, each_way, enabled, heard, mailbox

uids = SequenceSet.parse
HELLO = (Outgoing(Octets(b"hello")),)
ONE_TWO = (Outgoing(Octets(b"one")), Outgoing(Octets(b"two")))


def inbox(exists: int) -> Row:
    return Select("INBOX"), {"name": "INBOX", "exists": exists}


def persist(connection: Connection) -> object:
    return connection.mailbox is not None and connection.mailbox.uids_persist


def last_two(connection: Connection, query: Query) -> Flow[SequenceSet]:
    return latest.choose_uids(connection, query, newest_first=True, limit=2)


def role(connection: Connection, use: str) -> Flow[str | None]:
    found = yield from special_use.find(connection, use)
    return None if found is None else found.name


CASES: Cases = {
    "partial": [
        inbox(23764),
        (lambda c: last_two(c, Undeleted), "55500,65500"),
        (lambda c: latest.choose_uids(c, Undeleted, newest_first=False, limit=2), "200:201"),
        (lambda c: last_two(c, Draft), "7"),
        (lambda c: last_two(c, All), "23763:23764"),
        (lambda c: last_two(c, All), "23763:23764"),
    ],
    "latest-without-esearch": [
        inbox(23764),
        (lambda c: last_two(c, All), "55500,65500"),
        (lambda c: latest.choose_uids(c, All, newest_first=False, limit=2), "3,9"),
        (lambda c: last_two(c, Seen), "9,55500"),
    ],
    "xlist": [
        (lambda c: role(c, "\\Sent"), "Отправленные"),
        (lambda c: role(c, "\\junk"), "Junk"),
        (lambda c: role(c, "\\Trash"), "Papierkorb"),
        (lambda c: role(c, "\\Trash"), "Papierkorb"),
    ],
    "create-special-use": [
        (lambda c: special_use.ensure(c, "Sent", "\\sent", exist_ok=False), None),
        (lambda c: special_use.ensure(c, "Sent", "\\Sent", exist_ok=False), Fails(AlreadyExists)),
        (lambda c: special_use.ensure(c, "Sent", None, exist_ok=True), None),
        (lambda c: special_use.ensure(c, "no^no", None, exist_ok=True), Fails(Refused)),
        (lambda c: special_use.exists(c, "Parent"), False),
    ],
    "literal-plus": [
        (Append("INBOX", HELLO), [Appended()]),
    ],
    "literal-minus": [
        (Append("INBOX", HELLO), [Appended()]),
        (Append("INBOX", (Outgoing(Octets(b"x" * 4097)),)), Fails(TooLarge)),
    ],
    "literal-of-rev2": [(Append("INBOX", HELLO), [Appended()])],
    "literal-plus-refused": [
        (Append("nowhere", HELLO), Fails(NoSuchMailbox)),
        (Noop(), None),
    ],
    "id": [
        (
            Id((("name", "imaplus"), ("os", None))),
            {
                "name": "Cyrus",
                "version": "1.5",
                "os": None,
                "support-url": "mailto:cyrus-bugs+@andrew.cmu.edu",
            },
        ),
        (Id(), {}),
        (Id(), {}),
    ],
    "namespace-by-list": [(listing.namespaces, Namespaces((Namespace("", "."),)))],
    "special-use": [
        (
            lambda c: special_uses(c),
            [["INBOX", None], ["SentMail", "\\Sent"], ["Bin", "\\Important"]],
        ),
    ],
    "list-extended": [
        (
            lambda c: listing.list_mailboxes(c, subscribed=True),
            [
                ListEntry("INBOX", "/", frozenset({"\\Noinferiors", "\\Subscribed"})),
                ListEntry(
                    "Fruit/Peach",
                    "/",
                    frozenset({"\\NonExistent", "\\Noselect", "\\Subscribed"}),
                ),
            ],
        ),
        (
            List("", ("%", "a/%"), (SUBSCRIBED, RECURSIVEMATCH)),
            [ListEntry("Foo", "/", frozenset(), children_subscribed=True)],
        ),
    ],
    "list-status": [
        (
            lambda c: listing.list_mailboxes(c, "", "%", status=("MESSAGES", "UNSEEN")),
            [
                ListEntry("INBOX", ".", frozenset(), MailboxStatus("INBOX", 17, unseen=16)),
                ListEntry("foo", ".", frozenset(), MailboxStatus("foo", 30, unseen=29)),
                ListEntry("bar", ".", frozenset({"\\Noselect"})),
            ],
        ),
    ],
    "list-status-without": [
        (
            lambda c: listing.list_mailboxes(c, "", "%", status=("MESSAGES", "SIZE")),
            [
                ListEntry("INBOX", ".", frozenset(), MailboxStatus("INBOX", 17)),
                ListEntry("foo", ".", frozenset()),
                ListEntry("bar", ".", frozenset({"\\Noselect"})),
            ],
        ),
    ],
    "condstore": [
        (
            Select("INBOX", (Condstore(),)),
            {
                "name": "INBOX",
                "exists": 172,
                "uidvalidity": 3857529045,
                "highestmodseq": 715194045007,
            },
        ),
        (
            Store(
                uids("6,4,8"),
                Change.ADD,
                frozenset({"\\Deleted"}),
                silent=True,
                modifiers=(UnchangedSince(12121230045),),
            ),
            {
                "messages": [
                    {"uid": 4, "MODSEQ": 12121231000},
                    {"uid": 6, "MODSEQ": 12121230852},
                ],
                "modified": "8",
            },
        ),
        (
            Fetch(uids("1:*"), ("FLAGS",), (ChangedSince(12345),)),
            [{"uid": 4, "FLAGS": {"\\Seen"}, "MODSEQ": 65402}],
        ),
        (Search(ModSeq(620162338)), Found(uids("2,5,6"), 3, modseq=917162500)),
    ],
    "condstore-nomodseq": [
        (Select("INBOX", (Condstore(),)), {"name": "INBOX", "exists": 1}),
    ],
    "qresync": [
        (
            lambda c: mailboxes.open_mailbox(
                c,
                "INBOX",
                read_only=False,
                resync=Resync(67890007, 20050715194045000, uids("41:211,214:541")),
            ),
            {
                "name": "INBOX",
                "exists": 100,
                "uidvalidity": 67890007,
                "uidnext": 600,
                "highestmodseq": 20060115205545359,
                "uids": "117,119",
                "vanished_earlier": "41,43:116,118,120:211,214:540",
                "changes": [
                    {
                        "uid": 117,
                        "FLAGS": {"\\Seen", "\\Answered"},
                        "MODSEQ": 90060115194045001,
                    },
                    {
                        "uid": 119,
                        "FLAGS": {"\\Draft", "$MDNSent"},
                        "MODSEQ": 90060115194045308,
                    },
                ],
            },
        ),
        (enabled, {"QRESYNC", "CONDSTORE"}),
        (Noop(), None),
        (heard, [Vanished(uids("117,119"))]),
        (
            Fetch(uids("300:500"), ("FLAGS",), (ChangedSince(12345, vanished=True),)),
            [{"uid": 404, "FLAGS": {"\\Seen"}, "MODSEQ": 65402}],
        ),
        (heard, [Vanished(uids("300:310,405,411"), earlier=True)]),
    ],
    "qresync-without": [
        (
            lambda c: mailboxes.open_mailbox(c, "INBOX", read_only=True, resync=Resync(1, 1)),
            {"name": "INBOX", "exists": 1, "highestmodseq": 7, "read_only": True},
        ),
    ],
    "multiappend": [
        (
            lambda c: messages.append(
                c,
                "INBOX",
                (Outgoing(Octets(b"one"), frozenset({"\\Seen"})), Outgoing(Octets(b"two"))),
            ),
            [Appended(38505, 3955), Appended(38505, 3956)],
        ),
    ],
    "multiappend-refused": [
        (lambda c: messages.append(c, "INBOX", ONE_TWO), Fails(OverQuota, command="APPEND")),
        (Noop(), None),
    ],
    "multiappend-without": [
        (Append("INBOX", ONE_TWO), Fails(CapabilityMissing, capability="MULTIAPPEND")),
        (
            lambda c: messages.append(c, "INBOX", ONE_TWO),
            [Appended(38505, 3955), Appended(38505, 3956)],
        ),
    ],
    "uidnotsticky": [inbox(1), (persist, False)],
    "utf8-accept": [
        (Create("日本語"), None),
        (Enable(("UTF8=ACCEPT",)), {"UTF8=ACCEPT"}),
        (Select("日本語"), {"name": "日本語", "exists": 1}),
        (lambda c: messages.search(c, Subject("пиво")), Found(count=0)),
    ],
    "imap4rev2": [
        (Enable(("IMAP4REV2",)), {"IMAP4REV2"}),
        (Select("Entwürfe"), {"name": "Entwürfe", "exists": 2, "uidvalidity": 1}),
        (lambda c: just_uids(messages.search(c, Unseen)), "3:4"),
        (
            lambda c: messages.move(c, uids("3"), "a & b"),
            Copied(9, ((3, 3),), ((1, 1),)),
        ),
        (mailboxes.leave_mailbox, None),
        (
            lambda c: mailboxes.status(c, "INBOX", ("MESSAGES", "RECENT", "DELETED", "SIZE")),
            MailboxStatus("INBOX", 1, deleted=0, size=9),
        ),
    ],
    "esearch": [
        inbox(9000),
        (
            lambda c: numbers(Search(Flagged, (RETURN_MIN, RETURN_MAX, RETURN_COUNT))),
            ["", 25, 2, 47, None],
        ),
        (
            lambda c: numbers(messages.search(c, Answered)),
            ["1:17,21,4294967295", 19, None, None, 917162500],
        ),
        (lambda c: numbers(messages.search(c, Draft)), ["", 0, None, None, None]),
    ],
    "esearch-of-another": [
        inbox(9),
        (lambda c: numbers(messages.search(c, Flagged)), ["5", 1, None, None, None]),
    ],
    "binary": [
        (
            lambda c: messages.append(c, "INBOX", (outgoing(b"a\0\xff\r\n", binary=True),)),
            [Appended()],
        ),
        inbox(1),
        (
            Fetch(uids("1"), (BodySection("1", partial=(0, 2), binary=True),)),
            [{"uid": 1, "BINARY[1]<0>": b"\0\1"}],
        ),
        (
            Fetch(uids("1"), (BodySection("2", binary=True, peek=False),)),
            Fails(Refused, code="UNKNOWN-CTE"),
        ),
    ],
    "binary-without": [
        inbox(1),
        (Fetch(uids("1"), (BodySection("1", binary=True),)), Fails(CapabilityMissing)),
        (lambda c: BodySection("HEADER", binary=True), Fails(InvalidArgument)),
    ],
    "unsolicited": [
        inbox(3),
        (
            heard,
            [
                "OK [ALERT] Maintenance tonight",
                Exists(3),
                Capability(frozenset({"IMAP4REV1", "IDLE"})),
                MailboxStatus("other", 4),
                RecentCount(0),
            ],
        ),
        (
            Fetch(uids("1:*"), ("UID", "FLAGS")),
            [
                {"uid": 1, "FLAGS": set()},
                {"uid": 2, "FLAGS": {"\\Seen"}},
                {"uid": 3, "FLAGS": set()},
            ],
        ),
        (mailbox, {"name": "INBOX", "exists": 4, "uids": "1:3"}),
    ],
}


def just_uids(flow: Flow[Found]) -> Flow[SequenceSet]:
    found = yield from flow
    return found.uids


def numbers(flow: Flow[Found] | Search) -> Flow[tuple[object, ...]]:
    found = yield from flow
    return str(found.uids), found.count, found.min, found.max, found.modseq


def special_uses(connection: Connection) -> Flow[list[tuple[str, str | None]]]:
    found = yield from listing.list_mailboxes(connection)
    return [(each.name, each.special_use) for each in found]


test_extensions = each_way(CASES)
