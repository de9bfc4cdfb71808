"""ENVELOPE: the header of a message as parsed by the server (RFC 9051, 7.5.2).

It knows the ten fields, and the shapes in which servers send them instead. Texts are kept as they
came; encoded words and the date are decoded when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from imaplus.core.encoded_words import decode_words
from imaplus.errors import ProtocolError
from imaplus.records import record
from imaplus.wire.cursor import Cursor
from imaplus.wire.dates import parse_header_date
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.tree import Tree, show, tree

_SPECIALS: Final = lazy_pattern(r'[][()<>@,:;.\\"]')  # specials (RFC 5322, 3.2.3)
# quirk 60: what Exchange and Dovecot write where an address lacks a part.
_MISSING: Final = frozenset({".MISSING-HOST-NAME.", "MISSING_DOMAIN", "MISSING_MAILBOX"})


@record
class Address:
    """An address: a mailbox, perhaps in a group.

    A group without members (`undisclosed-recipients:;`) is one address that has nothing but its
    `group`; its `email` is empty.
    """

    raw_name: str | None
    """The display name as sent: encoded words are not decoded."""
    mailbox: str | None
    """The part before the `@`."""
    host: str | None
    group: str | None = None
    """The decoded name of the group that contains the address (RFC 5322, 3.4), or None."""

    @property
    def name(self) -> str | None:
        """The display name, decoded (RFC 2047)."""
        return None if self.raw_name is None else decode_words(self.raw_name)

    @property
    def email(self) -> str:
        """`mailbox@host`; only one of them, or "", if the server sends no more."""
        if self.mailbox and self.host:
            return f"{self.mailbox}@{self.host}"
        return self.mailbox or self.host or ""

    def __str__(self) -> str:
        """`Ada Lovelace <ada@example.org>`, for display."""
        email, name = self.email, self.name
        if not email and not name and self.group is not None:
            return f"{self.group}:;"
        if not name:
            return email
        if _SPECIALS.search(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{email}>" if email else name


Addresses = tuple[Address, ...]
"""The addresses of one header field, in order."""


@record
class Envelope:
    """The fields of a message's header, decoded when they are read.

    A field that the message does not have is None, or no address. Where there is no Sender or
    Reply-To the server puts From (RFC 9051, 7.5.2).
    """

    raw_date: str | None
    raw_subject: str | None
    from_: Addresses
    sender: Addresses
    reply_to: Addresses
    to: Addresses
    cc: Addresses
    bcc: Addresses
    in_reply_to: str | None
    message_id: str | None

    @property
    def subject(self) -> str | None:
        """The subject, decoded (RFC 2047)."""
        return None if self.raw_subject is None else decode_words(self.raw_subject)

    @property
    def date(self) -> datetime | None:
        """When the message was written, by its Date field; None if that is not a valid date.

        Always aware of its offset: one that is `-0000` or missing counts as UTC.
        """
        return None if self.raw_date is None else _parse_date(self.raw_date)


def _parse_date(text: str) -> datetime | None:
    if (moment := parse_header_date(text)) is not None:
        return moment
    # Imported here, since it brings half the email package along for a field that few ask for.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # a moment that UTC puts before the year 1 or after 9999 is none
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment


def envelope(c: Cursor) -> Envelope:
    """Read an ENVELOPE's value.

    Raises:
        ProtocolError: it is no envelope, by any reading.
    """
    # envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP
    #            env-cc SP env-bcc SP env-in-reply-to SP env-message-id ")"
    return parse_envelope(tree(c))


def parse_envelope(fields: Tree) -> Envelope:
    """The envelope in a list of its fields: MESSAGE/RFC822 parts have one of their own."""
    if isinstance(fields, str):
        raise ProtocolError(f"expected an envelope, found {show(fields)}")
    padded = [*(fields or ()), *[None] * 10]  # quirk 59, 68: fields are missing, or all of them
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = padded[:10]
    author = _addresses(from_)
    return Envelope(
        _text(date),
        _text(subject),
        author,
        author if sender == from_ else _addresses(sender),
        author if reply_to == from_ else _addresses(reply_to),
        _addresses(to),
        _addresses(cc),
        _addresses(bcc),
        _text(in_reply_to),
        _text(message_id),
    )


def _text(value: Tree) -> str | None:
    if isinstance(value, list):
        raise ProtocolError(f"expected a text in an envelope, found a list of {len(value)}")
    return value


def _addresses(value: Tree) -> Addresses:
    """env-from and its like = "(" 1*address ")" / nil, with groups resolved."""
    if not value:
        return ()
    if isinstance(value, str):
        raise ProtocolError(f"expected addresses, found {show(value)}")
    return resolve_groups(_entries(value))


def resolve_groups(entries: Sequence[Sequence[Tree]]) -> Addresses:
    """Addresses of four fields or so, with groups resolved."""
    # An address of nothing ends a group. Where none follows there is no group either (quirk 61).
    last_end = max((at for at, entry in enumerate(entries) if not any(entry)), default=-1)
    found: list[Address] = []
    group: str | None = None
    members_from = 0
    for at, entry in enumerate(entries):
        if not any(entry):
            if group is not None and len(found) == members_from:
                found.append(Address(None, None, None, group))
            group = None
            continue
        name, mailbox, host = _parts(entry)
        if name is None and host is None and at < last_end:
            group, members_from = decode_words(mailbox or ""), len(found)
        else:
            found.append(make_address(name, mailbox, host, group))
    return tuple(found)


def _entries(value: list[Tree]) -> list[list[Tree]]:
    """The addresses of a list, each a list of its fields."""
    found: list[list[Tree]] = []
    waiting = value[::-1]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, str):
            raise ProtocolError(f"expected an address, found {show(entry)}")
        if not entry:
            continue  # quirk 58: SmarterMail puts NIL among the addresses
        if isinstance(entry[0], list):
            waiting.extend(entry[::-1])  # quirk 58: ... and the addresses into a list of their own
        else:
            found.append(entry)
    return found


def _parts(entry: Sequence[Tree]) -> tuple[str | None, str | None, str | None]:
    # address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    if len(entry) > 4:  # quirk 8: a literal counted in characters leaves words of the name outside
        words = [word for word in entry[1:-3] if isinstance(word, str)]
        entry = [(_text(entry[0]) or "") + " ".join(words), *entry[-3:]]
    if len(entry) < 4:
        raise ProtocolError(f"expected an address of four fields, found {len(entry)}")
    return _text(entry[0]), _text(entry[2]), _text(entry[3])


def make_address(
    name: str | None, mailbox: str | None, host: str | None, group: str | None
) -> Address:
    if host is None and name is not None and name[:1] == "<" and "@" in name:
        # quirk 61: Gmail swaps the name and the address of what it cannot parse
        swapped, _, host = name.strip("<>").rpartition("@")
        name, mailbox = mailbox, swapped
    if host in _MISSING:
        host = None  # quirk 60
    if mailbox in _MISSING:
        mailbox = None  # quirk 60
    if mailbox is not None and mailbox[:1] == "<":
        mailbox = mailbox[1:]  # quirk 62: split inside its angle brackets
    if host is not None and host[-1:] == ">":
        host = host[:-1]  # quirk 62
    return Address(name, mailbox, host, group)
