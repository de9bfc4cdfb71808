"""Replies and forwards: recipients, subjects, references, content."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from imaplus.errors import InvalidArgument
from imaplus.reading import subjects
from imaplus.reading.composing import File, Original, forward, reply
from imaplus.reading.headers import envelope_of, fields_of, first, message_ids

ME = "Ada <ada@example.org>"
LONG = "<" + "x" * 120 + "@example.org>"


def original(header: str, text: str = "Hello\n") -> Original:
    fields = fields_of(header.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n")
    envelope = envelope_of(fields)
    date = envelope.date or datetime(2026, 1, 2, tzinfo=UTC)
    return Original(envelope, message_ids(first(fields, "References")), fields, date, text)


def answer(
    header: str, to: str = "sender", sender: str | None = ME, **options: object
) -> EmailMessage:
    found = original(header, str(options.pop("text", "Hello\n")))
    given: dict[str, object] = {"aliases": (), "quote": True, "body": "hi", **options}
    body = str(given.pop("body"))
    return reply(found, body, sender=sender, to=to, **given)  # type: ignore[arg-type]


LIST = """
From: Ann <ann@example.org>
To: list@lists.example.org, Bob <bob@example.org>
Cc: ada@example.org, cleo@example.org
Reply-To: list@lists.example.org
List-Post: <mailto:list@lists.example.org?subject=x> (members only)
Subject: [list] Re: plans
Message-ID: <2@example.org>
References: <0@example.org> <1@example.org>
"""


def test_a_reply_goes_to_the_author() -> None:
    message = answer("From: Ann <ann@example.org>\nTo: ada@example.org\nSubject: plans")
    assert (message["From"], message["To"], message["Cc"]) == (ME, "Ann <ann@example.org>", None)
    assert message["Subject"] == "Re: plans"
    assert (message["In-Reply-To"], message["References"]) == (None, None)
    assert message["Message-ID"].endswith("@example.org>")


def test_or_to_where_the_author_wants_it() -> None:
    assert answer(LIST)["To"] == "list@lists.example.org"
    wanted = answer(LIST + "Mail-Reply-To: ann@home.example\n")
    assert wanted["To"] == "ann@home.example"


def test_a_reply_to_all_leaves_oneself_out() -> None:
    message = answer(LIST, to="all")
    assert message["To"] == "list@lists.example.org, Bob <bob@example.org>"
    assert message["Cc"] == "cleo@example.org"
    message = answer(LIST, to="all", aliases=["BOB@example.org"])
    assert message["To"] == "list@lists.example.org"


def test_mail_followup_to_is_obeyed() -> None:
    header = LIST + "Mail-Followup-To: list@lists.example.org, ada@example.org\n"
    message = answer(header, to="all")
    assert (message["To"], message["Cc"]) == ("list@lists.example.org", None)
    assert answer(header, to="list")["To"] == "list@lists.example.org"


def test_a_reply_to_the_list() -> None:
    assert answer(LIST, to="list")["To"] == "list@lists.example.org"
    munged = "From: ann@example.org\nReply-To: list@lists.example.org"
    assert answer(munged, to="list")["To"] == "list@lists.example.org"
    with pytest.raises(InvalidArgument, match="mailing list"):
        answer("From: ann@example.org\nList-Post: NO (nobody may)", to="list")
    with pytest.raises(InvalidArgument, match="expected"):
        answer(LIST, to="nobody")


def test_ones_own_message_is_answered_to_whom_it_went() -> None:
    sent = "From: ada@example.org\nTo: ann@example.org\nCc: bob@example.org"
    assert answer(sent)["To"] == "ann@example.org"
    message = answer(sent, to="all")
    assert (message["To"], message["Cc"]) == ("ann@example.org", "bob@example.org")
    note = "From: ada@example.org\nTo: ada@example.org"
    assert answer(note, to="all")["To"] == "ada@example.org"


def test_without_a_sender_the_delivery_tells_who_one_is() -> None:
    header = LIST + "Delivered-To: cleo@example.org\n"
    message = answer(header, to="all", sender=None)
    assert message["From"] is None
    assert message["Cc"] == "ada@example.org"


def test_what_it_refers_to() -> None:
    message = answer(LIST)
    assert message["In-Reply-To"] == "<2@example.org>"
    assert message["References"] == "<0@example.org> <1@example.org> <2@example.org>"
    message = answer("From: a@b.c\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>")
    assert message["References"] == "<1@x> <2@x>"
    message = answer("From: a@b.c\nMessage-ID: <3@x>\nIn-Reply-To: <1@x> <2@x>")
    assert message["References"] == "<3@x>"


def test_message_ids_are_never_encoded() -> None:
    """Python's default encodes an id of more than 77 characters as an encoded word."""
    many = " ".join(f"<{n:0>100}@example.org>" for n in range(80))
    message = answer(f"From: a@b.c\nMessage-ID: {LONG}\nReferences: {many}")
    data = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert f"In-Reply-To: {LONG}\r\n".encode() in data
    assert b"=?" not in data
    read = message_from_bytes(data, policy=policy.default)
    told = message_ids(read["References"])
    assert len(told) == 50
    assert (told[0], told[-1]) == (message_ids(many)[0], LONG)
    assert max(map(len, data.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    ("subject", "of_reply", "of_forward"),
    [
        ("plans", "Re: plans", "Fwd: plans"),
        ("Re: plans", "Re: plans", "Fwd: Re: plans"),
        ("RE: Re: re : plans", "Re: plans", "Fwd: RE: Re: re : plans"),
        ("AW: plans", "Re: plans", "Fwd: AW: plans"),
        ("SV: VS: Antw: Odp: plans", "Re: plans", "Fwd: SV: VS: Antw: Odp: plans"),
        ("Re[2]: plans", "Re: plans", "Fwd: Re[2]: plans"),
        ("回复：plans", "Re: plans", "Fwd: 回复：plans"),
        ("Fwd: plans", "Re: Fwd: plans", "Fwd: plans"),
        ("WG: Fw: plans", "Re: WG: Fw: plans", "Fwd: plans"),
        ("[list] Re: plans", "Re: [list] plans", "Fwd: [list] Re: plans"),
        ("Re: [list] Re: plans", "Re: [list] plans", "Fwd: Re: [list] Re: plans"),
        ("[list] plans", "Re: [list] plans", "Fwd: [list] plans"),
        ("Regarding: plans", "Re: Regarding: plans", "Fwd: Regarding: plans"),
        ("R: the language", "Re: R: the language", "Fwd: R: the language"),
        ("", "Re:", "Fwd:"),
    ],
)
def test_subjects(subject: str, of_reply: str, of_forward: str) -> None:
    assert subjects.of_reply(subject) == of_reply
    assert subjects.of_forward(subject) == of_forward


def test_the_text_is_quoted() -> None:
    header = "From: Ann <ann@example.org>\nDate: Thu, 1 Jan 2026 12:00:00 +0100\nSubject: x"
    message = answer(header, text="One\n> two\n\nthree\n-- \nAnn\n")
    assert message.get_content() == (
        "hi\n\nOn 2026-01-01 12:00 +0100, Ann wrote:\n> One\n>> two\n>\n> three\n"
    )
    assert answer(header, quote=False).get_content() == "hi\n"


def test_a_header_of_a_stranger_makes_no_other_header() -> None:
    nasty = "From: =?utf-8?Q?Ann=0D=0ABcc:_all@example.org?= <ann@example.org>\n"
    nasty += "Subject: =?utf-8?Q?x=0D=0ABcc:_all@example.org?="
    for message in (answer(nasty), forward(original(nasty), "", sender=ME, to=["b@c.d"])):
        read = message_from_bytes(message.as_bytes(), policy=policy.default)
        assert read["Bcc"] is None
        assert "Bcc: all@example.org" in read["Subject"]


def test_addresses_without_a_host_are_left_out() -> None:
    message = answer(
        "From: ann@example.org\nTo: undisclosed-recipients:;, <broken>\nSubject: x", to="all"
    )
    assert message["To"] == "ann@example.org"


@pytest.mark.parametrize("sender", ["", "ada", "a@b.c, d@e.f", "a@b.c\r\nBcc: x@y.z"])
def test_a_sender_that_is_none(sender: str) -> None:
    with pytest.raises(InvalidArgument):
        answer("From: ann@example.org", sender=sender)


def test_a_forward_has_the_text_and_the_files() -> None:
    files = [
        File("Übersicht.pdf", "application/pdf", b"PDF"),
        File("notes.txt", "text/plain", "Grüße".encode(), "utf-8"),
        File("inner.eml", "message/rfc822", b"Subject: inner\r\n\r\nInner\r\n"),
        File("status.txt", "message/delivery-status", b"Action: failed\r\n"),
    ]
    message = forward(
        original(LIST, "The plan\n"), "see", sender=ME, to=["bob@example.org"], files=files
    )
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read["Subject"] == "Fwd: [list] Re: plans"
    assert (read["To"], read["In-Reply-To"]) == ("bob@example.org", None)
    assert read["References"].split()[-1] == "<2@example.org>"
    body = read.get_body(("plain",))
    assert body is not None
    assert "From: Ann <ann@example.org>\n" in body.get_content()
    assert body.get_content().endswith("\n\nThe plan\n")
    found = [(each.get_filename(), each.get_content_type()) for each in read.iter_attachments()]
    assert found == [
        ("Übersicht.pdf", "application/pdf"),
        ("notes.txt", "text/plain"),
        (None, "message/rfc822"),
        ("status.txt", "application/octet-stream"),
    ]
    assert [each.get_content() for each in read.iter_attachments()][1] == "Grüße"


def test_a_forward_as_an_attachment_leaves_the_message_as_it_is() -> None:
    whole = b"Subject: " + b"long " * 60 + b"\r\nX-Odd: two  spaces\r\n\r\nHello\r\n"
    message = forward(original(LIST), "see", sender=ME, to=["b@c.d"], whole=whole)
    data = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert whole in data
    assert b"Content-Transfer-Encoding: base64" not in data.partition(b"message/rfc822")[2]
