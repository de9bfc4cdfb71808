# Generated from _async_attachment.py by tools/gen_sync.py: edit that file instead.
"""An attachment: what its sender calls it, and its content when that is asked for."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING

from imaplus.core.fetch_items import BodySection
from imaplus.core.parts import Part
from imaplus.reading.names import name_of
from imaplus.reading.texts import content_of

if TYPE_CHECKING:
    from imaplus.client._sync_message import Message
    from imaplus.flows.download import Progress


class Attachment:
    """A part of a message that is to be saved, or that its HTML text shows."""

    def __init__(self, message: Message, part: Part) -> None:
        self._message = message
        self.part: Part = part
        """The part, as BODYSTRUCTURE tells it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename!r:.60} {self.content_type}>"

    @property
    def filename(self) -> str | None:
        """The name that the sender gave it, decoded (RFC 2231, RFC 2047); None if it has none.

        A stranger chose it, and it may hold slashes, `..` or control characters: see `safe_name`.
        """
        return self.part.filename

    @property
    def safe_name(self) -> str:
        """A name for a file of it: like `filename`, without what could be dangerous; or by type."""
        return name_of(self.part)

    @property
    def content_type(self) -> str:
        """Such as "application/pdf", in lower case."""
        return self.part.content_type

    @property
    def size(self) -> int | None:
        """Size of the encoded content, in bytes; None if the server sends no size.

        Base64 is a third longer than what it encodes.
        """
        return self.part.size

    @property
    def content_id(self) -> str | None:
        """What HTML calls it, behind "cid:"; None if it has none."""
        return (self.part.content_id or "").strip("<> \t") or None

    def read(self) -> bytes:
        """Its content, decoded, in memory. What is wrong with it is added to the message's
        `problems`, and decoded as far as possible."""
        message, section = self._message, self.part.section
        if (data := message._contents.get(section)) is not None:
            return data
        body = BodySection(section)
        content, problems = content_of((message._sections(body))[body.key], self.part)
        message._problems.update(dict.fromkeys(problems))
        return content

    def save(self, where: str | PathLike[str], *, progress: Progress | None = None) -> Path:
        """Write it to a file, decoded, in constant memory; the path of the file.

        `where` is an existing folder, in which it gets its `safe_name`, or the path of the file to
        be. No file is overwritten: a number is added to the name. The file appears when all of it
        has come; if the connection is lost, the next call goes on where this one stopped.
        `progress` is called with the bytes so far and the bytes in all, as they travel.
        """
        from imaplus.client._sync_saving import save_section
        from imaplus.client.saving import Landing, target

        place, message = target(where, self.safe_name), self._message
        if (data := message._contents.get(self.part.section)) is not None:
            landing = Landing(place, None)
            landing.file.write(data)
            return landing.publish()
        message._problems.update(dict.fromkeys(content_of(b"", self.part).problems))
        return save_section(
            message._mailbox,
            message.uid,
            self.part.section,
            place,
            encoding=self.part.encoding,
            progress=progress,
        )

    def download(self, file: IO[bytes], *, progress: Progress | None = None) -> int:
        """Write it, decoded, to a binary file that is open, in constant memory; how many bytes."""
        message = self._message
        if (data := message._contents.get(self.part.section)) is not None:
            file.write(data)
            return len(data)
        return message._mailbox.download(
            message.uid, file, section=self.part.section, binary=True, progress=progress
        )
