"""Malformed messages as senders produce them, and how they must be read.

`SOUND` are right, and Python's `email` package reads the same text. Of `WEIRD` the text that is to
come out is written down, and whether there is a problem to tell of.
"""

from __future__ import annotations

import base64
from typing import Final, NamedTuple


class Weird(NamedTuple):
    """A malformed message."""

    message: bytes
    text: str
    """The result of `text()`."""
    problems: int = 0
    """The minimum number of problems; 0 means none."""
    attachments: tuple[str, ...] = ()
    """Their safe names."""


HEAD: Final = b"From: Ann <ann@example.org>\r\nTo: ada@example.org\r\nSubject: weird\r\n"


def part(headers: str, body: bytes) -> bytes:
    return headers.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def message(headers: str, body: bytes) -> bytes:
    return HEAD + b"MIME-Version: 1.0\r\n" + part(headers, body)


def coded(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def plain(charset: str, data: bytes, encoding: str = "8bit") -> bytes:
    headers = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}"
    return message(headers, data)


def multipart(subtype: str, *parts: bytes, boundary: str = "b1", end: bool = True) -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"'
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + each + b"\r\n" for each in parts)
    return message(head, body + (mark + b"--\r\n" if end else b""))


def inner_multipart(subtype: str, *parts: bytes) -> bytes:
    """A multipart in a multipart."""
    whole = multipart(subtype, *parts, boundary="b2")
    return whole[whole.index(b"Content-Type") :]


TEXT: Final = part("Content-Type: text/plain; charset=utf-8", b"Hello\r\n")
HTML: Final = part("Content-Type: text/html; charset=utf-8", b"<p>Hello, <b>HTML</b></p>\r\n")
PNG: Final = part(
    'Content-Type: image/png; name="dot.png"\nContent-Transfer-Encoding: base64\n'
    "Content-ID: <dot@example.org>\nContent-Disposition: inline",
    base64.b64encode(b"\x89PNG dot") + b"\r\n",
)
INNER: Final = b"From: bob@example.org\r\nSubject: the inner one\r\n\r\nInner text\r\n"

SOUND: Final[dict[str, bytes]] = {
    "ascii": message("Content-Type: text/plain", b"Hello\r\nworld\r\n"),
    "no headers of MIME": HEAD + b"\r\nHello\r\n",
    "utf-8": plain("utf-8", "Grüße aus Köln\r\n".encode()),
    "quoted-printable": plain("iso-8859-1", b"Gr=FC=DFe =\r\naus\r\n", "quoted-printable"),
    "base64": plain("utf-8", coded("日本語\r\n".encode()), "base64"),
    "iso-2022-jp": plain("iso-2022-jp", "日本語\r\n".encode("iso2022_jp"), "7bit"),
    "koi8-r": plain("koi8-r", "Привет\r\n".encode("koi8_r")),
    "shift_jis": plain("shift_jis", "日本語\r\n".encode("shift_jis")),
    "big5": plain("big5", "中文\r\n".encode("big5")),
    "ks_c_5601-1987": plain("ks_c_5601-1987", "안녕하세요\r\n".encode("euc_kr")),
    "utf-7": plain("utf-7", "Grüße\r\n".encode("utf-7"), "7bit"),
    "quoted charset": plain('"UTF-8"', "Grüße\r\n".encode()),
    "alternative": multipart("alternative", TEXT, HTML),
    "mixed": multipart("mixed", TEXT, PNG),
    "nothing in it": message("Content-Type: text/plain", b""),
}

WEIRD: Final[dict[str, Weird]] = {
    "gb2312 that is gbk": Weird(plain("gb2312", "朱镕基\r\n".encode("gbk")), "朱镕基\n"),
    "ks_c_5601-1987 that is cp949": Weird(
        plain("ks_c_5601-1987", "똠방각하\r\n".encode("cp949")), "똠방각하\n"
    ),
    "unknown-8bit, UTF-8": Weird(plain("unknown-8bit", "Grüße\r\n".encode()), "Grüße\n", 1),
    "unknown-8bit, Latin-1": Weird(
        plain("unknown-8bit", "Grüße\r\n".encode("latin-1")), "Grüße\n", 1
    ),
    "no such charset": Weird(plain("x-nonsense", "Grüße\r\n".encode()), "Grüße\n", 1),
    "windows-1252 in iso-8859-1": Weird(
        plain("iso-8859-1", "“quotes” – €\r\n".encode("cp1252")), "“quotes” – €\n"
    ),
    "no charset": Weird(message("Content-Type: text/plain", "Grüße\r\n".encode()), "Grüße\n", 1),
    "no charset, Latin-1": Weird(
        message("Content-Type: text/plain", "Grüße\r\n".encode("latin-1")), "Grüße\n", 1
    ),
    "us-ascii that is not": Weird(plain("us-ascii", "Grüße\r\n".encode()), "Grüße\n", 1),
    "utf-8 that is Latin-1": Weird(
        plain("utf-8", "Grüße\r\n".encode("latin-1")), "Gr\ufffd\ufffde\n", 1
    ),
    "shift_jis that is UTF-8": Weird(plain("euc-jp", "Grüße €\r\n".encode()), "Grüße €\n", 1),
    "utf-7 with half a pair": Weird(plain("utf-7", b"x +2D0-\r\n", "7bit"), "x \ufffd\n", 1),
    "a byte order mark": Weird(plain("utf-8", b"\xef\xbb\xbfHello\r\n"), "Hello\n"),
    "windows-1252 by another name": Weird(
        plain("windows1252", "“Hello”\r\n".encode("cp1252")), "“Hello”\n"
    ),
    "base64 that is plain": Weird(
        plain("utf-8", b"This is plain, believe me!\r\n", "base64"),
        "This is plain, believe me!\n",
        1,
    ),
    "damaged base64": Weird(plain("utf-8", b"SGVs!!bG8=\r\n", "base64"), "Hello", 1),
    "base64 cut off": Weird(plain("utf-8", b"SGVsbG8gd29ybG\r\n", "base64"), "Hello worl", 1),
    "damaged quoted-printable": Weird(
        plain("utf-8", b"100 =ZZ =C3=BC\r\n", "quoted-printable"), "100 =ZZ ü\n", 1
    ),
    "no such encoding": Weird(plain("utf-8", b"Hello\r\n", "x-rot"), "Hello\n", 1),
    "encoding with a comment": Weird(plain("utf-8", b"Hello\r\n", "8bit;"), "Hello\n"),
    "uuencoded": Weird(
        plain("utf-8", b"begin 644 x.txt\r\n%2&5L;&\\ \r\n`\r\nend\r\n", "x-uuencode"), "Hello"
    ),
    "multipart without an end": Weird(multipart("mixed", TEXT, end=False), "Hello\n\n"),
    "HTML only": Weird(
        message(
            "Content-Type: text/html; charset=utf-8",
            b"<html><head><title>no</title></head><body><p>One</p><p>Two &amp; three</p></body>",
        ),
        "One\n\nTwo & three\n",
    ),
    "HTML that tells its charset": Weird(
        message(
            "Content-Type: text/html",
            '<meta charset="windows-1251"><p>Привет</p>'.encode("cp1251"),
        ),
        "Привет\n",
    ),
    "related": Weird(
        multipart("related", HTML, PNG),
        "Hello, HTML\n",
    ),
    "a text, a picture, a text": Weird(multipart("mixed", TEXT, PNG, TEXT), "Hello\n\nHello\n"),
    "Apple's HTML in pieces": Weird(
        multipart(
            "alternative",
            TEXT,
            inner_multipart("mixed", HTML, PNG.replace(b"inline", b"attachment"), HTML),
        ),
        "Hello\n",
        0,
        ("dot.png",),
    ),
    "calendar": Weird(
        multipart(
            "alternative",
            TEXT,
            HTML,
            part("Content-Type: text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n"),
        ),
        "Hello\n",
        0,
        ("invite.ics",),
    ),
    "signed": Weird(
        multipart(
            'signed; micalg=sha-256; protocol="application/pkcs7-signature"',
            TEXT,
            part(
                "Content-Type: application/pkcs7-signature; name=smime.p7s\n"
                "Content-Transfer-Encoding: base64\n"
                "Content-Disposition: attachment; filename=smime.p7s",
                b"MAo=\r\n",
            ),
        ),
        "Hello\n",
        0,
        ("smime.p7s",),
    ),
    "delivery report": Weird(
        multipart(
            "report; report-type=delivery-status",
            part("Content-Type: text/plain", b"It could not be delivered.\r\n"),
            part("Content-Type: message/delivery-status", b"Action: failed\r\n"),
            part("Content-Type: text/rfc822-headers", b"Subject: lost\r\n"),
        ),
        "It could not be delivered.\n",
        0,
        ("delivery-status.txt", "headers.txt"),
    ),
    "a message within": Weird(
        multipart("mixed", TEXT, part("Content-Type: message/rfc822", INNER)),
        "Hello\n",
        0,
        ("the inner one.eml",),
    ),
    "a digest": Weird(
        multipart("digest", part("Content-Type: message/rfc822", INNER)),
        "",
        0,
        ("the inner one.eml",),
    ),
    "a message within, encoded": Weird(
        multipart(
            "mixed",
            TEXT,
            part(
                "Content-Type: message/rfc822; name=inner.eml\nContent-Transfer-Encoding: base64",
                coded(INNER),
            ),
        ),
        "Hello\n",
        0,
        ("inner.eml",),
    ),
    "winmail.dat": Weird(
        multipart(
            "mixed",
            TEXT,
            part("Content-Type: application/ms-tnef", b"TNEF\r\n"),
        ),
        "Hello\n",
        0,
        ("winmail.dat",),
    ),
    "RFC 2231 in pieces": Weird(
        multipart(
            "mixed",
            TEXT,
            part(
                "Content-Type: application/pdf\n"
                "Content-Disposition: attachment;\n filename*0*=utf-8''%C3%9Cber;\n"
                ' filename*1="sicht 2026";\n filename*2*=%2Epdf',
                b"PDF\r\n",
            ),
        ),
        "Hello\n",
        0,
        ("Übersicht 2026.pdf",),
    ),
    "RFC 2047 in a name": Weird(
        multipart(
            "mixed",
            TEXT,
            part(
                'Content-Type: application/pdf; name="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="', b"PDF\r\n"
            ),
        ),
        "Hello\n",
        0,
        ("Übersicht.pdf",),
    ),
    "a name that leads elsewhere": Weird(
        multipart(
            "mixed",
            TEXT,
            part(
                'Content-Type: text/plain\nContent-Disposition: attachment; filename="../../x/y"',
                b"no\r\n",
            ),
        ),
        "Hello\n",
        0,
        ("_.._x_y",),
    ),
}

HOPELESS: Final[dict[str, bytes]] = {
    "multipart without a boundary": message("Content-Type: multipart/mixed", b"Hello\r\n"),
    "a boundary that never comes": message(
        'Content-Type: multipart/mixed; boundary="b9"', b"Hello\r\n"
    ),
    "an empty multipart": message('Content-Type: multipart/mixed; boundary="b1"', b"--b1--\r\n"),
    "a type that is none": message("Content-Type: ;;;", b"Hello\r\n"),
    "a header and nothing more": b"Subject: x\r\n\r\n",
    "boundaries within boundaries": multipart(
        "mixed", multipart("alternative", TEXT, HTML)[len(HEAD) :]
    ),
}
"""Messages without a correct reading: decoding returns something, and does not raise."""
