"""What the facade has beyond typeshed's imaplib, as type checkers see it. Never run."""

from __future__ import annotations

from datetime import date
from typing import assert_type

from imaplus import Client, Mailbox, SequenceSet, imaplib


def new_in_316(imap: imaplib.IMAP4) -> None:
    imap.id({"name": "app", "version": None})
    imap.login_plain("änn", "pässword")
    imap.move([1, (3, None), range(5, 9)], "Entwürfe", uid=True)
    imap.store(SequenceSet.of([1]), "+FLAGS", ["\\Seen"], uid=True)
    imap.search("UTF-8", "SUBJECT ? SINCE ?", params=["Grüße", date(2024, 1, 1)])
    imap.append("INBOX", ["\\Seen"], None, b"text", translate_line_endings=False)
    imap.expunge(5, uid=True)
    with imap.idle(60) as idler:
        for typ, data in idler.burst(0.5):
            print(typ.lower(), data[0])


def typed(imap: imaplib.IMAP4) -> None:
    client: Client = imap.typed
    inbox = client.select("INBOX")
    assert_type(inbox, Mailbox)
    assert_type(inbox.search(), SequenceSet)


def refused(imap: imaplib.IMAP4) -> None:
    imap.create(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    imap.fetch(1.5, "FLAGS")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
