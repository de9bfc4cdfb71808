"""The bulk reader gives what parsing each response on its own gives.

The same bytes go to two connections, one of which has no bulk reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Final

from imaplus.core.bulk.reader import Reader
from imaplus.core.fetch import Fetch
from imaplus.core.fetched import FetchData
from imaplus.core.mailboxes import Select
from imaplus.errors import ImapError
from imaplus.protocol.bulk import Bulk, MessageRun
from imaplus.protocol.connection import Connection
from imaplus.wire.sets import SequenceSet

MESSAGES: Final = 9
EAGER: Final = partial(Reader, least=0)
"""Makes a bulk reader that looks at every read, however short."""
LONGEST: Final = 20_000
"""Octets of an input: it is read twice, and told of."""
_PART: Final = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" %d 2 NIL NIL NIL NIL)'
_ENVELOPE: Final = (
    b'("d" {%d}\r\n%b (("n" NIL "m" "h")({3}\r\na"b NIL "m" "h")) NIL NIL NIL NIL NIL'
)
SHAPES: Final = (
    b"UID %d FLAGS (\\Seen)",
    b"FLAGS (\\Seen $x) UID %d MODSEQ (7)",
    b'UID %d FLAGS () INTERNALDATE "01-Jan-2015 00:00:00 +0000" RFC822.SIZE 7',
    b'UID %%d FLAGS () ENVELOPE %b NIL "<i>")' % (_ENVELOPE % (4, b"(x) ")),
    b'UID %%d RFC822.SIZE 7 ENVELOPE %b NIL NIL) BODYSTRUCTURE (%b%b "mixed" ("b" "x"))'
    % (_ENVELOPE % (1, b"x"), _PART % 7, _PART % 9),
    b"UID %d BODY[1] {5}\r\nab\r\nc",
)
SEEDS: Final = [
    b"".join(b"* %d FETCH (%b)\r\n" % (n, shape % (10 * n)) for n in range(1, 6))
    for shape in SHAPES
]


def short_ways(data: bytes, random: Random) -> None:
    """Both connections know the same in the end, and have told the same.

    Numbers that do not ascend are left out: of plain lines only the first and the last is looked at
    (RFC 9051, 2.3.1.2).
    """
    data = data[:LONGEST]
    numbers = list(map(int, re.findall(rb"^\* ([0-9]{1,20}) FETCH", data, re.M)))
    if numbers != sorted(set(numbers)):
        return
    cut = random.randrange(len(data) + 1)
    pieces = [data[:cut], data[cut:]] if random.random() < 0.5 else [data]
    order = random.random() < 0.5
    expected = list(heard([data], bulk=None, backwards=order))
    assert list(heard(pieces, bulk=EAGER, backwards=order)) == expected


def heard(pieces: list[bytes], *, bulk: Bulk | None, backwards: bool) -> Iterator[object]:
    """All that comes out: the answers, the events, the mailbox's map, the end."""
    made = Connection(bulk=bulk)
    events = made.receive_data(b"* PREAUTH [CAPABILITY IMAP4rev1] x\r\n")
    opened = made.send(Select("INBOX"))
    made.data_to_send()
    made.receive_data(b"* %d EXISTS\r\n%b OK x\r\n" % (MESSAGES, opened.tag.encode()))
    fetch = made.send(Fetch(SequenceSet.of("1:30,50:*"), ("FLAGS", "ENVELOPE")))
    made.data_to_send()
    for piece in pieces:
        events += made.receive_data(piece)
    for value in (*fetch.values, "events", *events):
        if isinstance(value, MessageRun):
            yield from (told(each, backwards=backwards) for each in value)
        else:
            yield told(value, backwards=backwards)
    if made.mailbox is not None:
        yield [made.mailbox.uid_of(seq) for seq in range(1, MESSAGES + 1)]
    yield repr(made.error)


def told(value: Any, *, backwards: bool) -> object:
    if not isinstance(value, FetchData):
        return anywhere(repr(value))
    if backwards:
        for name in sorted(value.claims, reverse=True):
            item(value, name)
    return value.seq, value.uid, {name: item(value, name) for name in value.names}


def item(value: FetchData, name: str) -> str:
    try:
        return repr(value[name])
    except (ImapError, KeyError) as error:
        return anywhere(repr(error))


def anywhere(text: str) -> str:
    """Without where in a response something stood, which is told by either way in its own."""
    return re.sub(r"at byte \d+, found .*", "", text)
