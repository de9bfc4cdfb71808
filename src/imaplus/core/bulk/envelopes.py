"""Envelopes as nearly all servers write them: read by one match, and no tree of tokens.

Only what the grammar of RFC 9051 (9) allows is recognised, and no strings with escapes. The rest is
left to `core/envelope.py`, which gives the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, cast

from imaplus.core.envelope import (
    Address,
    Addresses,
    Envelope,
    envelope,
    make_address,
    resolve_groups,
)
from imaplus.wire.cursor import Cursor
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tree import literal_text

_NSTRING: Final = r'(?:"[^"\\\r\n]*+"|NIL|\{[0-9]++\}\r\n)'
_ADDRESS: Final = rf"\({_NSTRING} {_NSTRING} {_NSTRING} {_NSTRING}\)"
_ADDRESSES: Final = rf"(?:NIL|\((?:{_ADDRESS} ?+)++\))"
_FIELDS: Final = (_NSTRING,) * 2 + (_ADDRESSES,) * 6 + (_NSTRING,) * 2
_USUAL: Final = lazy_pattern(rf"\({' '.join(f'({each})' for each in _FIELDS)}\)")
_ENTRY: Final = lazy_pattern(_ADDRESS)
_FOUR: Final = lazy_pattern(rf"\(({_NSTRING}) ({_NSTRING}) ({_NSTRING}) ({_NSTRING})\)")
LONGEST_SHARED: Final = 512
"""Addresses up to this length, in characters, are cached."""


def read_envelope(c: Cursor) -> Envelope:
    """As `core.envelope.envelope()`, and faster for most envelopes."""
    text = c.coming_text()
    if text is None:
        return envelope(c)
    usual = usual_envelope(text, 0, map(literal_text, c.coming_literals()))
    if usual is None:
        return envelope(c)
    found, end = usual
    c.take_text(text[:end])
    return found


def usual_envelope(text: str, at: int, literals: Iterator[str]) -> tuple[Envelope, int] | None:
    """The envelope that begins here, if it is as the grammar has it, and where it ends."""
    match = _USUAL.match(text, at)
    if match is None:
        return None
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = match.groups()
    raw_date, raw_subject = _nstring(date, literals), _nstring(subject, literals)
    author = _read_address_list(from_, literals)
    if sender == reply_to == from_ and "{" not in from_:
        others = author, author
    else:
        others = _read_address_list(sender, literals), _read_address_list(reply_to, literals)
    return Envelope(
        raw_date,
        raw_subject,
        author,
        *others,
        _read_address_list(to, literals),
        _read_address_list(cc, literals),
        _read_address_list(bcc, literals),
        _nstring(in_reply_to, literals),
        _nstring(message_id, literals),
    ), match.end()


def _nstring(text: str, literals: Iterator[str]) -> str | None:
    if text[0] == '"':
        return text[1:-1]
    return None if text == "NIL" else next(literals)


def _read_address_list(text: str, literals: Iterator[str]) -> Addresses:
    if text == "NIL":
        return ()
    sent = _literals_of(text, literals)
    short = len(text) + sum(map(len, sent)) <= LONGEST_SHARED
    return _shared_addresses(text, sent) if short else _read_addresses(text, sent)


def _literals_of(text: str, literals: Iterator[str]) -> tuple[str, ...]:
    """Those that a text announces, which has no other line breaks."""
    return tuple(islice(literals, text.count("\n"))) if "{" in text else ()


def _read_addresses(text: str, sent: tuple[str, ...]) -> Addresses:
    entries = _ENTRY.findall(text)
    literals = iter(sent)
    found = [_shared_address(entry, _literals_of(entry, literals)) for entry in entries]
    if None not in found:
        return cast(Addresses, tuple(found))
    literals = iter(sent)
    return resolve_groups(
        [[_nstring(each, literals) for each in _four(entry)] for entry in entries]
    )


_shared_addresses: Final = lru_cache(maxsize=4096)(_read_addresses)
"""Addresses, made once: who writes to whom comes again and again."""


@lru_cache(maxsize=4096)
def _shared_address(entry: str, sent: tuple[str, ...]) -> Address | None:
    """One of them; None if it belongs to a group."""
    literals = iter(sent)
    name, _, mailbox, host = [_nstring(each, literals) for each in _four(entry)]
    return make_address(name, mailbox, host, None) if host and mailbox else None


def _four(entry: str) -> tuple[str, ...]:
    match = _FOUR.match(entry)
    assert match is not None
    return match.groups()
