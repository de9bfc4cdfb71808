"""BODYSTRUCTURE and BODY: the grammar, the numbers of parts, hostile shapes, file names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.core.bodystructure import (
    MAX_PARTS,
    Disposition,
    MessagePart,
    Multipart,
    Part,
    TextPart,
    bodystructure,
)
from imaplus.core.envelope import Address, Envelope
from imaplus.errors import ProtocolError

from .reading import cursor
from .spelling import spell

EXAMPLES: list[tuple[bytes, Part]] = [
    # RFC 9051, 7.5.2
    (
        b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)',
        TextPart("1", "text", "plain", {"charset": "US-ASCII"}, size=2279, lines=48),
    ),
    (
        (
            b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)'
            b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff")'
            b' "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73)'
            b' "MIXED")'
        ),
        Multipart(
            "TEXT",
            "multipart",
            "mixed",
            parts=(
                TextPart("1", "text", "plain", {"charset": "US-ASCII"}, size=1152, lines=23),
                TextPart(
                    "2",
                    "text",
                    "plain",
                    {"charset": "US-ASCII", "name": "cc.diff"},
                    "<960723163407.20117h@cac.washington.edu>",
                    "Compiler diff",
                    "base64",
                    4554,
                    lines=73,
                ),
            ),
        ),
    ),
    # every field there is, and one that nobody knows yet
    (
        (
            b'("IMAGE" "PNG" ("NAME" "a.png") "<id>" "A picture" "BASE64" 4294967296 "md5=="'
            b' ("ATTACHMENT" ("FILENAME" "b.png")) ("en" "de") "http://a.example/" ("new" (1 NIL)))'
        ),
        Part(
            "1",
            "image",
            "png",
            {"name": "a.png"},
            "<id>",
            "A picture",
            "base64",
            1 << 32,
            "md5==",
            Disposition("attachment", {"filename": "b.png"}),
            ("en", "de"),
            "http://a.example/",
        ),
    ),
    (
        b'("TEXT" "HTML" NIL NIL NIL "8BIT" 10 1 NIL NIL "en" NIL)',
        TextPart("1", "text", "html", encoding="8bit", size=10, language=("en",), lines=1),
    ),
    # MESSAGE/RFC822 that holds one part, and one that holds several
    (
        (
            b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 (NIL "Hi" ((NIL NIL "a" "b")) NIL NIL NIL'
            b' NIL NIL NIL NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1)'
            b' 7 NIL ("INLINE" NIL) NIL NIL)'
        ),
        MessagePart(
            "1",
            "message",
            "rfc822",
            size=99,
            disposition=Disposition("inline"),
            envelope=Envelope(
                None, "Hi", (Address(None, "a", "b"),), (), (), (), (), (), None, None
            ),
            body=TextPart("1.1", "text", "plain", size=4, lines=1),
            lines=7,
        ),
    ),
]


@pytest.mark.parametrize(("value", "expected"), EXAMPLES)
def test_examples(value: bytes, expected: Part) -> None:
    c = cursor(value + b" UID 7)")
    assert bodystructure(c) == expected
    assert c.rest() == b" UID 7)"


def leaf(media: str, subtype: str) -> list[Any]:
    return [media, subtype, None, None, None, "7bit", 1, *([1] if media == "text" else [])]


def message(body: list[Any]) -> list[Any]:
    return ["message", "rfc822", None, None, None, "7bit", 1, [None] * 10, body, 1]


def test_the_numbers_of_parts() -> None:
    """The example of RFC 9051, 6.4.5.1."""
    third = message([leaf("text", "plain"), leaf("application", "octet-stream"), "mixed"])
    alternative = [leaf("text", "plain"), leaf("text", "richtext"), "alternative"]
    fourth = [
        leaf("image", "gif"),
        message([leaf("text", "plain"), alternative, "mixed"]),
        "mixed",
    ]
    whole = [leaf("text", "plain"), leaf("application", "octet-stream"), third, fourth, "mixed"]
    found = bodystructure(cursor(spell(whole)))
    assert [(part.section, part.content_type) for part in found.walk()] == [
        ("TEXT", "multipart/mixed"),
        ("1", "text/plain"),
        ("2", "application/octet-stream"),
        ("3", "message/rfc822"),
        ("3.TEXT", "multipart/mixed"),
        ("3.1", "text/plain"),
        ("3.2", "application/octet-stream"),
        ("4", "multipart/mixed"),
        ("4.1", "image/gif"),
        ("4.2", "message/rfc822"),
        ("4.2.TEXT", "multipart/mixed"),
        ("4.2.1", "text/plain"),
        ("4.2.2", "multipart/alternative"),
        ("4.2.2.1", "text/plain"),
        ("4.2.2.2", "text/richtext"),
    ]


def test_the_numbers_of_messages_that_are_one_part() -> None:
    found = bodystructure(cursor(spell(message(message(leaf("text", "plain"))))))
    assert [part.section for part in found.walk()] == ["1", "1.1", "1.1.1"]


def nested(kind: bytes, depth: int) -> bytes:
    leaf = b'("a" "b" NIL NIL NIL "7bit" 1)'
    before, after = {
        b"multipart": (b"(", b' "mixed")'),
        b"message": (b'("message" "rfc822" NIL NIL NIL "7bit" 1 NIL ', b" 1)"),
        b"nothing": (b"(", b")"),
    }[kind]
    return before * depth + leaf + after * depth


@pytest.mark.parametrize("kind", [b"multipart", b"message"])
def test_depth(kind: bytes) -> None:
    parts = list(bodystructure(cursor(nested(kind, 100))).walk())
    assert len(parts) == 101
    assert parts[-1].section == ".".join(["1"] * (100 if kind == b"multipart" else 101))


@pytest.mark.parametrize("kind", [b"multipart", b"message", b"nothing"])
@pytest.mark.parametrize("depth", [128, 129, 5_000])
def test_too_deep(kind: bytes, depth: int) -> None:
    with pytest.raises(ProtocolError):
        bodystructure(cursor(nested(kind, depth)))


def test_too_many_parts() -> None:
    part = b'("a" "b" NIL NIL NIL "7bit" 1)'
    found = bodystructure(cursor(b"(%b)" % (part * (MAX_PARTS - 1))))
    assert sum(1 for _ in found.walk()) == MAX_PARTS
    with pytest.raises(ProtocolError, match="more than 10000 parts"):
        bodystructure(cursor(b"(%b)" % (part * MAX_PARTS)))


@pytest.mark.parametrize(
    "value",
    [
        b"NIL",
        b"()",
        b'"text"',
        b"(())",
        b"((NIL))",
        b'("text" "plain" NIL NIL NIL "7bit" many 1)',
        b'("text" "plain" NIL NIL NIL "7bit" 99999999999999999999 1)',
        b'("text" "plain" NIL NIL NIL "7bit" 1e99 1)',
        b'("text" "plain" NIL ("id") NIL "7bit" 1 1)',
        b'("text" "plain" NIL NIL NIL "7bit" 1 1',
        b'("message" "rfc822" NIL NIL NIL "7bit" 1 (NIL NIL (x)) ("a" "b") 1)',
    ],
)
def test_what_is_no_structure(value: bytes) -> None:
    with pytest.raises(ProtocolError):
        bodystructure(cursor(value))


@pytest.mark.parametrize(
    ("disposition", "params", "name"),
    [
        (None, {}, None),
        (None, {"name": "a"}, "a"),
        ({"filename": "b"}, {"name": "a"}, "b"),
        ({}, {"name": "a"}, "a"),
        ({"filename": ""}, {"name": "a"}, "a"),
        ({"filename": "=?utf-8?Q?=C3=A9?="}, {}, "é"),
        ({"filename*": "utf-8''%C3%A9"}, {}, "é"),
        ({"filename*0": "a", "filename*1*": "%20b"}, {}, "a b"),
    ],
)
def test_filename(disposition: dict[str, str] | None, params: dict[str, str], name: str) -> None:
    wanted = None if disposition is None else Disposition("attachment", disposition)
    assert Part("1", "image", "png", params, disposition=wanted).filename == name


@pytest.mark.parametrize(
    ("part", "attachment"),
    [
        (TextPart("1", "text", "plain"), False),
        (TextPart("1", "text", "plain", {"name": "a.txt"}), True),
        (TextPart("1", "text", "plain", disposition=Disposition("inline")), False),
        (Part("1", "image", "png", {"name": "a"}, disposition=Disposition("inline")), False),
        (Part("1", "image", "png", disposition=Disposition("attachment")), True),
        (Part("1", "image", "png", disposition=Disposition("x-unknown")), True),
        (Multipart("1", "multipart", "mixed", disposition=Disposition("attachment")), False),
    ],
)
def test_is_attachment(part: Part, attachment: bool) -> None:
    assert part.is_attachment is attachment


def test_charset_and_description() -> None:
    part = TextPart("1", "text", "plain", {"charset": "UTF-8"}, None, "=?utf-8?Q?=C3=A9?=")
    assert (part.charset, part.description) == ("utf-8", "é")
    assert TextPart("1", "text", "plain").charset == "us-ascii"
    assert hash(part) != hash(TextPart("2", "text", "plain"))


# -- any structure comes back ----------------------------------------------------------------------

word = st.text('abcäö 01."\\()\r\n', min_size=1, max_size=8)
token = st.text("abcdefgh-", min_size=1, max_size=6).filter(lambda s: s != "inline")
nstring = st.none() | st.text(max_size=8)
params = st.dictionaries(token, st.text(max_size=8), max_size=3)
disposition = st.none() | st.builds(Disposition, token, params)
languages = st.lists(token, max_size=3).map(tuple)
sizes = st.integers(0, (1 << 64) - 1)
common = (params, nstring, nstring, token, sizes)
extension = (disposition, languages, nstring)
basic = st.builds(
    Part,
    st.just(""),
    st.sampled_from(["application", "image", "x-other", "message"]),
    token,
    *common,
    nstring,
    *extension,
)
texts = st.builds(
    TextPart, st.just(""), st.just("text"), token, *common, nstring, *extension, sizes
)
an_envelope = st.builds(Envelope, nstring, nstring, *[st.just(())] * 6, nstring, nstring)


def containers(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    messages = st.builds(
        MessagePart,
        st.just(""),
        st.just("message"),
        st.sampled_from(["rfc822", "global"]),
        *common,
        nstring,
        *extension,
        an_envelope,
        parts,
        sizes,
    )
    multiparts = st.builds(
        lambda subtype, params, found, language, location, parts: Multipart(
            "",
            "multipart",
            subtype,
            params,
            disposition=found,
            language=language,
            location=location,
            parts=tuple(parts),
        ),
        token,
        params,
        *extension,
        st.lists(parts, min_size=1, max_size=3),
    )
    return messages | multiparts


structures = st.recursive(basic | texts, containers, max_leaves=8)


def pairs(params: Any) -> list[Any] | None:
    return [text for pair in params.items() for text in pair] or None


def fields(part: Part) -> list[Any]:
    found = part.disposition
    disposition = None if found is None else [found.type, pairs(found.params)]
    extension = [disposition, list(part.language) or None, part.location]
    if isinstance(part, Multipart):
        return [*map(fields, part.parts), part.subtype, pairs(part.params), *extension]
    special: list[Any] = []
    if isinstance(part, TextPart):
        special = [part.lines]
    if isinstance(part, MessagePart):
        assert part.envelope is not None
        assert part.body is not None
        e = part.envelope
        envelope = [e.raw_date, e.raw_subject, *[None] * 6, e.in_reply_to, e.message_id]
        special = [envelope, fields(part.body), part.lines]
    return [
        part.type,
        part.subtype,
        pairs(part.params),
        part.content_id,
        part.raw_description,
        part.encoding,
        part.size,
        *special,
        part.md5,
        *extension,
    ]


@given(structures, st.randoms(use_true_random=False))
def test_any_structure_comes_back(part: Part, random: Any) -> None:
    found = bodystructure(cursor(spell(fields(part), random)))
    assert fields(found) == fields(part)
    assert [type(each) for each in found.walk()] == [type(each) for each in part.walk()]
    sections = [each.section for each in found.walk()]
    assert len(set(sections)) == len(sections)


junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.integers(0, 20)
    | st.sampled_from(
        ["text", "message", "rfc822", "multipart", "mixed", "inline", "7bit", "-1", "1e3", "", "x"]
    ),
    lambda values: st.lists(values, max_size=12),
    max_leaves=40,
)


@given(junk.filter(lambda value: isinstance(value, list)))
def test_lists_of_any_shape_parse_or_are_refused(value: Any) -> None:
    try:
        found = bodystructure(cursor(spell(value)))
    except ProtocolError:
        return
    for part in found.walk():
        _ = part.filename, part.is_attachment, part.description, hash(part), repr(part)


@given(st.one_of(st.binary(), st.text(alphabet='()"\\ {1}\r\nNIL<@>').map(str.encode)))
def test_octets_parse_or_are_refused(value: bytes) -> None:
    try:
        c = cursor(b"(" + value.replace(b"\n", b"") + b")")
    except ValueError:  # not one frame
        return
    try:
        bodystructure(c)
    except ProtocolError:
        return
