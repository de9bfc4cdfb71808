"""SEARCH (RFC 9051, 6.4.4 and 7.3.4), with ESEARCH (RFC 4731) where the server has it.

Both kinds of answers become one `Found`, in which ranges stay ranges. A flow decides whether to
use ESEARCH, and in which charset. Queries are in `search_query`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Any, ClassVar

from imaplus.core.messages import MessageCommand
from imaplus.core.parameters import SearchReturn, needs_of, write_list
from imaplus.core.search_query import ALL, Query
from imaplus.errors import PartlyDone, ProtocolError
from imaplus.extensions.messagelimit import partly_done
from imaplus.protocol.command import Command, Reply
from imaplus.protocol.response import response
from imaplus.protocol.state import SELECTED
from imaplus.protocol.status import Status, code
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.set_reading import read_numbers, read_uid_set
from imaplus.wire.sets import EMPTY, STAR, SequenceSet
from imaplus.wire.writer import Writer


@code("BADCHARSET")
def badcharset(c: Cursor) -> tuple[str, ...]:
    return () if c.at_end() else tuple(c.astring_text() for _ in c.items())


@record
class Found:
    """The result of a search. A value is None if it was not requested or not sent."""

    uids: SequenceSet = EMPTY
    count: int | None = None
    min: int | None = None
    max: int | None = None
    modseq: int | None = None
    """The highest MODSEQ of the messages found (RFC 7162, 3.1.5)."""
    tag: str | None = None
    """The tag of the command that it answers; None if the server sends none (RFC 9051, 7.3.4)."""


_MODSEQ = lazy_pattern(rb"\(MODSEQ ([0-9]{1,20})\)", re.IGNORECASE)


@response("SEARCH")
def search_data(c: Cursor) -> Found:
    # mailbox-data =/ "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]
    start = c.mark()
    try:
        return _search_data(c)
    except ProtocolError:
        c.reset(start)
        if (found := _read_valid(c)) is None:
            raise
        return found


def _read_valid(c: Cursor) -> Found | None:
    """Return the valid numbers of a malformed response; None if there are none."""
    text = c.rest()
    modseq = _MODSEQ.search(text)
    words = _MODSEQ.sub(b" ", text).strip(b" \t()").split()
    numbers = [int(word) for word in words if word.isdigit() and len(word) <= len(str(STAR))]
    numbers = [number for number in numbers if 0 < number < STAR]
    if not numbers:
        return None
    uids = SequenceSet.from_numbers(numbers)
    return Found(uids, len(uids), modseq=int(modseq[1]) if modseq else None)


def _search_data(c: Cursor) -> Found:
    c.accept_sp()
    if c.accept_nil():  # quirk 52
        return Found(count=0)
    parenthesised = c.accept(b"(") and c.peek().isdigit()  # quirk 52
    if not parenthesised and c.text[c.pos - 1 : c.pos] == b"(":
        c.pos -= 1
    uids = read_numbers(c)
    modseq = c.accept_match(_MODSEQ)  # quirk 52: with or without a space before it
    if parenthesised:
        c.expect(b")")
    if not c.at_end():
        c.fail("a message number")
    return Found(uids, len(uids), modseq=int(modseq[1]) if modseq else None)


@response("ESEARCH")
def esearch(c: Cursor) -> Found:
    # esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    values: dict[str, Any] = {}
    c.accept_sp()
    if c.peek() == b"(":
        values["tag"] = _correlator(c)
        c.accept_sp()
    if c.accept_word(b"UID"):
        c.accept_sp()
    while not c.at_end():
        name = c.keyword()
        c.sp()
        match name:
            case "ALL":
                values["uids"] = read_uid_set(c)
            case "PARTIAL":
                if (part := _partial(c)) is not None:
                    values["uids"] = part
            case "COUNT" | "MIN" | "MAX" | "MODSEQ":
                values[name.lower()] = c.accept_number()
                if values[name.lower()] is None:
                    c.skip()  # other values are kept
            case _:
                c.skip()
    return Found(**values)


def _partial(c: Cursor) -> SequenceSet | None:
    """ "(" partial-range SP partial-results ")" (RFC 9394, 3.1); NIL for none."""
    c.expect(b"(")
    c.skip()
    c.sp()
    found = None if c.accept_nil() else read_uid_set(c)
    c.expect(b")")
    return found


def _correlator(c: Cursor) -> str | None:
    """search-correlator = SP "(" "TAG" SP tag-string ")"; other items are passed over."""
    tag = None
    for _ in c.items():
        name = c.keyword()
        c.sp()
        if name == "TAG":
            tag = c.astring_text()
        else:
            c.skip()
    return tag


class ReturnOption(SearchReturn):
    """search-return-opt that is one word (RFC 9051, 6.4.4)."""

    def __init__(self, word: str) -> None:
        self.word = word

    def encode(self, out: Writer) -> None:
        out.atom(self.word)


RETURN_ALL = ReturnOption("ALL")
RETURN_COUNT = ReturnOption("COUNT")
RETURN_MIN = ReturnOption("MIN")
RETURN_MAX = ReturnOption("MAX")


@record
class Search(Command[Found]):
    """Find messages; the numbers are UIDs.

    `returns` asks for ESEARCH. `charset` is named in the command unless it is None, and text is
    written in it, or in UTF-8.
    """

    name = b"UID SEARCH"
    states = SELECTED
    collects: ClassVar[tuple[type, ...]] = (Found,)
    query: Query = ALL
    returns: tuple[SearchReturn, ...] = ()
    charset: str | None = None

    def needs(self) -> Iterable[str]:
        if self.returns:
            yield "ESEARCH"
        yield from needs_of(self.returns)
        yield from self.query.needs()

    def encode(self, out: Writer) -> None:
        if self.returns:
            out.raw(b" RETURN ")
            write_list(out, self.returns)
        if self.charset is not None:
            out.raw(b" CHARSET ")
            out.astring(self.charset)
        out.sp()
        self.query.encode(out, self.charset or "utf-8")

    def may_join(self, others: Iterable[Command[Any]]) -> bool:
        """False beside another search, whose answers may have no tag, and beside a change."""
        return not any(
            isinstance(other, Search) or (isinstance(other, MessageCommand) and other.changes)
            for other in others
        )

    def partly(self, status: Status) -> PartlyDone | None:
        error = partly_done(self.name.decode(), status)
        return None if error is None or error.uid == 1 else error

    def result(self, reply: Reply) -> Found:
        """Quirk 50: some answer a RETURN with a plain SEARCH; quirk 1: none at all means none."""
        found = reply.all(Found)
        if not found:
            return reply.one(Found) if reply.malformed else Found(count=0)
        last = found[-1]
        ranges = chain.from_iterable(each.uids.ranges for each in found)
        uids = SequenceSet.from_ranges(ranges) if len(found) > 1 else last.uids
        modseq = next((each.modseq for each in reversed(found) if each.modseq), None)
        if last.count is None or (len(found) > 1 and uids):
            return Found(uids, len(uids), last.min, last.max, modseq)
        return Found(uids, last.count, last.min, last.max, modseq, last.tag)
