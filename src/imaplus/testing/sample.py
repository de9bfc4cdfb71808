"""A sample account for demonstrations: sixty messages of common kinds.

Bytes, dates and flags are the same in each run, so that outputs can be compared.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Final

from imaplus.testing.server import BaseServer
from imaplus.testing.store import Account

FIRST: Final = datetime(2025, 1, 6, 8, 30, tzinfo=UTC)
PEOPLE: Final = (
    ("Grace Hopper", "grace@navy.example"),
    ("Zoë Müller", "zoe@bücher.example"),
    ("Alan Turing", "alan@bletchley.example"),
    ("山田太郎", "taro@example.jp"),
    ("Łukasz Żak", "lukasz@example.pl"),
    ("Katherine Johnson", "katherine@orbit.example"),
)
SUBJECTS: Final = (
    "The compiler works",
    "Käsekuchen am Freitag?",
    "Orbital tables, second draft",
    "会議の議事録",
    "Re: The compiler works",
    "Invoice 2025-017",
    "Zażółć gęślą jaźń",
    "Holiday pictures",
)
ADA: Final = "Ada Lovelace <ada@example.org>"
PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def sample_mailbox(server: BaseServer, n: int = 60, *, user: str | None = None) -> None:
    """Add mailboxes and `n` messages to an account.

    Args:
        server: the server.
        n: number of messages.
        user: the user name; None for the first user.
    """
    account = server.account(user)
    prefix = server.personality.prefix
    archive = f"{prefix}Archive{account.delimiter}2025"
    important = f"{prefix}Wichtig & Übersicht"
    for word in ("Sent", "Drafts", "Trash", "Junk", "Archive"):
        use = f"\\{word}"
        name = _name_of(account, use) or f"{prefix}{word}"
        server.add_mailbox(name, use, subscribed=word != "Junk", user=user)
    for name in (archive, important):
        server.add_mailbox(name, subscribed=True, user=user)
    sent, trash = _name_of(account, "\\Sent"), _name_of(account, "\\Trash")
    homes = cycle(("INBOX", "INBOX", archive, sent, "INBOX", important, trash))
    flags = cycle(((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Seen", "$work")))
    for number, message in enumerate(islice(messages(), n)):
        moment = FIRST + timedelta(hours=31 * number)
        home = server.mailbox(next(homes), user=user)
        home.add(message, next(flags), moment)


def _name_of(account: Account, use: str) -> str:
    """Return the name of the mailbox with this special use; "" if there is none."""
    names = (box.name for box in account.mailboxes.values() if use in box.attributes)
    return next(names, "")


def messages() -> Iterator[bytes]:
    """Yield an endless sequence of messages, of each kind in turn."""
    kinds = (_plain, _html, _with_attachment, _nested, _long, _forwarded, _quoted, _empty)
    for number, kind in enumerate(cycle(kinds)):
        yield kind(number)


def _fields(number: int, *more: str) -> list[str]:
    """Return the header fields of a message."""
    name, address = PEOPLE[number % len(PEOPLE)]
    moment = FIRST + timedelta(hours=31 * number)
    domain = address.partition("@")[2].encode("idna").decode()
    return [
        f"Date: {moment:%a, %d %b %Y %H:%M:%S} +0000",
        f"From: {_word(name)} <{address.partition('@')[0]}@{domain}>",
        f"To: {ADA}",
        f"Subject: {_word(SUBJECTS[number % len(SUBJECTS)])}",
        f"Message-ID: <{number}.2025@{domain}>",
        "MIME-Version: 1.0",
        *more,
    ]


def _word(text: str) -> str:
    """Return the text, as an encoded word if it is not ASCII (RFC 2047)."""
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _join(fields: Iterable[str], body: bytes) -> bytes:
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + body


def _multipart(boundary: str, *parts: bytes) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def _lines(number: int, count: int = 3) -> str:
    name = PEOPLE[number % len(PEOPLE)][0]
    return "".join(f"Line {line} of a letter from {name}.\r\n" for line in range(1, count + 1))


def _text_part(number: int, kind: str = "plain") -> bytes:
    text = _lines(number) if kind == "plain" else f"<p>{_lines(number)}</p>\r\n"
    fields = [f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return _join(fields, text.encode())


def _plain(number: int) -> bytes:
    more = ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
    return _join(_fields(number, *more), _lines(number).encode())


def _quoted(number: int) -> bytes:
    more = (
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
    )
    text = "Grüße aus Köln, mit einem Käsekuchen à 12 Stücke.\n"
    body = quopri.encodestring(text.encode("latin-1")).replace(b"\n", b"\r\n")
    return _join(_fields(number, *more), body)


def _html(number: int) -> bytes:
    body = _multipart("alt", _text_part(number), _text_part(number, "html"))
    return _join(_fields(number, 'Content-Type: multipart/alternative; boundary="alt"'), body)


def _attachment(name: str, media: str, data: bytes) -> bytes:
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    fields = [
        f"Content-Type: {media}",
        f"Content-Disposition: attachment; filename*=utf-8''{_percent(name)}",
        "Content-Transfer-Encoding: base64",
    ]
    return _join(fields, encoded.removesuffix(b"\r\n"))


def _percent(name: str) -> str:
    return "".join(chr(x) if chr(x).isalnum() and x < 128 else f"%{x:02X}" for x in name.encode())


def _with_attachment(number: int) -> bytes:
    picture = _attachment(f"Bild-{number}-schön.png", "image/png", PIXEL)
    body = _multipart("mixed", _text_part(number), picture)
    return _join(_fields(number, "Content-Type: multipart/mixed; boundary=mixed"), body)


def _nested(number: int) -> bytes:
    inner = _multipart("inner", _text_part(number), _text_part(number, "html"))
    alternative = _join(["Content-Type: multipart/alternative; boundary=inner"], inner)
    table = _attachment("Umlaute äöü.csv", "text/csv; charset=utf-8", "a;b\r\nä;ö\r\n".encode())
    picture = _attachment("pixel.png", "image/png", PIXEL)
    body = _multipart("outer", alternative, table, picture)
    return _join(_fields(number, "Content-Type: multipart/mixed; boundary=outer"), body)


def _forwarded(number: int) -> bytes:
    original = _join(["Content-Type: message/rfc822"], _html(number + 1))
    body = _multipart("forward", _text_part(number), original)
    return _join(_fields(number, "Content-Type: multipart/mixed; boundary=forward"), body)


def _long(number: int) -> bytes:
    return _join(_fields(number, "Content-Type: text/plain"), _lines(number, 2000).encode())


def _empty(number: int) -> bytes:
    return b"\r\n"
