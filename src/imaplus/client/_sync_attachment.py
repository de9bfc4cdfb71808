# Generated from _async_attachment.py by tools/gen_sync.py: edit that file instead.
"""An attachment: its name and type, and its content on demand."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from time import monotonic as now
from typing import IO, TYPE_CHECKING

from imaplus.client.deadlines import deadline_in
from imaplus.core.fetch_items import BodySection
from imaplus.core.parts import Part
from imaplus.reading.names import name_of
from imaplus.reading.texts import content_of

if TYPE_CHECKING:
    from imaplus.client._sync_message import Message
    from imaplus.flows.download import Progress


class Attachment:
    """An attachment of a message, or an image and the like that its HTML text embeds.

    `Message.attachments` and `Message.inline` list them. Their methods fetch the content,
    and raise what methods of the message raise.
    """

    def __init__(self, message: Message, part: Part) -> None:
        self._message = message
        self.part: Part = part
        """The part, from BODYSTRUCTURE."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename!r:.60} {self.content_type}>"

    @property
    def filename(self) -> str | None:
        """The name given by the sender, decoded (RFC 2231, RFC 2047); None if there is none.

        It is untrusted: it may contain slashes, `..` or control characters. Use `safe_name` for
        files.
        """
        return self.part.filename

    @property
    def safe_name(self) -> str:
        """A file name made from `filename`, or from the type: one component, safe on any system."""
        return name_of(self.part)

    @property
    def content_type(self) -> str:
        """The media type in lower case, such as "application/pdf"."""
        return self.part.content_type

    @property
    def size(self) -> int | None:
        """Size in bytes as encoded, or None if the server sends no size.

        In base64 that is about 4/3 of the content.
        """
        return self.part.size

    @property
    def content_id(self) -> str | None:
        """The Content-ID that HTML refers to as "cid:...", without brackets; None without one."""
        return (self.part.content_id or "").strip("<> \t") or None

    def read(self, *, timeout: float | None = None) -> bytes:
        """Return the content, decoded, in memory.

        Damaged content is decoded as far as possible, and noted in the message's `problems`.

        Raises:
            NoSuchMessage: the message has been removed.
        """
        message, section = self._message, self.part.section
        if (data := message._contents.get(section)) is not None:
            return data
        body = BodySection(section)
        received = message._section(body, deadline_in(timeout, now()))
        content, problems = content_of(received, self.part)
        message._problems.update(dict.fromkeys(problems))
        return content

    def save(
        self,
        where: str | PathLike[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Path:
        """Write the content to a file, decoded, in constant memory, and return the file's path.

        The file appears under its name once it is complete. If the connection is lost, a later call
        with the same arguments resumes the download.

        Args:
            where: an existing folder, in which the file gets its `safe_name`; or the path of the
                file. An existing file is kept: a number is added to the name.
            progress: called with the bytes received so far, and the size in bytes, both as encoded.
            timeout: seconds to wait for the server in all.

        Raises:
            NoSuchMessage: the message has been removed.
            OSError: the file cannot be written.
            Refused: neither the server nor imaplus knows the transfer encoding.
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
            ends=deadline_in(timeout, now()),
        )

    def download(
        self,
        file: IO[bytes],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> int:
        """Write the content, decoded, to an open binary file, in constant memory.

        Returns:
            The number of bytes written.
        """
        message = self._message
        if (data := message._contents.get(self.part.section)) is not None:
            file.write(data)
            return len(data)
        return message._mailbox.download(
            message.uid,
            file,
            section=self.part.section,
            binary=True,
            progress=progress,
            timeout=timeout,
        )
