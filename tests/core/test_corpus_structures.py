"""What real servers sent instead of an ENVELOPE or BODYSTRUCTURE, and what we make of it.

A file of tests/corpus holds the octets of one or more FETCH responses; its number is the quirk's.
Every file whose number stands here must be in the table, and every line marked with such a number
in the sources has its file.
"""

from __future__ import annotations

import pytest

from imaplus.core.bodystructure import bodystructure
from imaplus.core.envelope import envelope
from imaplus.errors import ProtocolError

from .reading import CORPUS, envelope_text, frames, items, part_text

EXPECTED: dict[str, list[list[str]]] = {
    "08-literal-counted-in-characters": [
        [
            "raw_date: Mon, 7 Feb 2022 09:00:00 +0100",
            "raw_subject: Hi",
            "from_: Ольга Петрова|olga|example.org",
            "message_id: <1@example.org>",
        ]
    ],
    "10-unescaped-quotes": [
        [
            "TEXT multipart/mixed {'boundary': 'x'}",
            "1 text/plain 7bit 20 lines=1 {'charset': 'utf-8'}",
            (
                '2 moundary="_006_5dbb50a5_"/octet-stream base64 690 '
                "{'name': 'a\"small\"file.bin'} filename=a\"small\"file.bin disposition=attachment"
            ),
        ]
    ],
    "11-number-with-exponent": [
        [
            "TEXT multipart/mixed",
            "1 text/plain 7bit 15 lines=2",
            "2 application/zip base64 9373600 {'name': 'a.zip'} filename=a.zip",
        ]
    ],
    "12-negative-number": [
        [
            "TEXT multipart/mixed {'boundary': 'B_7193419875_891207'}",
            "1 text/plain 7bit 6 {'charset': 'US-ASCII'}",
            "2 multipart/appledouble {'boundary': 'B_8145297380_164091'}",
        ]
    ],
    "41-extra-parentheses": [
        [
            "raw_date: Mon, 7 Feb 2022 09:00:00 +0100",
            "raw_subject: Hi",
            "from_: Ada|ada|example.org",
        ],
        ["1 text/plain 7bit 4 lines=1"],
    ],
    "57-spaces-between-addresses": [
        [
            "raw_date: Mon, 7 Feb 2022 09:00:00 +0100",
            "raw_subject: Hi",
            "from_: Ada|ada|example.org, Bob|bob|example.org",
            "to: None|c|example.org, None|d|example.org",
            "message_id: <1@example.org>",
        ]
    ],
    "58-nil-among-addresses": [
        [
            "raw_date: Thu, 18 Jul 2019 01:29:32 -0300",
            "raw_subject: Hi",
            "from_: Ada|ada|example.org",
            "sender: Ada|ada|example.org",
            "to: Bob|bob|example.org",
            "message_id: <1@example.org>",
        ]
    ],
    "59-fields-missing": [
        [
            "raw_date: Tue, 24 Sep 2019 09:48:05 +0800",
            "raw_subject: =?GBK?B?sbG+qdW9x/g=?=",
            "from_: Ada|ada|example.org",
        ],
        [
            "raw_date: Tue, 24 Sep 2019 09:48:05 +0800",
            "raw_subject: Re: Hi",
            "from_: Ada|ada|example.org",
            "in_reply_to: <1@example.org>",
        ],
    ],
    "60-missing-host-name": [
        [
            "raw_date: Sat, 6 Apr 2019 06:11:46 +0000",
            "raw_subject: Hi",
            "from_: Microsoft Exchange Server|None|None",
            "sender: None|NAME|None",
            "reply_to: Root|root|None",
            "to: Nobody|None|None",
            "message_id: <D5EE6C329218A78D@>",
        ]
    ],
    "61-name-and-mailbox-swapped": [
        [
            "raw_date: Mon, 7 Feb 2022 09:00:00 +0100",
            "raw_subject: Hi",
            'from_: =?UTF-8?Q?"Dummy=20Sender"?=|sender|domain.com',
            "to: None|undisclosed-recipients|None",
        ]
    ],
    "62-angle-brackets": [
        [
            "from_: None|members=headspace.com|members.headspace.com",
            "sender: Google|no-reply|accounts.google.com",
        ]
    ],
    "63-multipart-without-parts": [
        [
            "TEXT multipart/alternative {'boundary': '==a=='}",
            "1 multipart/alternative {'boundary': '==a=='}",
            (
                "2 text/html 7bit 6769 lines=171 {'charset': 'iso-8859-1', 'name': 'letter.html'}"
                " filename=letter.html"
            ),
            "3 multipart/related disposition=attachment",
        ],
        [
            "TEXT multipart/report",
            "1 text/plain quoted-printable 211 lines=5 {'charset': 'windows-1252'}",
            "2 message/delivery-status 7bit 344",
            "3 message/rfc822 7bit 2942 lines=51 envelope=True",
            "3.TEXT multipart/alternative",
        ],
    ],
    "64-nil-for-parts": [
        [
            "TEXT multipart/report {'report-type': 'delivery-status', 'boundary': '_e0d7'}",
            "1 text/plain 7bit 727 lines=16 {'charset': 'utf-8'}",
            (
                "2 message/rfc822 7bit 903 lines=17 envelope=True {'name': 'Message headers'}"
                " filename=Message headers"
            ),
            "2.TEXT multipart/alternative {'boundary': 'Apple-Mail=_352F'}",
        ]
    ],
    "65-no-type-at-all": [
        [
            "TEXT multipart/mixed {'boundary': 'x'}",
            "1 text/plain base64 100 lines=2 {'charset': 'utf-8'}",
            "2 application/octet-stream 7bit 0",
        ]
    ],
    "66-no-subtype": [
        [
            "TEXT multipart/mixed",
            "1 text/plain base64 356 lines=5 {'charset': 'windows-1251'}",
            "2 application/x-zip base64 4096 {'boundary': ''}",
            "3 text/plain 7bit 12 lines=1 {'charset': 'x'}",
            "4 text/plain 7bit 12 lines=1 {'charset': 'x'}",
            "5 text/plain 7bit 12 lines=1",
            "6 image/octet-stream base64 12",
        ]
    ],
    "67-message-as-a-basic-part": [
        [
            "TEXT multipart/mixed",
            "1 text/plain 7bit 4 lines=1",
            (
                "2 message/rfc822 base64 2942 envelope=False {'name': 'a.eml'} filename=a.eml"
                " disposition=attachment"
            ),
        ]
    ],
    "68-message-without-a-body": [
        [
            "TEXT multipart/digest",
            "1 message/rfc822 7bit 120 lines=3 envelope=True",
            "2 message/rfc822 7bit 120 lines=3 envelope=False disposition=inline",
        ]
    ],
    "69-multipart-as-one-part": [
        [
            "TEXT multipart/mixed {'boundary': '----=--_D'}",
            "1 multipart/related 7bit 400 {'boundary': '----=_@1'}",
            "2 text/html 7bit 1115 lines=70 {'charset': 'UTF8'}",
        ]
    ],
    "70-odd-dispositions": [
        [
            "TEXT multipart/mixed {'boundary': 'x'}",
            "1 text/plain 7bit 850 lines=31 disposition=inline",
            "2 text/html 7bit 14 lines=2",
            "3 image/png base64 14 filename=a.png disposition=attachment",
            "4 image/png base64 14 filename=b.png disposition=attachment",
            "5 image/png base64 14 disposition=attachment language=en",
        ],
        [
            "TEXT multipart/related {'type': 'text/plain', 'boundary': 'b1'} disposition=inline",
            "1 text/plain 8bit 314 lines=8",
        ],
    ],
    "71-nil-language-and-empty-location": [
        ["1 text/plain 7bit 10 lines=1 {'charset': 'utf-8'} disposition=inline language=en,de"]
    ],
    "72-nil-and-missing-fields": [
        [
            "TEXT multipart/mixed",
            "1 text/plain 7bit 10 {'charset': '', 'format': 'flowed'} disposition=inline",
            "2 text/html base64 20 filename=a.html disposition=attachment",
            "3 application/pdf 7bit None",
        ]
    ],
    "73-invalid-structure": [
        ["refused: expected a number in a body structure, found a list of 1"],
        ["refused: expected the fields of a body part, found 2"],
        ["refused: expected a body structure, found NIL"],
    ],
    "74-raw-8-bit": [
        ["raw_subject: Grüße", "from_: Jörg|j|example.org"],
        [
            (
                "1 application/pdf base64 10 {'name': 'bébé.pdf'} description=Grüße"
                " filename=bébé.pdf disposition=attachment"
            )
        ],
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_corpus(name: str) -> None:
    found = []
    for frame in frames((CORPUS / f"{name}.txt").read_bytes()):
        for item, value in items(frame):
            try:
                if item == "ENVELOPE":
                    found.append(envelope_text(envelope(value)))
                elif item in ("BODY", "BODYSTRUCTURE"):
                    found.append(part_text(bodystructure(value)))
            except ProtocolError as error:
                found.append([f"refused: {error}"])
    assert found == EXPECTED[name]


def test_every_file_is_in_the_table() -> None:
    numbers = {8, 10, 11, 12, 41, *range(57, 75)}
    files = [path.stem for path in CORPUS.glob("*.txt") if int(path.stem.split("-")[0]) in numbers]
    assert sorted(files) == sorted(EXPECTED)
    assert {int(name.split("-")[0]) for name in EXPECTED} == numbers
