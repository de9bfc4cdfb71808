# Generated from _async_message.py by tools/gen_sync.py: edit that file instead.
"""A message of a mailbox as people read it: headers at hand, parts fetched when they are needed.

It puts together what `imaplus.reading` makes of the parts with what flows fetch. Nothing raises for
what is wrong with a message: that is told in `problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from imaplus.client._sync_answering import Answering
from imaplus.client._sync_attachment import Attachment
from imaplus.core.envelope import Address, Addresses
from imaplus.core.fetch_items import BodySection
from imaplus.core.messages import Copied, Stored
from imaplus.core.parts import Part
from imaplus.errors import CommandError, NoSuchMessage, Throttled
from imaplus.flows.reading import LARGEST_TEXT, sections
from imaplus.reading.choosing import Choice, choose
from imaplus.reading.headers import Fields, decoded, fields_of, message_ids
from imaplus.reading.local import take_apart
from imaplus.reading.names import safe_name
from imaplus.reading.problems import Problem
from imaplus.reading.summary import HEADER, START, Summary
from imaplus.reading.texts import text_of
from imaplus.wire.flags import FlagsLike

if TYPE_CHECKING:
    from email.message import EmailMessage

    from imaplus.client._sync_mailbox import Mailbox
    from imaplus.flows.download import Progress


class Message(Answering):
    """A message of an open mailbox: what `Mailbox.messages()` gives.

    Its headers, flags and structure are at hand. Texts, attachments and other headers are fetched
    when a method asks for them, and no more than these; \\Seen stays as it is. It is good as long
    as its mailbox stays open. Methods raise NoSuchMessage if the message has gone meanwhile.
    """

    def __init__(self, mailbox: Mailbox, summary: Summary) -> None:
        self._mailbox = mailbox
        self._summary = summary
        self._flags = summary.flags
        self._problems = dict.fromkeys(summary.problems)
        self._structure = summary.structure
        self._contents = dict(summary.contents)  # decoded already
        self._chosen: Choice | None = None
        self._fields: Fields | None = None
        self._ahead: dict[str, bytes] = {}  # sections that have come together with others
        self._text: str | None = None
        self._html: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uid}: {self.subject!r:.60}>"

    @property
    def _message(self) -> Message:
        return self

    # -- what is at hand --------------------------------------------------------------------

    @property
    def uid(self) -> int:
        """Its UID in this mailbox."""
        return self._summary.uid

    @property
    def flags(self) -> frozenset[str]:
        """Its flags and keywords as of the FETCH that found it, and of `mark()` and `unmark()`."""
        return self._flags

    @property
    def size(self) -> int | None:
        """Its size in bytes; None if the server does not tell."""
        return self._summary.size

    @property
    def internal_date(self) -> datetime | None:
        """When the server received it (INTERNALDATE); None if the server does not tell."""
        return self._summary.internal_date

    @property
    def date(self) -> datetime | None:
        """When it was written: its Date field; where that tells no moment, `internal_date`."""
        return self._summary.envelope.date or self._summary.internal_date

    @property
    def sender(self) -> Address | None:
        """Who wrote it: the first address of From, or else of Sender; None if there is none."""
        envelope = self._summary.envelope
        return next(iter(envelope.from_ or envelope.sender), None)

    @property
    def from_(self) -> Addresses:
        """The addresses of From: most messages have one."""
        return self._summary.envelope.from_

    @property
    def to(self) -> Addresses:
        """The addresses of To."""
        return self._summary.envelope.to

    @property
    def cc(self) -> Addresses:
        """The addresses of Cc."""
        return self._summary.envelope.cc

    @property
    def bcc(self) -> Addresses:
        """The addresses of Bcc, which only drafts and sent messages have."""
        return self._summary.envelope.bcc

    @property
    def reply_to(self) -> Addresses:
        """Where replies are to go: Reply-To, or else From (RFC 9051, 7.5.2)."""
        return self._summary.envelope.reply_to

    @property
    def subject(self) -> str:
        """The subject, decoded; "" if it has none."""
        return self._summary.envelope.subject or ""

    @property
    def message_id(self) -> str | None:
        """Its Message-ID, with the angle brackets; None if it has none."""
        return self._summary.envelope.message_id

    @property
    def in_reply_to(self) -> tuple[str, ...]:
        """The message ids of In-Reply-To: the messages that it answers, mostly one."""
        return message_ids(self._summary.envelope.in_reply_to)

    @property
    def references(self) -> tuple[str, ...]:
        """The message ids of References: its thread, the oldest first."""
        return self._summary.references

    @property
    def structure(self) -> Part | None:
        """Its tree of parts (BODYSTRUCTURE); None if nothing can be known of it."""
        return self._structure

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read as it was meant so far: `text()` and others add to it.

        In texts U+FFFD stands for what no charset explains.
        """
        return tuple(self._problems)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The parts to save, in order: all but the texts, and what these show within them.

        A message within the message is one, and ends in ".eml". Nothing is fetched for this.
        """
        return tuple(Attachment(self, part) for part in self._choice().attachments)

    @property
    def inline(self) -> tuple[Attachment, ...]:
        """The parts that an HTML text shows within itself: pictures, mostly."""
        return tuple(Attachment(self, part) for part in self._choice().inline)

    def _choice(self) -> Choice:
        if self._chosen is None:
            self._chosen = choose(self._structure)
        return self._chosen

    # -- what is fetched --------------------------------------------------------------------

    def text(self) -> str:
        """The text of the message: its plain text, or its HTML rendered as text; "" without either.

        Only the parts that it needs are fetched, in one FETCH, and once. HTML is rendered by
        inscriptis, if that is installed (`imaplus[html]`). Lines end in "\\n". Of more than 16 MiB
        the beginning is read.
        """
        if self._text is None:
            from imaplus.reading.markup import html_to_text

            parts, texts = self._texts(html=False)
            shown = [
                html_to_text(text) if part.subtype == "html" else text
                for part, text in zip(parts, texts, strict=True)
            ]
            self._text = "\n".join(shown) if len(shown) != 1 else shown[0]
        return self._text

    def html(self) -> str:
        """The HTML text of the message; "" if it has none.

        Where a message consists of several texts, those in plain text are put into it. It may
        contain anything: scripts, forms, pictures that tell the sender it was read.
        """
        if self._html is None:
            from imaplus.reading.markup import text_to_html

            parts, texts = self._texts(html=True)
            self._html = "\n".join(
                text if part.subtype == "html" else text_to_html(text)
                for part, text in zip(parts, texts, strict=True)
            )
        return self._html

    def _texts(self, *, html: bool) -> tuple[Sequence[Part], list[str]]:
        """The parts of the body, and the text of each."""
        choice = self._choice()
        parts = choice.htmls() if html else choice.texts()
        try:
            found = self._fetch(parts)
        except Throttled:
            raise
        except CommandError as error:
            found = self._fetch_otherwise(error)
            choice = self._choice()
            parts = choice.htmls() if html else choice.texts()
        texts: list[str] = []
        for part in parts:
            text, problems = text_of(found.get(part.section, b""), part)
            texts.append(text)
            self._problems.update(dict.fromkeys(problems))
            if part.section not in found:
                self._note(part.section, "the server sends no content of this part")
        return parts, texts

    def _fetch(self, parts: Iterable[Part]) -> dict[str, bytes]:
        """The content of parts as it travels, by section: what is not here yet, in one FETCH."""
        found = {part.section: data for part in parts if (data := self._contents.get(part.section))}
        bodies = self._bodies(parts)
        told = self._get(bodies.values())
        for section, body in bodies.items():
            if body.partial is not None:
                self._note(section, f"only the first {LARGEST_TEXT} bytes were read")
            if (data := told.get(body.key)) is not None:
                found[section] = data
        return found

    def _bodies(self, parts: Iterable[Part]) -> dict[str, BodySection]:
        """What to FETCH for parts that are shown, by section."""
        return {
            part.section: BodySection(part.section, partial=(0, LARGEST_TEXT))
            if (part.size or 0) > LARGEST_TEXT
            else BodySection(part.section)
            for part in parts
            if part.section not in self._contents
        }

    def _get(self, bodies: Iterable[BodySection]) -> dict[str, bytes]:
        """Sections by key, in one FETCH; without those that the server lacks."""
        wanted = list(bodies)
        found = {each.key: self._ahead.pop(each.key) for each in wanted if each.key in self._ahead}
        missing = [each for each in wanted if each.key not in found]
        if missing or not wanted:
            flow = sections(self._mailbox._connection, self.uid, missing)
            found |= self._mailbox._run(flow)
        return found

    def _get_ahead(self, bodies: Iterable[BodySection]) -> None:
        """Have sections at hand that are needed next, by one FETCH for all of them."""
        try:
            self._ahead |= self._get(bodies)
        except Throttled:
            raise
        except CommandError:  # then each is asked for by itself
            pass

    def _fetch_otherwise(self, error: CommandError) -> dict[str, bytes]:
        """The message is taken apart here, since the server cannot do it."""
        told = self._get([START])
        self._note("", f"the server cannot take this message apart: {error.text:.200}")
        self._structure, self._contents = take_apart(told.get(START.key, b""))
        self._chosen = None
        return self._contents

    def _note(self, section: str, text: str) -> None:
        self._problems[Problem(section, text)] = None

    def header(self, name: str) -> str | None:
        """The value of the first header field of that name, decoded; None if there is none.

        The header is fetched when the first field is asked for that is not at hand.
        """
        wanted = name.lower()
        return next((value for each, value in self.headers() if each.lower() == wanted), None)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """All header fields in order, as (name, value), decoded."""
        return decoded(self._header_fields())

    def _header_fields(self) -> Fields:
        if self._fields is None:
            self._fields = fields_of((self._sections(HEADER))[HEADER.key])
        return self._fields

    def raw(self) -> bytes:
        """The whole message as it is stored, in memory. `save()` writes one of any size."""
        whole = BodySection()
        return (self._sections(whole))[whole.key]

    def _sections(self, *bodies: BodySection) -> dict[str, bytes]:
        found = self._get(bodies)
        if missing := [each.key for each in bodies if each.key not in found]:
            raise NoSuchMessage(f"the server sends no {missing[0]} of the message {self.uid}")
        return found

    def email(self) -> EmailMessage:
        """The whole message, parsed by Python's `email` package."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        return message_from_bytes(self.raw(), policy=policy.default)

    def save(self, where: str | PathLike[str], *, progress: Progress | None = None) -> Path:
        """Write the whole message to a file, in constant memory; the path of the file.

        `where` is an existing folder, in which it is named after its subject, or the path of the
        file to be. No file is overwritten: a number is added to the name. The file appears when all
        of it has come; if the connection is lost, the next call goes on where this one stopped.
        `progress` is called with the bytes so far and the bytes in all.
        """
        from imaplus.client._sync_saving import AS_IT_IS, save_section
        from imaplus.client.saving import target

        place = target(where, safe_name(f"{self.subject[:100] or f'message {self.uid}'}.eml"))
        return save_section(
            self._mailbox, self.uid, "", place, encoding=AS_IT_IS, progress=progress
        )

    # -- changing ---------------------------------------------------------------------------

    def mark(self, flags: FlagsLike, *, timeout: float | None = None) -> None:
        """Add flags or keywords, one or several: `mark(Flag.SEEN)`."""
        self._learn(self._mailbox.add_flags(self.uid, flags, timeout=timeout))

    def unmark(self, flags: FlagsLike, *, timeout: float | None = None) -> None:
        """Remove flags or keywords, one or several."""
        self._learn(self._mailbox.remove_flags(self.uid, flags, timeout=timeout))

    def _learn(self, stored: Stored) -> None:
        for told in stored.messages:
            found = getattr(told, "get", lambda name: None)("FLAGS")
            if told.uid == self.uid and isinstance(found, frozenset):
                self._flags = found

    def copy(self, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Copy it to another mailbox: as `Mailbox.copy()`."""
        return self._mailbox.copy(self.uid, mailbox, timeout=timeout)

    def move(self, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Move it to another mailbox: as `Mailbox.move()`."""
        return self._mailbox.move(self.uid, mailbox, timeout=timeout)

    def delete(self, *, timeout: float | None = None) -> None:
        """Remove it for good: as `Mailbox.delete()`. To trash it, `move()` it there.

        Raises:
            CapabilityMissing: the server has no UIDPLUS; nothing has been changed.
        """
        self._mailbox.delete(self.uid, timeout=timeout)
