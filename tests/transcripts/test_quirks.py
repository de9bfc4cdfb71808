"""What broken servers do, and what imaplus does then: the transcripts of tests/corpus.

The first number of a file's name is the quirk's. Quirks of ENVELOPE and BODYSTRUCTURE (8, 10 to
12, 41, 57 to 74) are values, not dialogues: `tests/core/test_corpus_structures.py` has those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from imaplus import AsyncClient, Client, Security
from imaplus.core.append import Appended, Outgoing
from imaplus.core.envelope import Envelope
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.listing import List, ListEntry, Namespace, Namespaces
from imaplus.core.mailboxes import Close, Examine, GetStatus, MailboxStatus, Select
from imaplus.core.messages import Change, Copied, Expunge
from imaplus.core.search import Found, Search
from imaplus.core.search_keys import Draft, Seen, Subject, Unseen
from imaplus.core.search_query import Query
from imaplus.core.session import Enable, GetCapability, Logout, Noop
from imaplus.errors import (
    AuthenticationFailed,
    ConnectionLost,
    MessageRefused,
    NoSuchMailbox,
    OverQuota,
    PartlyDone,
    Refused,
    Throttled,
    UnknownCharset,
)
from imaplus.extensions.condstore import Condstore
from imaplus.extensions.id import Id
from imaplus.extensions.qresync import Resync
from imaplus.flows import connect, limits, listing, mailboxes, messages, reading
from imaplus.flows import login as login_flow
from imaplus.flows.login import LoginOptions
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import Exists, Expunged
from imaplus.protocol.flow import Flow
from imaplus.protocol.state import State
from imaplus.sasl import BearerToken, Password
from imaplus.testing import ScriptServer, Server, Transcript
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

from .dialogue import CORPUS, Cases, Fails, Row, each_way, enabled, greeting, heard, mailbox

uids = SequenceSet.parse
ADA = Password("ada", "horse")
HELLO = Outgoing(Octets(b"hello"))
HALF_PAST_FOUR = timezone(-timedelta(hours=4, minutes=30))
A_DAY = datetime(2007, 2, 9, 17, 8, 8, tzinfo=HALF_PAST_FOUR)


def inbox(exists: int, **facts: object) -> Row:
    return Select("INBOX"), {"name": "INBOX", "exists": exists, **facts}


def log_in(connection: Connection) -> Flow[None]:
    identity = (("name", "imaplus"), ("version", "1"))
    return connect.connect(
        connection, ADA, starttls=False, login=LoginOptions(in_clear=True), identity=identity
    )


def log_in_and_open(*enable: str) -> Callable[[Connection], Flow[object]]:
    identity = (("name", "imaplus"), ("version", "1"))
    return lambda c: connect.connect(
        c,
        ADA,
        starttls=False,
        login=LoginOptions(in_clear=True),
        identity=identity,
        enable=enable,
        opening=Select("INBOX"),
    )


def can(*names: str) -> Callable[[Connection], object]:
    """Which of these are counted on."""
    return lambda c: {name for name in names if c.can(name)}


def state(connection: Connection) -> object:
    return connection.state


def authenticate(connection: Connection) -> Flow[None]:
    return login_flow.authenticate(connection, ADA, LoginOptions(in_clear=True))


def log_in_plainly(connection: Connection) -> Flow[None]:
    return login_flow.authenticate(
        connection, ADA, LoginOptions(in_clear=True, mechanisms=("LOGIN",))
    )


def append(mailbox: str, *messages_: Outgoing) -> Callable[[Connection], Flow[object]]:
    return lambda c: messages.append(c, mailbox, messages_)


def search(query: Query) -> Callable[[Connection], Flow[object]]:
    return lambda c: _uids(messages.search(c, query))


def _uids(flow: Flow[Found]) -> Flow[SequenceSet]:
    found = yield from flow
    return found.uids


def move(number: str) -> Callable[[Connection], Flow[object]]:
    return lambda c: messages.move(c, uids(number), "foo")


def store(numbers: SequenceSet) -> Callable[[Connection], Flow[object]]:
    return lambda c: messages.store(c, numbers, Change.ADD, ("\\Seen",), silent=True)


def entry(name: str, delimiter: str | None, *attributes: str) -> ListEntry:
    return ListEntry(name, delimiter, frozenset(attributes))


CASES: Cases = {
    "01-trailing-space": [
        (greeting, "PREAUTH [CAPABILITY] ready"),
        (GetCapability(), {"IMAP4REV1", "ID"}),
        (Id(), {"name": "x"}),
        (GetStatus("INBOX", ("UIDNEXT",)), MailboxStatus("INBOX", uidnext=1)),
        inbox(3),
        (Search(Seen), Found(uids("1:3"), 3)),
        (Search(Seen), Found(count=0)),
    ],
    "02-nul-padding": [inbox(3)],
    "03-bare-continuation": [
        (authenticate, None),
        (append("INBOX", HELLO), [Appended()]),
        (append("INBOX", HELLO), [Appended()]),
    ],
    "04-no-text": [
        (GetCapability(), {"IMAP4REV1"}),
        inbox(3, uidvalidity=5),
        (Noop(), Fails(Refused, "NOOP: NO", text="")),
    ],
    "05-empty-lines": [
        inbox(3),
        (
            Fetch(uids("1:2"), (BodySection(), "FLAGS")),
            [
                {"uid": 1, "BODY[]": b"hi", "FLAGS": set()},
                {"uid": 2, "BODY[]": b"ho", "FLAGS": set()},
            ],
        ),
        (heard, []),
    ],
    "06-literal-too-short": [
        inbox(3),
        (
            Fetch(uids("1:2"), ("UID", BodySection())),
            [{"uid": 1, "BODY[]": b"hello\r\n"}, {"uid": 2, "BODY[]": b"hello\r"}],
        ),
    ],
    "07-literal-too-long": [
        inbox(3),
        (Fetch(uids("1"), ("UID", BodySection())), Fails(ConnectionLost, "inside a response")),
    ],
    "09-odd-literal-sizes": [
        inbox(5),
        (
            Fetch(uids("1:4"), ("UID", BodySection())),
            [
                {"uid": 1, "BODY[]": b"ab"},
                {"uid": 2, "BODY[]": b"abc"},
                {"uid": 3, "BODY[]": b"abcd"},
                {"uid": 4, "BODY[]": b"abcde"},
            ],
        ),
    ],
    "15-flags-with-brackets": [
        inbox(
            3,
            flags={"\\Seen", "OIB-Seen-[Google", "Mail]/Alle", "{x}", "[css3-page]", '%a"b'},
            permanent_flags={"\\Seen", "[css3-page]", "OIB-Seen-[Google", "\\*"},
        ),
        (
            Fetch(uids("1")),
            [{"uid": 1, "FLAGS": {"\\Seen", "OIB-Seen-[Google", "Mail]/Alle", "$a]b"}}],
        ),
    ],
    "16-flags-twice": [
        (
            List(),
            [
                entry("INBOX", "|", "\\Noinferiors", "\\Marked", "\\HasNoChildren"),
                entry("Sent", "|", "\\Sent"),
            ],
        ),
        inbox(3, flags={"\\Answered", "\\Seen", "\\*"}),
    ],
    "17-quoted-flags": [
        (List(), [entry("foo", "/")]),
        inbox(3, flags={"\\Seen", "Junk"}),
        (
            Fetch(uids("1:2")),
            [{"uid": 1, "FLAGS": set()}, {"uid": 2, "FLAGS": {"\\Seen", "Junk"}}],
        ),
    ],
    "18-literal-plus-in-two": [
        (append("INBOX", HELLO), [Appended()]),
        (GetCapability(), {"IMAP4REV1", "IDLE", "LITERAL+"}),
    ],
    "19-small-letters": [
        inbox(3, flags={"\\Seen"}, permanent_flags={"\\Seen"}, uidvalidity=5, read_only=True),
        (Search(Seen), Found(uids("1:2"), 2)),
        (
            Fetch(uids("1"), ("ENVELOPE", "INTERNALDATE", BodySection("HEADER"))),
            [
                {
                    "uid": 1,
                    "ENVELOPE": Envelope(None, None, (), (), (), (), (), (), None, "<1@x>"),
                    "INTERNALDATE": None,
                    "BODY[HEADER]": None,
                }
            ],
        ),
        (Noop(), Fails(NoSuchMailbox, "gone")),
    ],
    "20-raw-line": [
        (Select("INBOX"), Fails(ConnectionLost, bye="Server Unavailable. 15")),
    ],
    "21-rest-on-the-next-line": [
        inbox(3),
        (
            Fetch(uids("7:8"), ("UID", "FLAGS", BodySection())),
            [
                {"uid": 7, "BODY[]": b"hi"},
                {"uid": 8, "BODY[]": b"ho", "FLAGS": set()},
            ],
        ),
        (heard, ["malformed"]),
    ],
    "22-odd-untagged": [
        inbox(3),
        (Noop(), None),
        (heard, [b"* NOOP", b"* 99 NOOP", Exists(4)]),
        (mailbox, {"name": "INBOX", "exists": 4}),
    ],
    "23-code-without-ok": [
        inbox(3, uidvalidity=5),
        (move("31"), Copied(55, ((31, 31),), ((6, 6),))),
        (move("32"), Copied(55, ((32, 32),), ((7, 7),))),
    ],
    "24-empty-copyuid": [
        inbox(3),
        (move("31"), Copied(701)),
        (lambda c: messages.copy(c, uids("31"), "foo"), Copied()),
    ],
    "25-code-that-is-none": [
        (authenticate, None),
        (GetCapability(), {"IMAP4REV1"}),
        (Noop(), Fails(Refused, '[Error="x" Proxy=y] really not', code=None)),
    ],
    "26-ok-for-a-wrong-password": [
        (log_in, Fails(AuthenticationFailed, "User is authenticated but not connected")),
    ],
    "27-zeros": [
        inbox(3),
        (
            GetStatus("foo", ("UIDNEXT", "UIDVALIDITY")),
            MailboxStatus("foo", uidnext=0, uidvalidity=0),
        ),
    ],
    "28-odd-modseq": [
        (Select("INBOX", (Condstore(),)), {"name": "INBOX", "exists": 3}),
        (
            Fetch(uids("1:3"), ("FLAGS", "MODSEQ")),
            [
                {"uid": 1, "FLAGS": set(), "MODSEQ": 0},
                {"uid": 2, "FLAGS": set(), "MODSEQ": 0},
                {"uid": 3, "FLAGS": set(), "MODSEQ": "malformed"},
            ],
        ),
    ],
    "29-enable-without-enabled": [
        (
            lambda c: mailboxes.open_mailbox(c, "INBOX", read_only=False, resync=Resync(5, 7)),
            {"name": "INBOX", "exists": 3, "highestmodseq": 9, "vanished_earlier": "4"},
        ),
        (Close(), None),
        (Enable(("UTF8=ACCEPT",)), set()),
        (enabled, {"QRESYNC"}),
    ],
    "30-endless-bye": [(Logout(), None)],
    "30-endless-bye-meanwhile": [
        (Select("INBOX"), Fails(ConnectionLost, bye="Too many requests")),
    ],
    "31-tagged-bye": [(Logout(), None), (heard, [])],
    "31-no-tagged-ok": [(Logout(), None)],
    "32-message-zero": [
        inbox(3),
        (
            Fetch(uids("1:*"), ("UID", "FLAGS")),
            [{"uid": 7, "FLAGS": set()}],
        ),
        (heard, [b"* 0 FETCH (FLAGS (\\Seen))", b"* 0 EXPUNGE", Expunged(4)]),
        (mailbox, {"name": "INBOX", "exists": 3, "uids": "7"}),
    ],
    "33-throttled": [
        (Noop(), Fails(Throttled, "throttled", status="BAD", retry_after=92.415)),
        (Noop(), Fails(Throttled, "later", retry_after=None)),
    ],
    "34-session-expired": [
        inbox(3),
        (Noop(), Fails(ConnectionLost, bye="Session expired, please login again.")),
    ],
    "35-no-after-some": [
        inbox(3),
        (Fetch(uids("1:3")), [{"uid": 1, "FLAGS": set()}, {"uid": 3, "FLAGS": set()}]),
        (Fetch(uids("1:3")), [{"uid": 1, "FLAGS": set()}]),
        (Fetch(uids("1")), Fails(Refused, "Permission denied")),
    ],
    "36-web-alert": [
        (
            authenticate,
            Fails(
                AuthenticationFailed,
                "https://accounts.google.com/signin/continue?sarp=1",
                code="WEBALERT",
            ),
        ),
    ],
    "37-limited-lines": [
        inbox(9999),
        (store(SequenceSet.of(range(1001, 1401, 2))), {"messages": []}),
        (store(uids("1:2000")), {"messages": []}),
        (GetCapability(), {"IMAP4REV1"}),
        (
            lambda c: messages.copy(c, SequenceSet.of(range(1001, 1401, 2)), "foo"),
            Copied(),
        ),
    ],
    "38-descending-range": [
        inbox(9),
        (
            lambda c: messages.copy(c, SequenceSet.of([9, 8, 7, 6]), "foo"),
            Copied(5, ((9, 6),), ((14, 11),)),
        ),
    ],
    "39-empty-mailbox": [
        (Select("INBOX"), {"name": "INBOX"}),
        (messages.all_uids, ""),
        (messages.all_uids, "7"),
    ],
    "40-unquoted-names": [
        (
            List(),
            [
                entry(
                    "INBOX/Da\ufffd09Oggetto\ufffd09Ricevuto\ufffd09Dimensione ",
                    "/",
                    "\\HasNoChildren",
                ),
                entry("Fim\ufffd09", "/", "\\HasNoChildren"),
                entry("quoted", "/", "\\HasNoChildren"),
                entry("INBOX", "/", "\\HasNoChildren"),
                entry("Sent Items (old)", "/", "\\HasNoChildren"),
                entry("Sent Items", "/", "\\HasNoChildren"),
            ],
        ),
    ],
    "42-nothing-for-return": [
        (
            lambda c: listing.list_mailboxes(c, pattern="INBOX"),
            [entry("INBOX", ".", "\\HasNoChildren")],
        ),
    ],
    "43-bad-to-list-extended": [
        (listing.list_mailboxes, [entry("Sent", "/", "\\HasNoChildren", "\\Sent")]),
    ],
    "44-only-what-was-asked-for": [
        (
            lambda c: listing.list_mailboxes(c, status=("MESSAGES",)),
            [
                entry("Sent", "/", "\\Sent", "\\HasNoChildren", "\\Subscribed").with_status(
                    MailboxStatus("Sent", 4)
                )
            ],
        ),
    ],
    "45-no-lsub": [
        (Enable(("IMAP4REV2",)), {"IMAP4REV2"}),
        (
            lambda c: listing.list_mailboxes(c, subscribed=True),
            [entry("foo", "/", "\\Subscribed")],
        ),
    ],
    "46-odd-names": [
        (
            List(),
            [
                entry("gone", "/", "\\NonExistent", "\\Noselect"),
                entry("INBOX", "/"),
                entry("NIL", "/"),
                entry("2015", "/"),
                entry("a b", "/"),
                entry("Other\\x", "\\"),
            ],
        ),
        (GetStatus("NIL", ("MESSAGES",)), MailboxStatus("NIL", 4)),
    ],
    "47-namespace-drops": [
        (log_in, None),
        (listing.namespaces, Namespaces((Namespace("", "/"),))),
    ],
    "48-no-namespace": [
        (listing.namespaces, Namespaces((Namespace("", None),))),
        (listing.namespaces, Namespaces((Namespace("", "/"),))),
        (listing.namespaces, Namespaces((Namespace("", None),))),
    ],
    "49-unsafe-login": [
        (log_in, None),
        (Select("INBOX"), Fails(Refused, "Please contact kefu@188.com")),
    ],
    "50-search-for-esearch": [
        inbox(9),
        (lambda c: messages.search(c, Seen), Found(uids("1:3"), 3)),
    ],
    "51-bad-charset": [
        inbox(9),
        (search(Subject("plain")), "1"),
        (search(Subject("café")), "2"),
        (search(Subject("пиво")), "3"),
        (search(Subject("пиво")), Fails(UnknownCharset)),
    ],
    "52-odd-search": [
        inbox(9),
        (Search(Seen), Found(uids("1:3"), 3, modseq=999)),
        (Search(Seen), Found(uids("4:6"), 3)),
        (Search(Seen), Found(count=0)),
        (Search(Seen), Found(count=0, modseq=7)),
    ],
    "53-gmail": [
        inbox(9),
        (search(Unseen), "10"),
        (lambda c: mailboxes.create(c, "a/b/"), None),
    ],
    "54-status-of-others": [
        (GetStatus("inbox", ("UIDNEXT",)), MailboxStatus("INBOX", uidnext=24369)),
        (heard, [MailboxStatus("sent", uidnext=123)]),
        (GetStatus("Sent Items", ("UIDNEXT",)), MailboxStatus("Sent Items", uidnext=9)),
    ],
    "55-no-exists-after-append": [
        inbox(9),
        (append("inbox", HELLO), [Appended(1, 10)]),
        (mailbox, {"name": "INBOX", "exists": 10}),
        (append("INBOX", HELLO), [Appended(1, 11)]),
    ],
    "56-inbox-in-any-case": [
        (List(), [entry("INBOX", "/"), entry("inbox/Sub", "/")]),
        (GetStatus("INBOX", ("MESSAGES",)), MailboxStatus("INBOX", 4)),
    ],
    "75-value-missing": [
        inbox(9),
        (
            Fetch(uids("3016"), (BodySection("2.MIME"), BodySection("2"))),
            [{"uid": 3016, "BODY[2.MIME]": b"a: b", "BODY[2]": None}],
        ),
    ],
    "76-unasked-items": [
        inbox(3),
        (
            Fetch(uids("5:7"), ("UID", BodySection())),
            [
                {
                    "uid": 5,
                    "XAOL.SPAM.REASON": b"3",
                    "XAOL-LIST": b'(a (b {2}\r\n) "c)")',
                    "BODY[]": b"hi",
                    "XAOL.X": b'"q"',
                },
                {"uid": 6, "BODY[]": b"ho"},
                {"uid": 7, "BODY[]": b"he"},
            ],
        ),
        (
            Fetch(uids("7"), ("FLAGS", "RFC822.SIZE")),
            [{"uid": 7, "FLAGS": {"\\Seen"}, "RFC822.SIZE": 2}],
        ),
        (mailbox, {"name": "INBOX", "exists": 2, "uids": "6:7"}),
    ],
    "77-section-names": [
        inbox(3),
        (
            Fetch(
                uids("5"),
                (BodySection(partial=(0, 1024)), BodySection("HEADER.FIELDS", ("SUBJECT", "X-a"))),
            ),
            [
                {
                    "uid": 5,
                    "BODY[]<0>": b"hi",
                    "BODY[HEADER.FIELDS (SUBJECT X-A)]": b"Subject: x",
                }
            ],
        ),
    ],
    "78-no-thread": [
        inbox(9),
        (
            Fetch(uids("1:3"), ("EMAILID", "THREADID")),
            [
                {"uid": 1, "EMAILID": "M1", "THREADID": None},
                {"uid": 2, "EMAILID": "M2", "THREADID": None},
                {"uid": 3, "EMAILID": "M3", "THREADID": "T1"},
            ],
        ),
    ],
    "79-odd-dates": [
        inbox(6),
        (
            Fetch(uids("1:6"), ("INTERNALDATE",)),
            [
                {"uid": 1, "INTERNALDATE": A_DAY},
                {"uid": 2, "INTERNALDATE": A_DAY},
                {"uid": 3, "INTERNALDATE": None},
                {"uid": 4, "INTERNALDATE": None},
                {"uid": 5, "INTERNALDATE": None},
                {"uid": 6, "INTERNALDATE": None},
            ],
        ),
    ],
    "80-final-crlf": [
        (append("INBOX", Outgoing(Octets(b"a: b\r\n"))), [Appended()]),
        (append("INBOX", Outgoing(Octets(b"a: b"))), [Appended()]),
    ],
    "81-message-refused": [
        (append("INBOX", HELLO), Fails(MessageRefused, "NUL characters")),
        (append("INBOX", HELLO), Fails(MessageRefused, "invalid header")),
        (append("INBOX", HELLO), Fails(MessageRefused, "Argument Error. 11", status="BAD")),
        (append("INBOX", HELLO, HELLO), Fails(MessageRefused, "invalid header")),
        (append("INBOX", HELLO), Fails(MessageRefused, "bare newlines")),
        (append("INBOX", HELLO), Fails(MessageRefused, "zero-length", status="BAD")),
    ],
    "82-sasl-prompts": [
        (authenticate, Fails(AuthenticationFailed, "failed")),
        (authenticate, Fails(AuthenticationFailed, "the other way round")),
        (authenticate, None),
    ],
    "82-xoauth2-failure": [
        (
            lambda c: login_flow.authenticate(
                c, BearerToken("ada", "token"), LoginOptions(in_clear=True)
            ),
            Fails(AuthenticationFailed, "status: 400, schemes: Bearer"),
        ),
    ],
    "83-user-with-a-slash": [
        (
            lambda c: login_flow.authenticate(
                c, Password("DOMAIN\\ada/shared", "horse"), LoginOptions(in_clear=True)
            ),
            None,
        ),
    ],
    "98-too-many-connections": [
        (
            lambda c: login_flow.authenticate(
                c, BearerToken("ada", "token"), LoginOptions(in_clear=True)
            ),
            Fails(Throttled, "Too many simultaneous", code="ALERT", retry_after=None),
        ),
        (authenticate, Fails(Throttled, "simultaneous", code="ALERT")),
        (log_in_plainly, Fails(Throttled, "login failures", code="LIMIT")),
        (log_in_plainly, Fails(AuthenticationFailed, "Invalid")),
    ],
    "98-bandwidth": [
        inbox(3),
        (Fetch(uids("1:3")), Fails(Throttled, "bandwidth", code="OVERQUOTA")),
    ],
    "84-id-and-enable-refused": [
        (log_in, None),
        (enabled, set()),
        (can("IMAP4rev2", "ESEARCH", "MOVE", "ENABLE", "NAMESPACE"), {"ENABLE", "NAMESPACE"}),
        (Select("Entwürfe"), {"name": "Entwürfe", "exists": 3}),
        (search(Unseen), "2:3"),
        (listing.namespaces, Namespaces((Namespace("", "/"),))),
        (listing.namespaces, Namespaces((Namespace("", "/"),))),
        (can("NAMESPACE"), set()),
    ],
    "84-refused-behind-the-login": [
        (log_in_and_open("IMAP4REV2"), {"name": "INBOX", "exists": 3}),
        (can("IMAP4rev2", "ESEARCH", "MOVE"), set()),
    ],
    "84-enable-one-by-one": [
        (log_in_and_open("IMAP4REV2", "CONDSTORE"), {"name": "INBOX", "exists": 3}),
        (enabled, {"CONDSTORE"}),
        (can("IMAP4rev2", "MOVE", "CONDSTORE"), {"CONDSTORE"}),
    ],
    "84-only-rev2-not-enabled": [
        (Enable(("IMAP4REV2", "CONDSTORE")), {"CONDSTORE"}),
        (can("IMAP4rev2", "UIDPLUS", "ESEARCH", "CONDSTORE"), {"CONDSTORE"}),
    ],
    "84-capability-refused": [
        (log_in, None),
        (can("MOVE", "IDLE", "ENABLE"), set()),
        inbox(3),
    ],
    "84-capability-not-told": [(log_in, None)],
    "84-compress-refused": [
        (connect.compress, None),
        (can("COMPRESS=DEFLATE"), set()),
        (connect.compress, None),
        (Noop(), None),
    ],
    "84-search-return-refused": [
        inbox(9),
        (search(Subject("a b")), "4"),
        (search(Unseen), "4:5"),
        (can("ESEARCH"), set()),
    ],
    "84-search-refused": [
        inbox(9),
        (search(Subject("x")), Fails(Refused, "too much")),
        (search(Unseen), "4"),
    ],
    "84-qresync-refused": [
        (
            lambda c: mailboxes.open_mailbox(c, "INBOX", read_only=False, resync=Resync(5, 7)),
            {"name": "INBOX", "exists": 3},
        ),
        (can("QRESYNC", "CONDSTORE"), set()),
        (
            lambda c: mailboxes.open_mailbox(c, "nowhere", read_only=True, resync=Resync(5, 7)),
            Fails(NoSuchMailbox, "no such mailbox"),
        ),
    ],
    "84-list-return-refused": [
        (listing.list_mailboxes, [entry("Sent", "/")]),
        (listing.list_mailboxes, [entry("Sent", "/")]),
    ],
    "84-unselect-refused": [
        inbox(3),
        (mailboxes.leave_mailbox, None),
        (state, State.AUTHENTICATED),
        (Examine("INBOX"), {"name": "INBOX", "exists": 3, "read_only": True}),
        (mailboxes.leave_mailbox, None),
        (state, State.AUTHENTICATED),
    ],
    "94-sections-left-out": [
        (Select("INBOX"), {"name": "INBOX", "exists": 1}),
        (
            lambda c: reading.sections(
                c, 7, [BodySection("1"), BodySection("2"), BodySection("3")]
            ),
            {"BODY[1]": b"one", "BODY[2]": b"two"},
        ),
    ],
    "85-esearch-without-all": [
        (Enable(("IMAP4REV2",)), {"IMAP4REV2"}),
        inbox(4028),
        (messages.all_uids, "1:3"),
        (search(Unseen), "3"),
    ],
    "85-esearch-of-some-without-all": [
        inbox(4028),
        (search(Unseen), "3"),
        (search(Seen), "1:2"),
    ],
    "85-esearch-that-works": [
        inbox(4028),
        (search(Unseen), ""),
        (search(Draft), ""),
    ],
    "85-esearch-with-a-count-only": [
        inbox(4028),
        (search(Unseen), "3:4"),
    ],
    "87-message-limit": [
        (Select("INBOX"), {"name": "INBOX", "exists": 7, "uidnext": 18}),
        (lambda c: messages.search(c, Unseen), Found(uids("11:12,15:17"), 5)),
        (
            lambda c: messages.fetch(c, uids("1:*")),
            [{"uid": uid, "FLAGS": set()} for uid in (15, 16, 17, 12, 13, 14, 11)],
        ),
        (
            lambda c: messages.store(c, uids("11:17"), Change.ADD, ("\\Seen",)),
            {
                "messages": [{"uid": uid, "FLAGS": {"\\Seen"}} for uid in (17, 11)],
                "modified": "16",
            },
        ),
        (
            lambda c: messages.copy(c, uids("11:17"), "foo"),
            Copied(9, ((11, 13), (14, 16), (17, 17)), ((1, 3), (4, 6), (7, 7))),
        ),
        (move("11:17"), Copied(9, ((15, 17), (11, 14)), ((8, 10), (11, 14)))),
        (lambda c: limits.in_portions(c, [Expunge(uids("11:17"))]), [None, None]),
        (
            append("INBOX", *(Outgoing(Octets(octet)) for octet in (b"a", b"b", b"c"))),
            [Appended(9, 18), Appended(9, 19), Appended(9, 20)],
        ),
    ],
    "87-message-limit-no-further": [
        (Select("INBOX"), {"name": "INBOX", "exists": 7, "uidnext": 18}),
        (search(Unseen), Fails(PartlyDone, "partly", limit=3, uid=15)),
        (lambda c: messages.fetch(c, uids("1:*")), Fails(PartlyDone, "partly", uid=15)),
        (store(uids("11:17")), Fails(PartlyDone, "partly", limit=3, uid=None)),
        (store(uids("11:17")), Fails(PartlyDone, "partly", limit=None, uid=None)),
        (
            lambda c: messages.copy(c, uids("16:17"), "foo"),
            Fails(PartlyDone, "too many", status="NO", limit=3, part=None),
        ),
        (store(uids("11:14")), Fails(PartlyDone, "partly", uid=15)),
        (Fetch(uids("1:*")), Fails(PartlyDone, "partly", status="OK")),
    ],
    "99-over-quota-in-words": [
        (append("INBOX", HELLO), Fails(OverQuota, "Over quota", code=None)),
        inbox(3),
        (lambda c: messages.copy(c, uids("1"), "foo"), Fails(OverQuota, "Quota exceeded")),
        (lambda c: messages.copy(c, uids("1"), "foo"), Fails(Refused, "No quota root")),
    ],
    "100-code-not-in-front": [
        (
            append("nowhere", HELLO),
            Fails(NoSuchMailbox, "NO [TRYCREATE] APPEND failed", code="TRYCREATE"),
        ),
        (Noop(), Fails(Refused, "SELECT [Gmail]/x is not there", code=None)),
        (Noop(), Fails(Refused, "NOOP [XYZZY] nothing happens", code=None)),
        (Noop(), Fails(Throttled, "NO [INUSE] Mailbox is in use", code="INUSE")),
    ],
    "101-status-of-the-selected": [
        inbox(3),
        (
            lambda c: mailboxes.status(c, "inbox", ("MESSAGES",)),
            MailboxStatus("INBOX", messages=4),
        ),
        (lambda c: mailboxes.status(c, "foo", ("MESSAGES",)), MailboxStatus("foo", messages=1)),
        (
            lambda c: listing.list_mailboxes(c, status=("MESSAGES",)),
            [entry("INBOX", "/").with_status(MailboxStatus("INBOX", messages=5))],
        ),
        (mailbox, {"name": "INBOX", "exists": 5}),
    ],
    "102-close-after-examine": [
        (Examine("INBOX"), {"name": "INBOX", "exists": 3, "read_only": True}),
        (mailboxes.leave_mailbox, None),
        (state, State.AUTHENTICATED),
        inbox(3),
        (mailboxes.leave_mailbox, None),
        (mailbox, None),
    ],
    "103-stops-at-what-it-cannot-decode": [
        (Select("INBOX"), {"name": "INBOX", "exists": 5, "uidnext": 6}),
        (
            lambda c: messages.fetch(c, uids("1:*"), (BodySection("1", binary=True),)),
            [
                {"uid": 1, "BINARY[1]": b"hi"},
                {"uid": 2, "BINARY[1]": b"hi"},
                {"uid": 3, "FLAGS": {"\\Seen"}},
                {"uid": 4, "BINARY[1]": b"hi"},
                {"uid": 5, "BINARY[1]": b"hi"},
            ],
        ),
    ],
}
ALONE = {"90-idle-ends-at-once", "90-idle-refused"}
"""Files that need more than a row."""

test_quirks = each_way(CASES, CORPUS)


def test_nothing_is_fetched_of_an_empty_mailbox() -> None:
    """Quirk 39, where users meet it: `fetch("1:*")`."""
    with (
        Server() as server,
        Client.connect(
            server.host,
            server.port,
            user=server.user,
            password=server.password,
            security=Security.PLAIN,
        ) as client,
    ):
        box = client.select("INBOX")
        assert list(box.fetch("1:*")) == []
        assert not any(" FETCH " in line for line in server.commands[0])
        server.add_message("INBOX", b"Subject: now there is\r\n\r\n")
        assert [message.uid for message in box.fetch("1:*")] == [1]


@pytest.mark.parametrize("name", sorted(ALONE))
def test_idle_that_cannot_last(name: str) -> None:
    """Quirk 90: what happens is heard by NOOP; IDLE is not begun anew at once, nor an error."""
    with ScriptServer(Transcript.load(CORPUS / f"{name}.txt")) as server:
        client = Client.connect(server.host, server.port, security=Security.PLAIN)
        assert next(iter(client.select("INBOX").idle())) == Exists(4)
        client.close()

    async def asynchronous(server: ScriptServer) -> None:
        client = await AsyncClient.connect(server.host, server.port, security=Security.PLAIN)
        mailbox = await client.select("INBOX")
        assert await anext(aiter(mailbox.idle())) == Exists(4)
        await client.close()

    with ScriptServer(Transcript.load(CORPUS / f"{name}.txt")) as server:
        asyncio.run(asynchronous(server))
