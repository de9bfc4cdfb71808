"""Messages as people read them: whatever comes, a text comes out, and nothing is raised."""

from __future__ import annotations

from random import Random
from typing import Final

from imaplus.core.bodystructure import bodystructure
from imaplus.core.parts import Part, TextPart
from imaplus.errors import ImapError
from imaplus.reading.choosing import choose
from imaplus.reading.headers import decoded, envelope_of, fields_of
from imaplus.reading.local import take_apart
from imaplus.reading.markup import render
from imaplus.reading.names import name_of, safe_name
from imaplus.reading.subjects import of_forward, of_reply
from imaplus.reading.texts import text_of
from imaplus.wire.cursor import Cursor
from imaplus.wire.frames import frame_of

ENCODINGS: Final = ("7bit", "base64", "quoted-printable", "x-uuencode", "x-none")
CHARSETS: Final = ("utf-8", "us-ascii", "utf-7", "gb2312", "iso-2022-jp", "iso-8859-1", "x-none")
SEEDS: Final = (
    (
        b"Subject: Re: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>you</b> &amp; <ul><li>one</ul></p>\r\n"
        b"--b--\r\n"
    ),
    b"From: =?utf-8?Q?Ann?= <ann@example.org>\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=",
    b"<table><tr><td>a</td></tr></table><!-- x --><script>y</script><pre>a\n b</pre>&#8364;<br>",
    (
        b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1)("IMAGE" "PNG" ("NAME" "../x.png") "<c>" NIL '
        b'"7BIT" 9 NIL ("inline" NIL)) "RELATED" ("START" "<c>") NIL NIL)'
    ),
)


def reading(data: bytes, random: Random) -> None:
    """Take a message apart, read its texts and render its HTML; and the same by its structure."""
    structure, contents = take_apart(data)
    look(structure, contents)
    try:
        told: Part = bodystructure(Cursor(frame_of(data)))
    except ImapError:
        pass
    else:
        look(told, {})
    part = TextPart("1", "text", "html", {"charset": random.choice(CHARSETS)})
    text, _ = text_of(data, part)
    render(text).encode()
    fields = fields_of(data)
    decoded(fields)
    subject = envelope_of(fields).subject or ""
    assert of_reply(of_reply(subject)) == of_reply(subject)
    assert of_forward(of_forward(subject)) == of_forward(subject)
    name = safe_name(text[:300])
    assert name == safe_name(name)
    assert not {"/", "\0"} & set(name)


def look(structure: Part, contents: dict[str, bytes]) -> None:
    choice = choose(structure)
    for part in (*choice.texts(), *choice.htmls()):
        text_of(contents.get(part.section, b""), part).text.encode()
    for part in (*choice.attachments, *choice.inline):
        assert "/" not in name_of(part)
