"""Cases of `test_hostile_servers.py`: the answers to commands."""

from __future__ import annotations

from .hostile import Case, flood, lines, octets

ANSWERS = {
    # -- bodies
    "literal: -1": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {-1}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: unexpected response",
    ),
    "literal: no size": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: unexpected response",
    ),
    "literal: five": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {five}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: unexpected response",
    ),
    "literal: 1.5": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {1.5}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: unexpected response",
    ),
    "literal: 0x5": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {0x5}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: unexpected response",
    ),
    "literal: 131073": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {131073}", b"hello)", b"TAG OK done"),
        "ConnectionLost: closed the connection inside a response",
        "abort: exceeds the limit",
    ),
    "literal: 4294967296": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {4294967296}", b"hello)", b"TAG OK done"),
        "ConnectionLost: closed the connection inside a response",
        "abort: exceeds the limit",
    ),
    "literal: 9223372036854775807": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {9223372036854775807}", b"hello)", b"TAG OK done"),
        "ConnectionLost: closed the connection inside a response",
        "abort: exceeds the limit",
    ),
    "literal: 18446744073709551616": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {18446744073709551616}", b"hello)", b"TAG OK done"),
        "ConnectionLost: closed the connection inside a response",
        "abort: exceeds the limit",
    ),
    "literal: 10,000 digits": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {" + b"9" * 10_000 + b"}", b"hello)", b"TAG OK done"),
        "ProtocolError: expected a string or NIL",
        "abort: exceeds the limit",
    ),
    "literal: cut": Case(
        "fetch",
        "FETCH",
        octets(b"* 1 FETCH (UID 1 BODY[] {1000}\r\nhel"),
        "ConnectionLost: closed the connection inside a response",
        "abort: EOF",
    ),
    "literal: longer than it says": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODY[] {2}", b"hello)", b"TAG OK done"),
        "gave [(1, b'he')]",
        "gave ('OK', [(b'1 (UID 1 BODY[] {2}', b'he'), b'llo)'])",
    ),
    "literal: many without end": Case(
        "fetch",
        "FETCH",
        flood(b" X {0}\r\n", b"* 1 FETCH (UID 1"),
        "ProtocolError: has more than 100 literals",
        "abort: responses exceed the limit",
    ),
    "literal: text without end behind it": Case(
        "fetch",
        "FETCH",
        flood(b" x", b"* 1 FETCH (UID 1 BODY[] {1}\r\nx"),
        "ProtocolError: a response exceeds the limit",
        "abort: got more than",
    ),
    "literal: a name of 100 KB": Case(
        "list",
        "LIST",
        lines(b'* LIST () "/" {100000}', b"x" * 100_000, b"TAG OK done"),
        "ProtocolError: where no body was asked for",
        "gave ('OK', [(b'() \"/\" {100000}', b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ),
    "literal: a body in a LIST": Case(
        "list",
        "LIST",
        flood(b'* LIST () "/" {10000}\r\n' + b"x" * 10_000 + b"\r\n"),
        "ProtocolError: are waiting to be taken",
        "abort: responses exceed the limit",
    ),
    "body: of another message first": Case(
        "fetch",
        "FETCH",
        lines(
            b"* 2 FETCH (UID 2 BODY[] {5}",
            b"wrong)",
            b"* 1 FETCH (UID 1 BODY[] {5}",
            b"right)",
            b"TAG OK done",
        ),
        "gave [(1, b'right')]",
        "gave ('OK', [(b'1 (UID 1 BODY[] {5}', b'right'), b')'])",
    ),
    "body: of another message only": Case(
        "fetch",
        "FETCH",
        lines(b"* 2 FETCH (UID 2 BODY[] {5}", b"wrong)", b"TAG OK done"),
        "gave []",
        "gave ('OK', [None])",
    ),
    "body: of message 0": Case(
        "fetch",
        "FETCH",
        lines(b"* 0 FETCH (UID 2 BODY[] {5}", b"wrong)", b"TAG OK done"),
        "gave []",
        "gave ('OK', [None])",
    ),
    "body: UID 0": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 0 BODY[] {5}", b"wrong)", b"TAG OK done"),
        "gave []",
        "gave ('OK', [None])",
    ),
    "body: UID beyond 32 bits": Case(
        "fetch",
        "FETCH",
        lines(b"* 1 FETCH (UID 4294967297 BODY[] {5}", b"wrong)", b"TAG OK done"),
        "gave []",
        "gave ('OK', [None])",
    ),
    "body: others without end": Case(
        "fetch",
        "FETCH",
        flood(b"* 2 FETCH (UID 2 BODY[] {1000}\r\n" + b"x" * 1000 + b")\r\n"),
        "ProtocolError: no command asked for",
        "abort: responses exceed the limit",
    ),
    "body: the same without end": Case(
        "fetch",
        "FETCH",
        flood(b"* 1 FETCH (UID 1 FLAGS () BODY[] {5}\r\nhello)\r\n"),
        "ProtocolError: responses",
        "abort: responses exceed the limit",
    ),
    "flags: the same without end": Case(
        "flags",
        "FETCH",
        flood(b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"),
        "ProtocolError: responses",
        "abort: responses to one command",
    ),
    "body: after the OK": Case(
        "fetch",
        "FETCH",
        lines(b"TAG OK done", b"* 1 FETCH (UID 1 BODY[] {5}", b"wrong)"),
        "gave []",
        "gave ('OK', [None])",
    ),
    "body: none": Case("fetch", "FETCH", lines(b"TAG OK done"), "gave []", "gave ('OK', [None])"),
    "body: NO": Case("fetch", "FETCH", lines(b"TAG NO gone"), "Refused", "gave ('NO', [b'gone'])"),
    "body: BAD": Case(
        "fetch", "FETCH", lines(b"TAG BAD what?"), "Rejected", "error: command error"
    ),
    # -- structures
    "structure: nested": Case(
        "structure",
        "FETCH",
        lines(
            b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 10_000 + b")" * 10_000 + b")",
            b"TAG OK done",
        ),
        "ProtocolError: levels of parentheses",
        "gave ('OK', [b'1 (UID 1 BODYSTRUCTURE (((((((((((((((((((((((((((((((((((((",
    ),
    "structure: nested and open": Case(
        "structure",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 10_000, b"TAG OK done"),
        "ProtocolError: levels of parentheses",
        "gave ('OK', [b'1 (UID 1 BODYSTRUCTURE (((((((((((((((((((((((((((((((((((((",
    ),
    "structure: nested without end": Case(
        "structure",
        "FETCH",
        flood(b"(", b"* 1 FETCH (UID 1 ENVELOPE "),
        "ProtocolError: a response exceeds the limit",
        "abort: got more than",
    ),
    "structure: quotes": Case(
        "structure",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODYSTRUCTURE (" + b'"' * 9_999 + b"))", b"TAG OK done"),
        'gave [Multipart(section=\'TEXT\', type=\'multipart\', subtype=\'""""""""""""""""',
        'gave (\'OK\', [b\'1 (UID 1 BODYSTRUCTURE (""""""""""""""""""""""""""""""""""""',
    ),
    "structure: no list": Case(
        "structure",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 BODYSTRUCTURE 5)", b"TAG OK done"),
        "ProtocolError: expected a body structure",
        "gave ('OK', [b'1 (UID 1 BODYSTRUCTURE 5)'])",
    ),
    # -- sets and numbers
    "search: a number of 20,000 digits": Case(
        "search",
        "SEARCH",
        lines(
            b"* SEARCH " + b"9" * 20_000,
            b'* ESEARCH (TAG "TAG") UID ALL ' + b"9" * 20_000,
            b"TAG OK done",
        ),
        "ProtocolError: cannot be read",
        "gave ('OK', [b'999999999999999999999999999999999999999999999999999999999999",
    ),
    "search: no numbers": Case(
        "search",
        "SEARCH",
        lines(b"* SEARCH 0 -1 x 4294967296", b'* ESEARCH (TAG "TAG") UID ALL 0,x', b"TAG OK done"),
        "ProtocolError: cannot be read",
        "gave ('OK', [b'0 -1 x 4294967296'])",
    ),
    "search: four thousand million": Case(
        "search",
        "SEARCH",
        lines(b'* ESEARCH (TAG "TAG") UID ALL 1:4294967295', b"TAG OK done"),
        "gave SequenceSet('1:4294967295')",
        "gave ('OK', [None])",
    ),
    "search: without end": Case(
        "search",
        "SEARCH",
        flood(b" 12345", b"* SEARCH"),
        "ProtocolError: a response exceeds the limit",
        "abort: got more than",
    ),
    "search: responses without end": Case(
        "search",
        "SEARCH",
        flood(b"* SEARCH 1 2 3\r\n"),
        "ProtocolError: are waiting to be taken",
        "abort: responses to one command",
    ),
    "copy: four thousand million": Case(
        "copy",
        "COPY",
        lines(b"TAG OK [COPYUID 1 1:4294967295 1:4294967295] done"),
        "gave Copied(uidvalidity=1, source=((1, 4294967295),), destination=((1, 4294",
        "gave ('OK', [None])",
    ),
    "copy: no sets": Case(
        "copy",
        "COPY",
        lines(b"TAG OK [COPYUID x y] done"),
        "gave Copied(uidvalidity=None, source=(), destination=(), left_behind=SequenceSet(''))",
        "gave ('OK', [None])",
    ),
    "append: UIDs of nothing": Case(
        "append",
        "APPEND",
        lines(b"TAG OK [APPENDUID 0 0] done"),
        "ProtocolError: OK before",
        "abort: OK before",
    ),
    # -- mailboxes
    "select: nothing said": Case(
        "select", "SELECT", lines(b"TAG OK done"), "gave 0", "gave ('OK', [None])"
    ),
    "select: flags without end": Case(
        "select",
        "SELECT",
        flood(b" \\a", b"* FLAGS ("),
        "ProtocolError: a response exceeds the limit",
        "abort: got more than",
    ),
    "select: EXISTS without end": Case(
        "select",
        "SELECT",
        flood(b"* 1 EXISTS\r\n"),
        "ProtocolError: no command asked for",
        "abort: responses to one command",
    ),
    "select: codes without end": Case(
        "select",
        "SELECT",
        flood(b"* OK [UIDNEXT 7] x\r\n"),
        "ProtocolError: no command asked for",
        "abort: responses to one command",
    ),
    "select: another UIDVALIDITY later": Case(
        "flags",
        "FETCH",
        lines(b"* 1 FETCH (UID 1 FLAGS ())", b"* OK [UIDVALIDITY 8] x", b"TAG OK done"),
        "UidValidityChanged",
        "abort",
    ),
    "list: names to break out": Case(
        "list",
        "LIST",
        lines(
            b'* LIST () "/" ../../etc',
            b'* LIST () "/" {4}',
            b"a\r\nb",
            b'* LIST () "ab" x',
            b"* LIST",
            b"TAG OK done",
        ),
        "gave [ListEntry(name='../../etc', delimiter='/'",
        "gave ('OK', [b'() \"/\" ../../etc', (b'() ",
    ),
    "list: without end": Case(
        "list",
        "LIST",
        flood(b'* LIST () "/" a\r\n'),
        "ProtocolError: are waiting to be taken",
        "abort: responses to one command",
    ),
    # -- writing, waiting, leaving
    "append: OK before it was sent": Case(
        "append", "APPEND", lines(b"TAG OK done"), "ProtocolError: OK before", "abort: OK before"
    ),
    "append: continuations without end": Case(
        "append",
        "APPEND",
        flood(b"+ go on\r\n"),
        "ProtocolError: no command asked for",
        "abort: continuations to one command",
    ),
    "append: talk without end": Case(
        "append",
        "APPEND",
        flood(b"* OK wait\r\n"),
        "ProtocolError: no command asked for",
        "abort: responses to one command",
    ),
    "idle: continuations without end": Case(
        "idle",
        "IDLE",
        flood(b"+ idling\r\n"),
        "ProtocolError: no command asked for",
        "abort: continuations to one command",
    ),
    "idle: OK at once": Case(
        "idle",
        "IDLE",
        lines(b"TAG OK done"),
        "ConnectionLost: closed the connection",
        "abort: unexpected status response",
    ),
    "idle: BYE": Case(
        "idle",
        "IDLE",
        lines(b"+ idling", b"* BYE go away"),
        "ConnectionLost: closed the connection: ",
        "abort: EOF",
    ),
    "idle: a line without end": Case(
        "idle",
        "IDLE",
        flood(b"x", b"+ idling\r\n* OK "),
        "ProtocolError: a response exceeds the limit",
        "abort: got more than",
    ),
    "logout: nothing": Case("logout", "LOGOUT", lines(), "gave None", "abort: EOF"),
    "logout: NO": Case(
        "logout", "LOGOUT", lines(b"TAG NO stay"), "gave None", "gave ('NO', [b'stay'])"
    ),
    "logout: BYE without end": Case(
        "logout", "LOGOUT", flood(b"* BYE bye\r\n"), "gave None", "gave ('BYE', [b'bye'])"
    ),
    "logout: talk without end": Case(
        "logout", "LOGOUT", flood(b"* OK wait\r\n"), "gave None", "abort: responses to one command"
    ),
}


def status_inside(tag: bytes) -> list[bytes]:
    """A body that looks like the end of the command."""
    body = tag + b" OK evil\r\n* BYE evil\r\n"
    return [b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n%b OK done\r\n" % (len(body), body, tag)]


ANSWERS["literal: a status inside"] = Case(
    "fetch",
    "FETCH",
    status_inside,
    "gave [(1, b'TAG OK evil\\r\\n* BYE",
    "gave ('OK', [(b'1 (UID 1 BODY[] {",
)
