"""The standard module and the facade, told the same: they send the same, and return the same.

Random sequences of calls, attributes assigned among them, against one server that answers by a
random plan. What differs on purpose (differences.py) is not generated here, and is shown elsewhere.
"""

from __future__ import annotations

import imaplib as standard
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from imaplus import imaplib as facade
from imaplus.imaplib._fetched import keep_one_message

from .scripted import Answer, ScriptedServer

Step = tuple[str, tuple[Any, ...]]

mailboxes = st.sampled_from(
    ["INBOX", "Archive/2025", '"two words"', "a-b_c.d", b"bytes", "Ent&APw-"]
)
sets = st.sampled_from(["1", "1:*", "2,4:7", "$", "*", b"3:5"])
flags = st.sampled_from(["\\Seen", "(\\Seen)", "(\\Deleted keyword)", "()", "\\Seen \\Flagged"])
parts = st.sampled_from(["(FLAGS)", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "ALL"])
criteria = st.lists(
    st.sampled_from(["ALL", "SUBJECT", '"two words"', "(OR SEEN FLAGGED)", "FROM ann", b"UNSEEN"]),
    min_size=1,
    max_size=3,
).map(tuple)
words = st.sampled_from(["ann", '"Ann B."', "root", "a.b@c.d"])
dates = st.sampled_from(
    [
        None,
        '"18-May-2033 05:33:20 +0200"',
        datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC),
        2000000000,
        2000000000.5,
        (2033, 5, 18, 5, 33, 20, -1, -1, 0),
    ]
)
bodies = st.sampled_from([b"", b"x", b"a: b\r\n\r\nc\r\n", b"a\nb\rc\r\nd", b"\xff\x00{3}\r\n"])


def call(name: str, *args: Any) -> st.SearchStrategy[Step]:
    made = (arg if isinstance(arg, st.SearchStrategy) else st.just(arg) for arg in args)
    return st.tuples(st.just(name), st.tuples(*made))


steps: st.SearchStrategy[Step] = st.one_of(
    *map(call, "noop capability check close unselect expunge namespace recent NOOP".split()),
    call("select"),
    call("select", mailboxes, st.booleans()),
    *(call(name, mailboxes) for name in "create delete subscribe unsubscribe CREATE".split()),
    *(call(name, mailboxes) for name in "getacl myrights getquotaroot".split()),
    call("rename", mailboxes, mailboxes),
    *(call(name, '""', st.sampled_from(["*", "%", '"a %"', "INBOX"])) for name in ("list", "lsub")),
    call("status", mailboxes, st.sampled_from(["(MESSAGES)", "(UIDNEXT UNSEEN)"])),
    call("append", mailboxes, flags, dates, bodies),
    call("append", None, None, None, bodies),
    call("copy", sets, mailboxes),
    call("fetch", sets, parts),
    call("FETCH", sets, parts),
    call("partial", "1", "RFC822", "0", "10"),
    call("store", sets, st.sampled_from(["FLAGS", "+FLAGS", "-FLAGS.SILENT"]), flags),
    criteria.map(lambda found: ("search", (None, *found))),
    criteria.map(lambda found: ("search", ("UTF-8", *found))),
    criteria.map(lambda found: ("sort", ("REVERSE DATE", "UTF-8", *found))),
    criteria.map(lambda found: ("thread", ("REFERENCES", "UTF-8", *found))),
    criteria.map(lambda found: ("uid", ("search", None, *found))),
    criteria.map(lambda found: ("uid", ("SORT", "(DATE)", "UTF-8", *found))),
    call("uid", "FETCH", sets, parts),
    call("uid", "STORE", sets, "+FLAGS", st.sampled_from(["(\\Seen)", "()", "(a b)"])),
    call("uid", "COPY", sets, mailboxes),
    call("uid", "MOVE", sets, mailboxes),
    call("uid", "EXPUNGE", sets),
    call("uid", "nonsense", sets),
    call("setacl", mailboxes, words, "lrs"),
    call("deleteacl", mailboxes, words),
    call("getquota", words),
    call("setquota", words, "(STORAGE 512)"),
    call("getannotation", mailboxes, "/comment", "value.priv"),
    call("setannotation", mailboxes, "/comment", '("value.priv" NIL)'),
    call("proxyauth", words),
    call("login", words, st.sampled_from(["secret", 'with "quotes"', "back\\slash", ""])),
    call("login_cram_md5", "ann", st.sampled_from(["secret", b"secret"])),
    call("authenticate", "x-some", st.sampled_from([bytes.upper, lambda given: None])),
    call("enable", "CONDSTORE"),
    call("xatom", "X-Some", "one", b"two", None, "(three)"),
    *(call("response", code) for code in ("EXISTS", "uidvalidity", "FLAGS", "READ-ONLY", "BYE")),
    *(call("assign state", state) for state in ("AUTH", "SELECTED", "NONAUTH")),
    call("assign untagged_responses", st.just({"EXISTS": [b"7"]})),
    call("logout"),
)
lines = st.sampled_from(
    [
        b"* 3 EXISTS",
        b"* 0 RECENT",
        b"* 1 EXPUNGE",
        b"* FLAGS (\\Seen \\Deleted)",
        b"* SEARCH 1 2 3",
        b"* SEARCH",
        b"* SORT 3 1",
        b"* THREAD (1 (2)(3))",
        b'* LIST (\\NoSelect) "/" a',
        b'* LIST () "/" {3}\r\nabc',
        b'* LSUB () "/" a',
        b"* STATUS a (MESSAGES 3)",
        b"* 1 FETCH (FLAGS (\\Seen))",
        b"* 2 FETCH (BODY[] {5}\r\nhello FLAGS ())",
        b"* 2 FETCH (BODY[1] {2}\r\nab BODY[2] {0}\r\n UID 3)",
        b"* OK [UIDVALIDITY 7] valid",
        b"* OK [PERMANENTFLAGS (\\Seen \\*)] limited",
        b"* OK [READ-ONLY] now",
        b"* NO [ALERT] look out",
        b"* BAD who knows",
        b"* CAPABILITY IMAP4rev1 X-MORE",
        b"* NAMESPACE NIL NIL NIL",
        b'* ACL a ann "lrs"',
        b"* QUOTA root (STORAGE 1 2)",
        b'* QUOTAROOT a ""',
        b'* ANNOTATION a "/comment" ("value.priv" "x")',
        b"* MYRIGHTS a lrs",
        b"* X-SOME",
        b"* 17 X-NUMBERED data",
        b"+ dW5hc2tlZA==",
        b"* BYE going",
        b"nonsense",
        b"ZZZZ1 OK whose tag is this",
    ]
)
statuses = st.sampled_from(
    [
        b"OK done",
        b"OK [READ-WRITE] done",
        b"OK [READ-ONLY] done",
        b"OK [APPENDUID 7 8] done",
        b"NO [TRYCREATE] cannot",
        b"NO no",
        b"BAD what?",
    ]
)
answers = st.builds(
    Answer,
    untagged=st.lists(lines, max_size=4).map(tuple),
    status=st.one_of(st.just(b"OK done"), statuses),
    refuses_literal=st.sampled_from([False, False, False, True]),
)


class Renewed(standard.IMAP4):
    """The standard module's, with the capabilities renewed at login as its newest versions do."""

    def login(self, user: Any, password: Any) -> Any:
        return self._renewed(super().login, user, password)

    def authenticate(self, mechanism: Any, authobject: Any) -> Any:
        return self._renewed(super().authenticate, mechanism, authobject)

    def _renewed(self, log_in: Any, *args: Any) -> Any:
        self.untagged_responses.pop("CAPABILITY", None)  # difference: capabilities-of-before
        result = log_in(*args)
        if not hasattr(super(), "_refresh_capabilities"):
            if told := self.untagged_responses.get("CAPABILITY"):
                self.capabilities = tuple(told[-1].decode().upper().split())  # type: ignore[union-attr]
            else:
                self._get_capabilities()
        return result


def play(
    module: Any, base: Any, plan: list[Step], replies: list[Answer]
) -> tuple[list[bytes], list[Any]]:
    """What the server heard, and what came of each step: a result or an error, and the state."""
    server = ScriptedServer(replies, b"* OK ready")
    outcomes: list[Any] = []
    commands = dict(module.Commands)
    with server.connected() as sock:
        client = server.client(base, sock)
        for name, args in plan:
            outcome = attempt(module, client, name, args)
            outcomes.append((outcome, client.state, client.is_readonly, client.utf8_enabled))
            client.literal = None
            if outcome[0] in ("abort", "OSError"):
                break  # the connection is of no use any more
        outcomes.append(client.untagged_responses)
        outcomes.append((client.capabilities, client.PROTOCOL_VERSION, client.welcome))
        with suppress(OSError):
            client.shutdown()
    module.Commands.clear()
    module.Commands.update(commands)
    return server.heard, outcomes


def attempt(module: Any, client: Any, name: str, args: tuple[Any, ...]) -> tuple[str, Any]:
    if name.startswith("assign "):
        value = args[0]
        setattr(client, name.split()[1], value if isinstance(value, str) else dict(value))
        return ("assigned", None)
    try:
        return ("returned", answer(name, args, getattr(client, name)(*args)))
    except module.IMAP4.readonly as error:
        return ("readonly", type(error).__name__)
    except module.IMAP4.abort as error:
        return ("abort", type(error).__name__)
    except module.IMAP4.error as error:
        text = error.args[0]  # bytes and names without quotes, before 3.13.15 and 3.14.7
        text = text.decode() if isinstance(text, bytes) else text
        return ("error", text.replace("'", ""))
    except OSError:
        return ("OSError", None)


def answer(name: str, args: tuple[Any, ...], result: Any) -> Any:
    """Without what is of other messages: the difference is `other-messages`."""
    typ, data = result
    by_uid = name == "uid" and args[0].upper() == "FETCH"
    if typ != "OK" or not (by_uid or name.lower() in ("fetch", "partial")):
        return result
    numbers = args[1] if by_uid else args[0]
    text = numbers.decode() if isinstance(numbers, bytes) else numbers
    return typ, keep_one_message(data, text, uid=by_uid)


def unmarked(command: bytes) -> bytes:
    """An APPEND as the facade sends it: the difference is `utf8-append`."""
    found = re.fullmatch(rb"(APPEND .*)\{\d+\}\r\nUTF8 \((.*)\)\r\n", command, re.DOTALL)
    found = found or re.fullmatch(rb"(APPEND .*)UTF8 \(~\{\d+\}\r\n(.*)\)\r\n", command, re.DOTALL)
    return b"%b{%d}\r\n%b\r\n" % (found[1], len(found[2]), found[2]) if found else command


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["NONAUTH", "AUTH", "SELECTED", "SELECTED"]),
    st.lists(steps, min_size=1, max_size=12),
    st.lists(answers, max_size=12),
)
@example(
    "AUTH",
    [("enable", ("UTF8=ACCEPT",)), ("append", (None, None, None, b"a\n"))],
    [Answer((b"* ENABLED UTF8=ACCEPT",))],
)
def test_both_send_the_same_and_return_the_same(
    state: str, plan: list[Step], replies: list[Answer]
) -> None:
    plan = [("assign state", (state,)), *plan]
    theirs = play(standard, Renewed, plan, replies)
    ours = play(facade, facade.IMAP4, plan, replies)
    event(f"{len(theirs[0])} commands")
    assert ours[0] == [unmarked(command) for command in theirs[0]]
    assert ours[1] == theirs[1]
