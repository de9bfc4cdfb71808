"""RFC 9051, section 6 in its order, and what RFC 3501 and RFC 1730 had beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from imaplus.core.append import Append, Appended, Outgoing
from imaplus.core.envelope import Address, Envelope
from imaplus.core.fetch import Fetch
from imaplus.core.fetch_items import BodySection
from imaplus.core.idle import Idle
from imaplus.core.listing import GetNamespaces, List, ListEntry, Lsub, Namespace, Namespaces
from imaplus.core.listing import Subscribed as SubscribedMailbox
from imaplus.core.mailboxes import (
    Check,
    Close,
    Create,
    Delete,
    Examine,
    GetStatus,
    MailboxStatus,
    Rename,
    Select,
    Subscribe,
    Unselect,
    Unsubscribe,
)
from imaplus.core.messages import Change, Copied, Copy, Expunge, ExpungeAll, Store
from imaplus.core.parts import Part, TextPart
from imaplus.core.search import Found, Search
from imaplus.core.search_keys import (
    Flagged,
    From,
    HasKeyword,
    Larger,
    New,
    Recent,
    Seen,
    Since,
    Subject,
    Text,
    Uid,
    Unseen,
)
from imaplus.core.session import Enable, GetCapability, Login, Logout, Noop
from imaplus.errors import (
    AlreadyExists,
    AuthenticationFailed,
    CapabilityMissing,
    ConnectionLost,
    NoSuchMailbox,
    NotPermitted,
    OverQuota,
    ProtocolError,
    Refused,
    Rejected,
    StateError,
    TooLarge,
)
from imaplus.flows import connect, listing, mailboxes, messages
from imaplus.flows import login as login_flow
from imaplus.flows.login import LoginOptions
from imaplus.protocol.connection import Connection
from imaplus.protocol.data import Exists, Expunged
from imaplus.protocol.data import Recent as RecentCount
from imaplus.protocol.flow import Together
from imaplus.protocol.state import State
from imaplus.sasl import Password
from imaplus.wire.secret import Secret
from imaplus.wire.sets import SequenceSet
from imaplus.wire.sources import Octets

from .dialogue import Cases, Fails, Row, each_way, enabled, heard, mailbox

uids = SequenceSet.parse
PASSWORD = Secret("horse")
HELLO = (Outgoing(Octets(b"hello")),)
GRAY = (Address("Terry Gray", "gray", "cac.washington.example"),)


def capabilities(connection: Connection) -> object:
    return connection.capabilities


def state(connection: Connection) -> object:
    return connection.state


def inbox(exists: int) -> Row:
    return Select("INBOX"), {"name": "INBOX", "exists": exists}


def pdf(name: str) -> Part:
    return Part("1", "application", "pdf", {"name": name}, encoding="base64", size=690)


CASES: Cases = {
    "capability": [
        (capabilities, {"IMAP4REV1", "STARTTLS"}),
        (GetCapability(), {"IMAP4REV1", "AUTH=PLAIN", "XYZZY"}),
        (capabilities, {"IMAP4REV1", "AUTH=PLAIN", "XYZZY"}),
    ],
    "noop": [
        inbox(22),
        (Noop(), None),
        (
            heard,
            [
                Expunged(22),
                Exists(23),
                RecentCount(3),
                {"uid": None, "FLAGS": {"\\Seen", "\\Deleted"}},
            ],
        ),
        (mailbox, {"name": "INBOX", "exists": 23, "recent": 3}),
    ],
    "logout": [
        (Logout(), None),
        (state, State.LOGOUT),
        (Noop(), Fails(ConnectionLost, "see you", bye="see you")),
    ],
    "login": [
        (Login("ada", Secret('correct "horse"')), None),
        (state, State.AUTHENTICATED),
        (capabilities, set()),
        (GetCapability(), {"IMAP4REV1", "IDLE"}),
    ],
    "login-tells-capabilities": [
        (Login("ada", PASSWORD), None),
        (capabilities, {"IMAP4REV1", "IDLE"}),
    ],
    "login-tells-capabilities-untagged": [
        (Login("ada", PASSWORD), None),
        (capabilities, {"IMAP4REV1", "IDLE"}),
    ],
    "login-by-literal": [
        (Login("ada", Secret("grüß")), None),
        (state, State.AUTHENTICATED),
    ],
    "login-refused": [
        (Login("ada", Secret("wrong")), Fails(AuthenticationFailed, code="AUTHENTICATIONFAILED")),
        (
            lambda c: login_flow.authenticate(
                c, Password("ada", "wrong"), LoginOptions(in_clear=True)
            ),
            Fails(AuthenticationFailed, "LOGIN: NO no such user", code=None),
        ),
        (state, State.NOT_AUTHENTICATED),
    ],
    "enable": [
        (Enable(("CONDSTORE", "X-GOOD-IDEA")), {"CONDSTORE", "X-GOOD-IDEA"}),
        (enabled, {"CONDSTORE", "X-GOOD-IDEA"}),
        (Enable(("NONSENSE",)), set()),
        (enabled, {"CONDSTORE", "X-GOOD-IDEA"}),
    ],
    "select": [
        (
            Select("INBOX"),
            {
                "name": "INBOX",
                "exists": 172,
                "recent": 1,
                "first_unseen": 12,
                "uidvalidity": 3857529045,
                "uidnext": 4392,
                "flags": {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"},
                "permanent_flags": {"\\Deleted", "\\Seen", "\\*"},
            },
        ),
        (state, State.SELECTED),
    ],
    "select-another": [
        inbox(3),
        (Select("old"), {"name": "old", "exists": 7, "uidvalidity": 5}),
        (mailbox, {"name": "old", "exists": 7, "uidvalidity": 5}),
    ],
    "select-refused": [
        inbox(3),
        (Select("no such thing"), Fails(NoSuchMailbox, "No such mailbox")),
        (mailbox, None),
        (state, State.AUTHENTICATED),
    ],
    "examine": [
        (Examine("INBOX"), {"name": "INBOX", "exists": 17, "read_only": True}),
        (Examine("INBOX"), {"name": "INBOX", "exists": 17, "read_only": True}),
        (Select("INBOX"), {"name": "INBOX", "exists": 17, "read_only": True}),
    ],
    "create-delete-rename": [
        (Create("owatagusiam/"), None),
        (Create("two words"), Fails(AlreadyExists)),
        (Rename("blurdybloop", "ärger"), None),
        (Delete("foo"), Fails(Refused, "has inferior", command="DELETE", status="NO")),
        (Delete("foo"), Fails(Rejected, "what?")),
    ],
    "subscribe": [
        (Subscribe("#news.comp.mail.mime"), None),
        (Unsubscribe("#news.comp.mail.mime"), None),
    ],
    "list": [
        (
            List(),
            [
                ListEntry("INBOX", "/", frozenset()),
                ListEntry('a "b\\c', "/", frozenset({"\\Marked", "\\Noinferiors"})),
                ListEntry("日本語", None, frozenset({"\\Noselect"})),
                ListEntry("x y.z", ".", frozenset({"\\HasChildren"})),
            ],
        ),
        (List("~/Mail/", ("%",)), []),
    ],
    "list-in-utf8": [
        (Enable(("IMAP4rev2",)), {"IMAP4REV2"}),
        (
            List("", ("日*", "INBOX")),
            [
                ListEntry("日本語", "/", frozenset({"\\Subscribed"})),
                ListEntry(
                    "ä & ö", "/", frozenset({"\\NonExistent", "\\Noselect"}), old_name="&AOQ-"
                ),
                ListEntry("foo", "/", frozenset(), children_subscribed=True),
            ],
        ),
    ],
    "names-in-form-c": [
        (Create("cafe\u0301"), None),
        (Enable(("IMAP4rev2",)), {"IMAP4REV2"}),
        (Create("cafe\u0301"), None),
        (lambda c: mailboxes.status(c, "cafe\u0301", ("MESSAGES",)), MailboxStatus("café", 1)),
        (lambda c: mailboxes.status(c, "e\u0301", ("MESSAGES",)), MailboxStatus("e\u0301", 2)),
        (
            lambda c: mailboxes.open_mailbox(c, "o\u0308", read_only=False),
            Fails(NoSuchMailbox, "no such mailbox"),
        ),
        (Subscribe("o\u0308"), Fails(NoSuchMailbox, "no such mailbox")),
        (
            List(),
            [
                ListEntry("cafe\u0301", "/", frozenset()),
                ListEntry("caf\u00e9", "/", frozenset()),
            ],
        ),
        (Examine("cafe\u0301"), {"name": "cafe\u0301", "read_only": True}),
        (Examine("caf\u00e9"), {"name": "caf\u00e9", "read_only": True}),
    ],
    "lsub": [
        (
            Lsub(),
            [
                SubscribedMailbox("#news.comp.mail.mime", ".", frozenset({"\\Subscribed"})),
                SubscribedMailbox("foo", ".", frozenset({"\\Subscribed", "\\Noselect"})),
            ],
        ),
        (heard, [ListEntry("unasked", ".", frozenset())]),
    ],
    "namespace": [
        (
            GetNamespaces(),
            Namespaces(
                (Namespace("", "/"), Namespace("#mh/", "/")),
                (Namespace("~", "/"),),
                (Namespace("#shared/", "/"), Namespace("#public/", None)),
            ),
        ),
        (listing.namespaces, Namespaces((Namespace("INBOX.", "."),))),
    ],
    "status": [
        (
            GetStatus("blurdybloop", ("UIDNEXT", "MESSAGES")),
            MailboxStatus("blurdybloop", messages=231, uidnext=44292),
        ),
        (
            GetStatus("Sent Items", ("SIZE", "HIGHESTMODSEQ", "RECENT")),
            MailboxStatus(
                "Sent Items", size=5_000_000_000, highestmodseq=18446744073709551615, recent=0
            ),
        ),
        (GetStatus("gone", ("MESSAGES",)), Fails(NoSuchMailbox)),
        (GetStatus("mute", ("MESSAGES",)), Fails(ProtocolError, "did not send the answer")),
    ],
    "one-bad-value": [
        inbox(9),
        (GetStatus("a", ("MESSAGES",)), MailboxStatus("a", messages=3)),
        (GetStatus("a", ("MESSAGES",)), MailboxStatus("a", messages=3)),
        (GetStatus("a", ("MESSAGES",)), MailboxStatus("a", messages=3, unseen=1)),
        (GetStatus("a", ("MESSAGES",)), MailboxStatus("a", uidnext=4)),
        (GetStatus("a", ("MESSAGES",)), Fails(ProtocolError, "* STATUS a (MESSAGES")),
        (Search(), Found(uids("5,7"), 2)),
        (Search(), Found(uids("5,7"), 2, modseq=9)),
        (Search(), Fails(ProtocolError, "* SEARCH x")),
        (Search(), Found(uids("1:3"), 3, min=1)),
        (Search(), Fails(ProtocolError, "* ESEARCH UID ALL 1:x")),
    ],
    "status-pipelined": [
        (
            Together(GetStatus("a", ("MESSAGES",)), GetStatus("b", ("MESSAGES",))),
            [MailboxStatus("a", 1), MailboxStatus("b", 2)],
        ),
    ],
    "append": [
        (
            Append(
                "saved-messages",
                (
                    Outgoing(
                        Octets(b"From: Fred\r\n\r\nHello Joe.\r\n"),
                        frozenset({"\\Seen", "$MDNSent"}),
                        datetime(1994, 2, 7, 21, 52, 25, tzinfo=timezone(timedelta(hours=-8))),
                    ),
                ),
            ),
            [Appended(38505, 3955)],
        ),
    ],
    "append-nowhere": [
        (Append("nowhere", HELLO), Fails(NoSuchMailbox, code="TRYCREATE")),
        (Noop(), None),
    ],
    "append-ok-too-early": [
        (Append("INBOX", HELLO), Fails(ProtocolError, "APPEND: OK before the command was sent")),
        (Noop(), Fails(ProtocolError)),
    ],
    "append-told-meanwhile": [
        inbox(1),
        (Append("other", HELLO), [Appended()]),
        (heard, [Exists(2), "OK still here"]),
        (mailbox, {"name": "INBOX", "exists": 2}),
    ],
    "append-refused-after-all": [
        (Append("INBOX", HELLO), Fails(OverQuota)),
        (Append("INBOX", HELLO), Fails(TooLarge)),
    ],
    "close": [inbox(3), (Close(), None), (mailbox, None), (state, State.AUTHENTICATED)],
    "unselect": [
        inbox(3),
        (mailboxes.leave_mailbox, None),
        (mailbox, None),
        (mailboxes.leave_mailbox, None),
    ],
    "leave-without-unselect": [
        inbox(3),
        (Unselect(), Fails(CapabilityMissing, capability="UNSELECT")),
        (mailboxes.leave_mailbox, None),
        (mailbox, None),
    ],
    "check": [
        inbox(3),
        (Check(), None),
        (mailbox, {"name": "INBOX", "exists": 4, "recent": 1}),
    ],
    "expunge": [
        inbox(11),
        (messages.all_uids, "101:111"),
        (ExpungeAll(), None),
        (heard, [Expunged(3, 103), Expunged(3, 104), Expunged(5, 107), Expunged(8, 111)]),
        (mailbox, {"name": "INBOX", "exists": 7, "uids": "101:102,105:106,108:110"}),
    ],
    "search": [
        inbox(900),
        (
            Search(Flagged & Since(date(1994, 2, 1)) & ~From("Smith")),
            Found(uids("2,84,882"), 3),
        ),
        (Search(Text("string not in mailbox")), Found(count=0)),
        (Search(Seen & Larger(10) | Unseen & Uid("3:5")), Found(count=0)),
        (Search(New), Found(uids("7:8"), 2)),
        (Search(HasKeyword("$Junk")), Fails(Refused, code="CANNOT")),
    ],
    "search-beyond-ascii": [
        inbox(9),
        (lambda c: messages.search(c, Subject("пиво")), Found(uids("3"), 1)),
    ],
    "fetch": [
        inbox(3),
        (
            Fetch(uids("2:4"), ("UID", "ALL", "BODYSTRUCTURE")),
            [
                {
                    "uid": 3,
                    "FLAGS": {"\\Seen", "$Fwd"},
                    "INTERNALDATE": datetime(
                        1996, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7))
                    ),
                    "RFC822.SIZE": 4286,
                    "ENVELOPE": Envelope(
                        "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
                        "IMAP4rev2 WG mtg summary",
                        GRAY,
                        GRAY,
                        GRAY,
                        (Address(None, "imap", "cac.washington.example"),),
                        (),
                        (),
                        None,
                        "<B27397-0100000@cac.washington.example>",
                    ),
                    "BODYSTRUCTURE": TextPart(
                        "1", "text", "plain", {"charset": "US-ASCII"}, size=3028, lines=92
                    ),
                },
                {
                    "uid": 4,
                    "FLAGS": set(),
                    "INTERNALDATE": datetime(1996, 7, 7, 2, 44, 25, tzinfo=UTC),
                    "RFC822.SIZE": 1,
                    "ENVELOPE": Envelope(None, "hi", (), (), (), (), (), (), None, None),
                    "BODYSTRUCTURE": Part("1", "image", "png", encoding="base64", size=1),
                },
            ],
        ),
    ],
    "fetch-sections": [
        inbox(3),
        (
            Fetch(
                uids("4"),
                (
                    BodySection(),
                    BodySection("1.2.mime", peek=False),
                    BodySection("HEADER.FIELDS", ("DATE", "odd name")),
                    BodySection("2", partial=(0, 5)),
                ),
            ),
            [
                {
                    "uid": 4,
                    "BODY[]": b"\r\n\0)",
                    "BODY[1.2.MIME]": b"",
                    "BODY[HEADER.FIELDS (DATE ODD NAME)]": b"Date: x\r\n",
                    "BODY[2]<0>": b"hello",
                }
            ],
        ),
        (heard, [{"uid": 4, "FLAGS": {"\\Seen"}}]),
        (
            Fetch(uids("4"), (BodySection("1", binary=True), BodySection("2", size=True))),
            [{"uid": 4, "BINARY[1]": b"\r\n\0\xff", "BINARY.SIZE[2]": 77}],
        ),
        (
            Fetch(uids("4"), ("RFC822.HEADER", "RFC822.TEXT", "RFC822")),
            [{"uid": 4, "RFC822.HEADER": b"ab", "RFC822.TEXT": b"cd", "RFC822": None}],
        ),
        (
            Fetch(uids("4"), ("FAST",)),
            [{"uid": 4, "FLAGS": set(), "INTERNALDATE": None, "RFC822.SIZE": 2}],
        ),
    ],
    "fetch-with-company": [
        inbox(5),
        (messages.all_uids, "10,20,30,40,50"),
        (
            Fetch(uids("20,30"), ("UID", "RFC822.SIZE")),
            [{"uid": 20, "RFC822.SIZE": 2}, {"uid": 30, "RFC822.SIZE": 3}],
        ),
        (
            heard,
            [
                {"uid": 40, "FLAGS": {"\\Seen"}},
                Exists(6),
                {"uid": 20, "FLAGS": {"\\Answered"}},
                Expunged(1, 10),
                "OK [ALERT] Disk almost full",
            ],
        ),
        (Noop(), None),
        (heard, [{"uid": 20, "FLAGS": set()}]),
    ],
    "fetch-without-items": [
        inbox(5),
        (
            Fetch(uids("5:8"), ("UID", "FLAGS", "ENVELOPE")),
            [{"uid": 5, "FLAGS": set()}, {"uid": 6}, {"uid": 7, "MODSEQ": 4}],
        ),
        (heard, [{"uid": 7, "MODSEQ": 4}]),
        (
            Fetch(uids("5:8"), ("UID", BodySection())),
            [{"uid": 6, "BODY[]": b"ho"}, {"uid": 5, "FLAGS": {"\\Seen"}}],
        ),
    ],
    "fetch-folded-names": [
        inbox(3),
        (
            Fetch(uids("7:9"), ("UID", "BODYSTRUCTURE")),
            [
                {"uid": 7, "BODYSTRUCTURE": pdf("a rather long\r\n name.pdf")},
                {"uid": 8, "BODYSTRUCTURE": pdf("short.pdf")},
                {"uid": 9, "BODYSTRUCTURE": "malformed"},
            ],
        ),
        (
            Fetch(uids("7:9"), ("UID", "ENVELOPE")),
            [
                {
                    "uid": 7,
                    "ENVELOPE": Envelope(
                        None, "smile :))\r\n and go on", (), (), (), (), (), (), None, None
                    ),
                }
            ],
        ),
    ],
    "fetch-pipelined": [
        inbox(5),
        (
            Together(
                Fetch(uids("1:2"), ("RFC822.SIZE",)),
                Fetch(uids("3:4"), ("RFC822.SIZE",)),
            ),
            [[{"uid": 1, "RFC822.SIZE": 11}], [{"uid": 3, "RFC822.SIZE": 33}]],
        ),
    ],
    "store": [
        inbox(5),
        (
            Store(uids("2:4"), Change.ADD, frozenset({"\\Deleted"})),
            {
                "messages": [
                    {"uid": 2, "FLAGS": {"\\Deleted", "\\Seen"}},
                    {"uid": 3, "FLAGS": {"\\Deleted"}},
                ]
            },
        ),
        (Store(uids("2"), Change.REPLACE, frozenset(), silent=True), {"messages": []}),
        (
            Store(uids("*"), Change.REMOVE, frozenset({"\\Seen", "$Junk"})),
            {"messages": [{"uid": 99, "FLAGS": set()}]},
        ),
        (Store(uids("2"), Change.ADD, frozenset({"\\Seen"})), Fails(NotPermitted)),
    ],
    "copy": [
        inbox(5),
        (
            lambda c: messages.copy(c, uids("2:4"), "MEETING"),
            Copied(38505, ((304, 304), (319, 320)), ((3956, 3958),)),
        ),
        (Copy(uids("2"), "nowhere"), Fails(NoSuchMailbox)),
        (Copy(uids("99"), "MEETING"), Copied()),
    ],
    "move": [
        inbox(70),
        (
            lambda c: messages.move(c, uids("42:69"), "foo"),
            Copied(432432, ((42, 69),), ((1202, 1229),)),
        ),
        (heard, [Expunged(22), Expunged(22)]),
        (mailbox, {"name": "INBOX", "exists": 68}),
    ],
    "move-without-move": [
        inbox(70),
        (
            lambda c: messages.move(c, uids("42:43"), "foo"),
            Copied(432432, ((42, 43),), ((1202, 1203),)),
        ),
        (mailbox, {"name": "INBOX", "exists": 68}),
    ],
    "move-without-uidplus": [
        inbox(70),
        (lambda c: messages.move(c, uids("42"), "foo"), Copied(left_behind=uids("42"))),
    ],
    "move-that-cannot-copy": [
        inbox(70),
        (lambda c: messages.move(c, uids("42"), "foo"), Fails(OverQuota)),
    ],
    "uid-expunge": [
        inbox(9),
        (lambda c: messages.delete(c, uids("3000:3002")), None),
        (mailbox, {"name": "INBOX", "exists": 6}),
    ],
    "delete-without-uidplus": [
        inbox(9),
        (
            lambda c: messages.delete(c, uids("1")),
            Fails(CapabilityMissing, capability="UIDPLUS"),
        ),
        (Expunge(uids("1")), Fails(CapabilityMissing)),
    ],
    "idle": [
        inbox(3),
        (Together(Idle(), Noop()), [None, None]),
        (heard, [Exists(4), Expunged(2)]),
    ],
    "idle-refused": [
        (Idle(), Fails(Refused, "not now")),
        (Noop(), None),
    ],
    "unknown-and-malformed": [
        inbox(3),
        (
            Fetch(uids("1:3"), ("FLAGS",)),
            [{"uid": 1, "FLAGS": set()}, *({"uid": n, "FLAGS": "malformed"} for n in (2, 3))],
        ),
        (
            heard,
            [b"* XYZZY (a {2}\r\n)", "malformed VANISHED", "malformed"],
        ),
        (Noop(), None),
    ],
    "wrong-state": [
        (Select("INBOX"), Fails(StateError, "SELECT cannot be sent while not authenticated")),
        (Fetch(uids("1")), Fails(StateError)),
        (GetNamespaces(), Fails(StateError)),
        (Noop(), None),
    ],
    "bad": [
        (Noop(), Fails(Rejected, "NOOP: BAD [CLIENTBUG] syntax", code="CLIENTBUG")),
        (
            Noop(),
            Fails(
                Refused,
                "NO [X-NEW-CODE some",
                argument='some "thing"',
                code="X-NEW-CODE",
                data=None,
            ),
        ),
    ],
    "commands-of-rfc-1730": [
        (
            lambda c: connect.connect(
                c, Password("ada", "horse"), starttls=False, login=LoginOptions(in_clear=True)
            ),
            None,
        ),
        (
            lambda c: mailboxes.open_mailbox(c, "INBOX", read_only=False),
            {
                "name": "INBOX",
                "exists": 3,
                "recent": 1,
                "first_unseen": 1,
                "uidvalidity": 9,
                "flags": {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"},
            },
        ),
        (lambda c: messages.search(c, Recent), Found(uids("7"), 1)),
        (
            Fetch(uids("7"), ("UID", "FLAGS", "RFC822")),
            [{"uid": 7, "FLAGS": {"\\Recent"}, "RFC822": b"hi"}],
        ),
        (mailboxes.leave_mailbox, None),
    ],
}

test_core = each_way(CASES)
