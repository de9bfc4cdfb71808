"""Malformed mail, as found in practice, that parsers must accept."""

from __future__ import annotations

import functools
import random

from .bodies import multipart

_TEXT = b"Content-Type: text/plain\r\n\r\nbody\r\n"
_MIME = b"MIME-Version: 1.0\r\n"

# Each follows a valid header.
_BODIES = (
    b"",  # no body, no blank line
    b"Subject: caf\xe9 raw latin-1\r\n" + _TEXT,  # 8-bit, and the second Subject
    b"X-Long: " + b"x" * 9000 + b"\r\n" + _TEXT,
    b"X-Folded:\r\n \r\n\t\r\n  value\r\n" + _TEXT,
    b"X-Bad: =?utf-8?B?!!!?= =?nope?Q?=ZZ?= =?utf-8?Q?cut\r\n" + _TEXT,
    b"Content-Type: multipart/mixed; boundary=never\r\n\r\nno boundary\r\n",
    b"Content-Type: multipart/mixed; boundary=open\r\n\r\n--open\r\n" + _TEXT,
    b"Content-Type: multipart/mixed\r\n\r\nno boundary parameter\r\n",
    functools.reduce(  # eight messages, each inside the other
        lambda part, _: b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n" + _MIME + part,
        range(8),
        _TEXT,
    ),
    b"Content-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + bytes(range(128, 256))
    + b"\r\n",
    b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AGEAYgBj-\r\n",
    (
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"=ZZ = =4\r\nsoft at end="
    ),
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsb G8*!\r\n=\r\n",
    b'Content-Type: TEXT / plain ; charset = "us-ascii" (comment) ;;\r\n\r\nx\r\n',
    b"Content-Type: garbage\r\nContent-Disposition: \r\n\r\nx\r\n",
    _TEXT + b"y" * 200_000 + b"\r\n",  # one very long line
    (
        b"Content-Type: application/x\r\nContent-Disposition: attachment;\r\n"
        b" filename=\"=?utf-8?B?w6k=?=\"; filename*0*=utf-8''%C3; filename*1*=%A9.txt\r\n\r\nx\r\n"
    ),
    b"Content-Type: multipart/signed; micalg=pgp-sha1; boundary=s;\r\n"
    b' protocol="application/pgp-signature"\r\n\r\n--s\r\n'
    + _TEXT
    + b"--s\r\nContent-Type: application/pgp-signature\r\n\r\nnot a signature\r\n--s--\r\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n"
    + _TEXT
    + b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    b"Final-Recipient: rfc822; y@example.org\r\nAction: failed\r\n\r\n--r--\r\n",
    _TEXT + b"begin 644 x.txt\r\n#86)C\r\n`\r\nend\r\nFrom here on\r\n.\r\n",
)
# These are whole messages.
_WHOLE = (
    b"Subject: no from, no date, no id\r\n\r\nx\r\n",
    b"\r\nonly a body\r\n",
    b'From: undisclosed-recipients:;\r\nTo: A Group:a@example.org,\r\n "b c"@example.org;,'
    b"\r\n @old.example,@route.example:d@example.org (a (nested) comment)\r\n" + _MIME + _TEXT,
)


def weird(rng: random.Random, head: bytes, kind: int) -> bytes:
    """Return the malformed message of this kind; most begin with the valid header `head`."""
    kind %= len(_BODIES) + len(_WHOLE) + 2
    if kind < len(_BODIES):
        return head + _BODIES[kind]
    kind -= len(_BODIES)
    if kind < len(_WHOLE):
        return _WHOLE[kind]
    if kind == len(_WHOLE):  # no such date
        bad_date = b"Date: Thu, 31 Feb 2021 25:61:00 +9999\r\nX-Date: "
        return head.replace(b"Date: ", bad_date, 1) + _TEXT
    # multiparts, twenty-five deep
    return head + functools.reduce(
        lambda part, _: multipart(rng, "mixed", [part]), range(25), _TEXT
    )
