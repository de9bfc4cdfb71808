"""Search keys: parse them into test functions (RFC 9051, 6.4.4).

Text is compared case-insensitively, after decoding encoded words and transfer encodings. The SEARCH
command itself is in `commands_search`.
"""

from __future__ import annotations

import email.header
import email.utils
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imaplus.testing import commands_gmail, identities, mime
from imaplus.testing.content import Content, read
from imaplus.testing.mime import Part
from imaplus.testing.registry import Bad, No
from imaplus.testing.sections import decode
from imaplus.testing.store import Message, canonical_flag
from imaplus.wire.cursor import Cursor
from imaplus.wire.dates import MONTHS

if TYPE_CHECKING:
    from imaplus.testing.session import Session

Test = Callable[[int, Message], bool]
"""Returns whether a message, given with its sequence number, matches."""

SEARCHED: Final = 1 << 24
"""Number of bytes of a body that are searched."""
_SET: Final = re.compile(rb"[0-9*][0-9*:,]*(?=[ )]|\Z)")
_DATE: Final = re.compile(rb'"?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"?')
_ENTRY: Final = re.compile(rb'"/flags/[^"]*"')

FLAG_KEYS: Final = {
    f"{prefix}{flag[1:].upper()}": (flag, not prefix)
    for flag in ("\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen")
    for prefix in ("", "UN")
}
ADDRESS_KEYS: Final = ("BCC", "CC", "FROM", "SUBJECT", "TO")


class Keys:
    """Parses the keys of one SEARCH; `modseq` is true if one of them was MODSEQ."""

    def __init__(self, session: Session, c: Cursor, charset: str) -> None:
        self.modseq: bool = False
        self._session = session
        self._c = c
        self._charset = charset

    def read(self) -> Test:
        """Parse keys up to the end; return a test for messages that match all of them."""
        tests = [self._key()]
        while self._c.accept_sp() and not self._c.at_end():
            tests.append(self._key())
        return _all(tests)

    def _key(self) -> Test:
        c = self._c
        if c.peek() == b"(":
            tests = [self._key() for _ in c.items()]
            if not tests:
                raise Bad("Empty parentheses")
            return _all(tests)
        if c.accept(b"$"):
            saved = self._session.selected().saved
            return lambda seq, message: message.uid in saved
        if _SET.match(c.text, c.pos):
            return self._numbers(by_uid=False)
        name = c.keyword()
        if name in FLAG_KEYS:
            flag, wanted = FLAG_KEYS[name]
            return lambda seq, message: (flag in message.flags) == wanted
        if name in ADDRESS_KEYS:
            return self._header(name.lower().encode())
        if name.startswith("X-GM-") and self._session.can("X-GM-EXT-1"):
            found = commands_gmail.search_key(self._session, name, c, self._text)
            return lambda seq, message: found(message)
        method = getattr(self, f"_key_{name.lower()}", None) if name.isalpha() else None
        if method is None:
            raise Bad(f"Unknown search key {name[:40]!a}")
        test: Test = method()
        return test

    def _numbers(self, *, by_uid: bool) -> Test:
        numbers = self._session.sequence_set(self._c)
        view = self._session.selected()
        found = view.saved if numbers is None else numbers
        if by_uid or numbers is None:
            last = view.uids[-1] if view.uids else 0
            uids = found.resolve(last)
            return lambda seq, message: message.uid in uids
        seqs = found.resolve(len(view.uids))
        if seqs and seqs.last > len(view.uids):
            raise Bad(f"There are {len(view.uids)} messages")
        return lambda seq, message: seq in seqs

    def _text(self) -> str:
        self._c.expect(b" ")
        data = self._c.astring()
        try:
            return data.decode(self._charset).casefold()
        except UnicodeDecodeError:
            raise Bad(f"The text is not {self._charset}") from None

    def _header(self, name: bytes) -> Test:
        text = self._text()

        def test(seq: int, message: Message) -> bool:
            header = mime.parse(message.content).header
            return any(text in value for value in _values(header, name))

        return test

    # -- keys by name ---------------------------------------------------------------------------

    def _key_all(self) -> Test:
        return lambda seq, message: True

    def _key_not(self) -> Test:
        self._c.expect(b" ")
        with self._c.nest():
            test = self._key()
        return lambda seq, message: not test(seq, message)

    def _key_or(self) -> Test:
        with self._c.nest():
            self._c.expect(b" ")
            one = self._key()
            self._c.expect(b" ")
            other = self._key()
        return lambda seq, message: one(seq, message) or other(seq, message)

    def _key_uid(self) -> Test:
        self._c.expect(b" ")
        return self._numbers(by_uid=True)

    def _key_header(self) -> Test:
        self._c.expect(b" ")
        return self._header(self._c.astring().lower())

    def _key_keyword(self, *, wanted: bool = True) -> Test:
        self._c.expect(b" ")
        flag = canonical_flag(self._c.astring_text()).lower()
        return lambda seq, message: (flag in map(str.lower, message.flags)) == wanted

    def _key_unkeyword(self) -> Test:
        return self._key_keyword(wanted=False)

    def _key_recent(self) -> Test:
        view = self._session.selected()
        return lambda seq, message: view.is_recent(message.uid)

    def _key_old(self) -> Test:
        view = self._session.selected()
        return lambda seq, message: not view.is_recent(message.uid)

    def _key_new(self) -> Test:
        recent = self._key_recent()
        return lambda seq, message: recent(seq, message) and "\\Seen" not in message.flags

    def _key_larger(self) -> Test:
        self._c.expect(b" ")
        size = self._c.number()
        return lambda seq, message: message.size > size

    def _key_smaller(self) -> Test:
        self._c.expect(b" ")
        size = self._c.number()
        return lambda seq, message: message.size < size

    def _key_before(self) -> Test:
        day = self._date()
        return lambda seq, message: message.internaldate.date() < day

    def _key_on(self) -> Test:
        day = self._date()
        return lambda seq, message: message.internaldate.date() == day

    def _key_since(self) -> Test:
        day = self._date()
        return lambda seq, message: message.internaldate.date() >= day

    def _key_sentbefore(self) -> Test:
        day = self._date()
        return lambda seq, message: (sent := _sent_date(message)) is not None and sent < day

    def _key_senton(self) -> Test:
        day = self._date()
        return lambda seq, message: _sent_date(message) == day

    def _key_sentsince(self) -> Test:
        day = self._date()
        return lambda seq, message: (sent := _sent_date(message)) is not None and sent >= day

    def _key_older(self) -> Test:
        moment = self._moment()
        return lambda seq, message: message.internaldate <= moment

    def _key_younger(self) -> Test:
        moment = self._moment()
        return lambda seq, message: message.internaldate >= moment

    def _key_body(self) -> Test:
        text = self._text()
        return lambda seq, message: any(text in each for each in _texts(message, header=False))

    def _key_text(self) -> Test:
        text = self._text()
        return lambda seq, message: any(text in each for each in _texts(message, header=True))

    def _key_emailid(self) -> Test:
        wanted = self._object_id("EMAILID")
        return lambda seq, message: identities.emailid(message) == wanted

    def _key_threadid(self) -> Test:
        wanted = self._object_id("THREADID")
        return lambda seq, message: identities.threadid(message) == wanted

    def _object_id(self, key: str) -> str:
        if not self._session.can("OBJECTID"):
            raise Bad(f"Unknown search key {key!a}")
        self._c.expect(b" ")
        return self._c.atom()

    def _key_modseq(self) -> Test:
        if not self._session.can("CONDSTORE", "QRESYNC"):
            raise Bad("Unknown search key 'MODSEQ'")
        self._c.expect(b" ")
        if self._c.accept_match(_ENTRY):
            self._c.expect(b" ")
            self._c.keyword()
            self._c.expect(b" ")
        modseq = self._c.number()
        self.modseq = True
        self._session.enabled.add("CONDSTORE")
        return lambda seq, message: message.modseq >= modseq

    def _date(self) -> date:
        self._c.expect(b" ")
        match = self._c.accept_match(_DATE)
        try:
            if match is not None:
                month = MONTHS.index(match[2].decode().capitalize()) + 1
                return date(int(match[3]), month, int(match[1]))
        except ValueError:
            pass
        raise Bad("Expected a date such as 1-Feb-1994")

    def _moment(self) -> datetime:
        if not self._session.can("WITHIN"):
            raise Bad("Unknown search key")
        self._c.expect(b" ")
        try:
            return datetime.now(UTC) - timedelta(seconds=self._c.number())
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)


def charset_codec(name: str) -> str:
    """Return the codec of a CHARSET. Raises No with BADCHARSET if it is not supported."""
    codecs = {"US-ASCII": "ascii", "UTF-8": "utf-8", "ISO-8859-1": "latin-1"}
    if name.upper() not in codecs:
        raise No("Unknown charset", "BADCHARSET (US-ASCII UTF-8 ISO-8859-1)")
    return codecs[name.upper()]


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda seq, message: all(test(seq, message) for test in tests)


def _values(header: bytes, name: bytes) -> Iterator[str]:
    for each, value, _ in mime.fields(header):
        if each.lower() == name:
            yield _decode_value(value)


def _decode_value(value: bytes) -> str:
    text = _lenient(value)
    try:
        return str(email.header.make_header(email.header.decode_header(text))).casefold()
    except (ValueError, LookupError):  # broken encoded words, unknown charsets
        return text.casefold()


def _lenient(data: bytes, charset: str = "utf-8") -> str:
    try:
        return data.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return data.decode("latin-1")


def _sent_date(message: Message) -> date | None:
    value = mime.field(mime.parse(message.content).header, b"date")
    if value is None:
        return None
    try:
        return email.utils.parsedate_to_datetime(_lenient(value)).date()
    except ValueError:
        return None


def _texts(message: Message, *, header: bool) -> Iterator[str]:
    root = mime.parse(message.content)
    if header:
        yield _decode_header(root.header)
    yield from _part_texts(message.content, root)


def _decode_header(header: bytes) -> str:
    lines = (_lenient(name) + ": " + _decode_value(value) for name, value, _ in mime.fields(header))
    return "\n".join(lines).casefold()


def _part_texts(content: Content, part: Part) -> Iterator[str]:
    """Yield the texts of a part and its children, without MIME headers (RFC 9051, 6.4.4)."""
    for child in part.children:
        yield from _part_texts(content, child)
    if part.message is not None:
        yield _decode_header(part.message.header)
        yield from _part_texts(content, part.message)
    elif part.type == b"text":
        data = read(content, part.body, min(part.stop, part.body + SEARCHED))
        if part.encoding in (b"base64", b"quoted-printable"):
            data = decode(data, part.encoding)
        charset = dict(part.parameters).get(b"charset", b"utf-8")
        yield _lenient(data, _lenient(charset)).casefold()
