"""A mailbox to search, the same each time, and queries to search it by.

Its words are chosen so that none stands inside another but at its beginning, for that is where a
server and a mirror differ (docs/searching.md); so do accents, of which each word has one form.
"""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from typing import NamedTuple

from hypothesis import strategies as st

WORDS = (
    *("report", "reporting", "annual", "invoice", "lunch", "budget", "café", "Grüße", "Straße"),
    *("Zażółć", "smørrebrød", "отчёт", "会議の議事録", "회의록", "x86", "1999"),
)
ASKED = (
    *WORDS,
    "rep",
    "ann",
    "cafÉ",
    "STRASSE"[:3],
    "会議",
    "議",
    "회",
    "отч",
    "nothing",
    "INVOICE",
)
PEOPLE = (
    *(("Ada Lovelace", "ada@example.org"), ("Łukasz Żak", "lukasz@zak.example")),
    *(("佐藤 愛", "sato@kaigi.example"), ("Bob", "bob@mail.test")),
)
NAMES = ("scan.pdf", "photo 1.JPG", "übersicht.xlsx", "notes.txt")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "$Junk", "work")
START = datetime(2026, 1, 30, 12, tzinfo=UTC)


class Made(NamedTuple):
    """A message, and what the server is told of it."""

    raw: bytes
    flags: frozenset[str]
    date: datetime


def messages(number: int = 120, *, zone: bool = True) -> list[Made]:
    """The messages; `zone` False: each arrived in UTC."""
    chance = random.Random(15)
    return [_made(chance, place, zone) for place in range(number)]


def _made(chance: random.Random, place: int, zone: bool) -> Made:
    at = START + timedelta(hours=7 * place)
    if zone:
        at = at.astimezone(timezone(timedelta(hours=chance.choice([-11, -5, 0, 2, 13]))))
    flags = frozenset(flag for flag in FLAGS if chance.random() < 0.2)
    return Made(_raw(chance, place, at), flags, at)


def _raw(chance: random.Random, place: int, at: datetime) -> bytes:
    def text(most: int) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, most)))

    lines = [
        f"From: {_person(chance)}",
        f"To: {_person(chance)}, {_person(chance)}",
        f"Subject: {_encoded(text(3))}",
        f"Message-ID: <{place}@query.example>",
    ]
    if chance.random() < 0.3:
        lines.append(f"Cc: {_person(chance)}")
    if chance.random() < 0.9:
        sent = at - timedelta(hours=chance.choice([0, 1, 30, 400]))
        lines.append(f"Date: {sent:%a, %d %b %Y %H:%M:%S %z}")
    if chance.random() < 0.3:
        lines.append(f"X-Spam: {chance.choice(['yes', 'no'])}")
    body = _text_part(text(12) * chance.choice([1, 1, 30]))
    if chance.random() < 0.3:
        name = _parameter(chance.choice(NAMES))
        kind = chance.choice(["attachment", "inline"])
        body = (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
            f"{body}\r\n--b\r\nContent-Type: application/pdf\r\n"
            f"Content-Disposition: {kind}; {name}\r\n\r\n%PDF\r\n--b--\r\n"
        )
    return ("\r\n".join(lines) + "\r\nMIME-Version: 1.0\r\n" + body).encode("ascii")


def _person(chance: random.Random) -> str:
    name, address = chance.choice(PEOPLE)
    return f"{_encoded(name)} <{address}>"


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=1000).encode()


def _text_part(text: str) -> str:
    head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + base64.encodebytes(text.encode()).decode().replace("\n", "\r\n")


def _parameter(name: str) -> str:
    if name.isascii():
        return f'filename="{name}"'
    return "filename*=utf-8''" + "".join(
        c if c.isascii() else "".join(f"%{octet:02X}" for octet in c.encode()) for c in name
    )


def queries() -> st.SearchStrategy[str]:
    """Queries of every kind that a server and a mirror both understand."""
    text = st.sampled_from(ASKED)
    people = st.sampled_from(
        ["ada", "Łukasz", "佐藤", "sato@kaigi", "example", "bob@mail.test", "nobody"]
    )
    day = st.integers(-20, 45).map(lambda n: f"{START + timedelta(days=n):%Y-%m-%d}")
    phrase = st.lists(st.sampled_from(WORDS[:8]), min_size=2, max_size=2).map(" ".join)
    leaves = st.one_of(
        text,
        phrase.map(lambda it: f'"{it}"'),
        st.builds("{}:{}".format, st.sampled_from(["subject", "body", "text"]), text),
        st.builds("{}:{}".format, st.sampled_from(["from", "to", "cc", "bcc"]), people),
        st.builds("{}:{}".format, st.sampled_from(["since", "before", "on"]), day),
        st.builds("sent-{}:{}".format, st.sampled_from(["since", "before", "on"]), day),
        st.sampled_from("unread read flagged answered draft deleted".split()).map("is:{}".format),
        st.sampled_from(["$Junk", "WORK", "none"]).map("keyword:{}".format),
        st.builds("{}:{}".format, st.sampled_from(["larger", "smaller"]), st.integers(300, 1500)),
        st.sampled_from(["7", "3:20", "100:*", "5,9,300"]).map("uid:{}".format),
        st.sampled_from(["X-Spam", "X-Spam:YES", "X-Spam:o", "Subject:nual"]).map(
            "header:{}".format
        ),
        st.sampled_from(["<7@query.example>", "11@query.example", "no@one"]).map("id:{}".format),
        st.sampled_from(["*.pdf", "photo", "*.jpg", "ü*", "?otes.txt", "[x]"]).map(
            "filename:{}".format
        ),
        st.just("has:attachment"),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("{} {}".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("-({})".format, inner),
        ),
        max_leaves=5,
    )
