"""A message of a mailbox: headers, flags and structure in memory, parts fetched on demand.

Flows fetch the data, `imaplus.reading` decodes it. A malformed message raises nothing: its faults
are listed in `problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from time import monotonic as now
from typing import TYPE_CHECKING

from imaplus.client._async_answering import AsyncAnswering
from imaplus.client._async_attachment import AsyncAttachment
from imaplus.client.deadlines import Deadline, deadline_in, time_left
from imaplus.core.envelope import Address, Addresses
from imaplus.core.fetch_items import BodySection
from imaplus.core.messages import Copied, Stored
from imaplus.core.parts import Part
from imaplus.errors import CommandError, NoSuchMessage, Throttled
from imaplus.flows.reading import LARGEST_TEXT, sections
from imaplus.reading.choosing import Choice, choose
from imaplus.reading.headers import Fields, decode_fields, fields_of, message_ids
from imaplus.reading.local import take_apart
from imaplus.reading.names import safe_name
from imaplus.reading.problems import Problem
from imaplus.reading.summary import HEADER, START, Summary
from imaplus.reading.texts import text_of
from imaplus.wire.flags import FlagsLike

if TYPE_CHECKING:
    from email.message import EmailMessage

    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.flows.download import Progress


class AsyncMessage(AsyncAnswering):
    """A message of an open mailbox, as `AsyncMailbox.messages()` yields it.

    The usual headers, the flags and the structure are in memory. Texts, attachments and other
    headers are fetched when a method needs them; no method sets \\Seen. A message is usable while
    its mailbox stays selected. Methods that fetch raise NoSuchMessage if the message has been
    removed, StateError if the mailbox is no longer selected, and TimedOut if the server takes
    longer than `timeout` seconds in all; TimedOut closes the connection.
    """

    def __init__(self, mailbox: AsyncMailbox, summary: Summary) -> None:
        self._mailbox = mailbox
        self._summary = summary
        self._flags = summary.flags
        self._problems = dict.fromkeys(summary.problems)
        self._structure = summary.structure
        self._contents = dict(summary.contents)  # decoded, by section
        self._chosen: Choice | None = None
        self._fields: Fields | None = None
        self._ahead: dict[str, bytes] = {}  # fetched with other sections, by key
        self._text: str | None = None
        self._html: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uid}: {self.subject!r:.60}>"

    @property
    def _message(self) -> AsyncMessage:
        return self

    # -- in memory --------------------------------------------------------------------------

    @property
    def uid(self) -> int:
        """The UID of the message in this mailbox."""
        return self._summary.uid

    @property
    def flags(self) -> frozenset[str]:
        """Flags and keywords: as fetched with the message, updated by `mark()` and `unmark()`."""
        return self._flags

    @property
    def size(self) -> int | None:
        """Size in bytes (RFC822.SIZE); None if the server did not send it."""
        return self._summary.size

    @property
    def internaldate(self) -> datetime | None:
        """When the server received it (INTERNALDATE); None if the server did not send it."""
        return self._summary.internaldate

    @property
    def date(self) -> datetime | None:
        """The Date header; `internaldate` if there is no valid one; None without either."""
        return self._summary.envelope.date or self._summary.internaldate

    @property
    def sender(self) -> Address | None:
        """The author: the first address of From, else of Sender; None without either."""
        envelope = self._summary.envelope
        return next(iter(envelope.from_ or envelope.sender), None)

    @property
    def from_(self) -> Addresses:
        """The addresses of From: usually one."""
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
        """The addresses of Bcc, usually present in drafts and sent messages only."""
        return self._summary.envelope.bcc

    @property
    def reply_to(self) -> Addresses:
        """The addresses for replies: Reply-To, else From (RFC 9051, 7.5.2)."""
        return self._summary.envelope.reply_to

    @property
    def subject(self) -> str:
        """The subject, decoded; "" if there is none."""
        return self._summary.envelope.subject or ""

    @property
    def message_id(self) -> str | None:
        """The Message-ID, with angle brackets; None if there is none."""
        return self._summary.envelope.message_id

    @property
    def in_reply_to(self) -> tuple[str, ...]:
        """The message ids in In-Reply-To: the messages this one answers, usually one."""
        return message_ids(self._summary.envelope.in_reply_to)

    @property
    def references(self) -> tuple[str, ...]:
        """The message ids in References: the thread so far, oldest first."""
        return self._summary.references

    @property
    def structure(self) -> Part | None:
        """The tree of parts (BODYSTRUCTURE); None if it cannot be determined."""
        return self._structure

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was malformed in the parts read so far, and how it was handled.

        `text()`, `html()` and attachments add to it. In texts, U+FFFD replaces bytes that cannot be
        decoded.
        """
        return tuple(self._problems)

    @property
    def attachments(self) -> tuple[AsyncAttachment, ...]:
        """The attachments, in order: all parts except the texts and the `inline` ones.

        An attached message is one attachment, with a name in ".eml". Nothing is fetched.
        """
        return tuple(AsyncAttachment(self, part) for part in self._choice().attachments)

    @property
    def inline(self) -> tuple[AsyncAttachment, ...]:
        """The parts that the HTML text embeds, usually images. Nothing is fetched."""
        return tuple(AsyncAttachment(self, part) for part in self._choice().inline)

    def _choice(self) -> Choice:
        if self._chosen is None:
            self._chosen = choose(self._structure)
        return self._chosen

    # -- fetched on demand ------------------------------------------------------------------

    async def text(self, *, timeout: float | None = None) -> str:
        """Return the text: the plain text, else the HTML rendered as text, else "".

        Fetches the parts that it needs in one FETCH, at the first call only. Lines end in "\\n". Of
        a part larger than 16 MiB the first 16 MiB are read. HTML is rendered by inscriptis if that
        is installed (`imaplus[html]`), otherwise by a simpler renderer.
        """
        if self._text is None:
            from imaplus.reading.markup import html_to_text

            parts, texts = await self._texts(False, deadline_in(timeout, now()))
            shown = [
                html_to_text(text) if part.subtype == "html" else text
                for part, text in zip(parts, texts, strict=True)
            ]
            self._text = "\n".join(shown) if len(shown) != 1 else shown[0]
        return self._text

    async def html(self, *, timeout: float | None = None) -> str:
        """Return the HTML text of the message, unsanitized; "" if there is none.

        If the body consists of several texts, the plain ones are converted to HTML. The result may
        contain scripts, forms and tracking images: sanitize it before showing it in a browser.
        """
        if self._html is None:
            from imaplus.reading.markup import text_to_html

            parts, texts = await self._texts(True, deadline_in(timeout, now()))
            self._html = "\n".join(
                text if part.subtype == "html" else text_to_html(text)
                for part, text in zip(parts, texts, strict=True)
            )
        return self._html

    async def _texts(self, html: bool, ends: Deadline | None) -> tuple[Sequence[Part], list[str]]:
        """Fetch the parts of the body; return them, and the text of each."""
        choice = self._choice()
        parts = choice.htmls() if html else choice.texts()
        try:
            found = await self._fetch(parts, ends)
        except Throttled:
            raise
        except CommandError as error:
            found = await self._fetch_whole(error, ends)
            choice = self._choice()
            parts = choice.htmls() if html else choice.texts()
        texts: list[str] = []
        for part in parts:
            text, problems = text_of(found.get(part.section, b""), part)
            texts.append(text)
            self._problems.update(dict.fromkeys(problems))
            if part.section not in found:
                self._note(part.section, "the server sent no content for this part")
        return parts, texts

    async def _fetch(self, parts: Iterable[Part], ends: Deadline | None) -> dict[str, bytes]:
        """Return the encoded content of parts by section, fetching what is missing in one FETCH."""
        found = {part.section: data for part in parts if (data := self._contents.get(part.section))}
        bodies = self._bodies(parts)
        received = await self._get(bodies.values(), ends)
        for section, body in bodies.items():
            if body.partial is not None:
                self._note(section, f"only the first {LARGEST_TEXT} bytes were read")
            if (data := received.get(body.key)) is not None:
                found[section] = data
        return found

    def _bodies(self, parts: Iterable[Part]) -> dict[str, BodySection]:
        """What to FETCH for the texts of parts that are not in memory, by section."""
        return {
            part.section: BodySection(part.section, partial=(0, LARGEST_TEXT))
            if (part.size or 0) > LARGEST_TEXT
            else BodySection(part.section)
            for part in parts
            if part.section not in self._contents
        }

    async def _get(self, bodies: Iterable[BodySection], ends: Deadline | None) -> dict[str, bytes]:
        """Return sections by key, in one FETCH; those that the server does not send are missing."""
        wanted = list(bodies)
        found = {each.key: self._ahead.pop(each.key) for each in wanted if each.key in self._ahead}
        missing = [each for each in wanted if each.key not in found]
        if missing or not wanted:
            flow = sections(self._mailbox._connection, self.uid, missing)
            found |= await self._mailbox._give(flow, time_left(ends, now()))
        return found

    async def _get_ahead(self, bodies: Iterable[BodySection], ends: Deadline | None) -> None:
        """Fetch sections that are needed next, in one FETCH, and keep them."""
        try:
            self._ahead |= await self._get(bodies, ends)
        except Throttled:
            raise
        except CommandError:  # each is fetched on its own later
            pass

    async def _fetch_whole(self, error: CommandError, ends: Deadline | None) -> dict[str, bytes]:
        """Fetch the message and parse it here, after the server refused to send its parts."""
        received = await self._get([START], ends)
        self._note("", f"the server cannot send single parts of this message: {error.text:.200}")
        self._structure, self._contents = take_apart(received.get(START.key, b""))
        self._chosen = None
        return self._contents

    def _note(self, section: str, text: str) -> None:
        self._problems[Problem(section, text)] = None

    async def header(self, name: str, *, timeout: float | None = None) -> str | None:
        """Return the value of the first header field of that name, decoded; None if there is none.

        Names are compared without regard to case. The first call fetches the whole header.
        """
        wanted = name.lower()
        fields = await self.headers(timeout=timeout)
        return next((value for each, value in fields if each.lower() == wanted), None)

    async def headers(self, *, timeout: float | None = None) -> tuple[tuple[str, str], ...]:
        """Return all header fields in order, as (name, value), decoded and unfolded."""
        return decode_fields(await self._header_fields(deadline_in(timeout, now())))

    async def _header_fields(self, ends: Deadline | None) -> Fields:
        if self._fields is None:
            self._fields = fields_of(await self._section(HEADER, ends))
        return self._fields

    async def raw(self, *, timeout: float | None = None) -> bytes:
        """Return the whole message as stored, in memory. `save()` writes one of any size."""
        return await self._section(BodySection(), deadline_in(timeout, now()))

    async def _section(self, body: BodySection, ends: Deadline | None) -> bytes:
        found = await self._get([body], ends)
        if body.key not in found:
            raise NoSuchMessage(f"the server sent no {body.key} of the message with UID {self.uid}")
        return found[body.key]

    async def email(self, *, timeout: float | None = None) -> EmailMessage:
        """Return the whole message, parsed by Python's `email` package (`policy.default`)."""
        from email import message_from_bytes, policy  # slow to import, and seldom needed

        data = await self._section(BodySection(), deadline_in(timeout, now()))
        return message_from_bytes(data, policy=policy.default)

    async def save(
        self,
        where: str | PathLike[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Path:
        """Write the whole message to a file, in constant memory, and return the file's path.

        The file appears under its name once it is complete. If the connection is lost, a later call
        with the same arguments resumes the download.

        Args:
            where: an existing folder, in which the file is named after the subject; or the path of
                the file. An existing file is kept: a number is added to the name.
            progress: called with the bytes received so far, and the size in bytes.
            timeout: seconds to wait for the server in all.

        Raises:
            NoSuchMessage: the message has been removed.
            OSError: the file cannot be written.
        """
        from imaplus.client._async_saving import AS_IT_IS, save_section
        from imaplus.client.saving import target

        place = target(where, safe_name(f"{self.subject[:100] or f'message {self.uid}'}.eml"))
        return await save_section(
            self._mailbox,
            self.uid,
            "",
            place,
            encoding=AS_IT_IS,
            progress=progress,
            ends=deadline_in(timeout, now()),
        )

    # -- changing ---------------------------------------------------------------------------

    async def mark(self, flags: FlagsLike, *, timeout: float | None = None) -> None:
        """Add one or several flags or keywords: `mark(Flag.SEEN)`. Updates `flags`.

        Errors are those of `AsyncMailbox.add_flags()`.
        """
        self._learn(await self._mailbox.add_flags(self.uid, flags, timeout=timeout))

    async def unmark(self, flags: FlagsLike, *, timeout: float | None = None) -> None:
        """Remove one or several flags or keywords: `unmark("$Work")`. Updates `flags`.

        Errors are those of `AsyncMailbox.remove_flags()`.
        """
        self._learn(await self._mailbox.remove_flags(self.uid, flags, timeout=timeout))

    def _learn(self, stored: Stored) -> None:
        for each in stored.messages:
            found = getattr(each, "get", lambda name: None)("FLAGS")
            if each.uid == self.uid and isinstance(found, frozenset):
                self._flags = found

    async def copy(self, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Copy the message to another mailbox: see `AsyncMailbox.copy()`."""
        return await self._mailbox.copy(self.uid, mailbox, timeout=timeout)

    async def move(self, mailbox: str, *, timeout: float | None = None) -> Copied:
        """Move the message to another mailbox: see `AsyncMailbox.move()`."""
        return await self._mailbox.move(self.uid, mailbox, timeout=timeout)

    async def delete(self, *, timeout: float | None = None) -> None:
        """Remove the message permanently: see `AsyncMailbox.delete()`.

        To put it into the trash instead, `move()` it to `find(SpecialUse.TRASH)`.

        Raises:
            CapabilityMissing: the server has no UIDPLUS; nothing has been removed.
        """
        await self._mailbox.delete(self.uid, timeout=timeout)
