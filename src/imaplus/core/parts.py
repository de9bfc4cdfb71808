"""The MIME parts of a message, as values: what BODYSTRUCTURE and BODY tell (RFC 9051, 7.5.2).

How servers write them is not known here, and what a part contains is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imaplus.core.encoded_words import decode_parameter, decode_words
from imaplus.core.envelope import Envelope
from imaplus.records import field, record


@record
class Disposition:
    """Content-Disposition: how a part wants to be presented (RFC 2183). `type` is in lower case."""

    type: str
    params: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By name in lower case, the values as they were sent."""


@record
class Part:
    """One MIME part; a subclass says more of text, of messages and of multiparts.

    `type`, `subtype`, `encoding` and the names in `params` are in lower case. BODY tells less than
    BODYSTRUCTURE: `md5` and what follows are None or empty there.
    """

    section: str
    """What to FETCH for the part's content: "1.2" stands for `BODY[1.2]`."""
    type: str
    subtype: str
    params: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Of Content-Type, the values as they were sent."""
    content_id: str | None = None
    raw_description: str | None = None
    encoding: str = "7bit"
    """Content-Transfer-Encoding."""
    size: int | None = None
    """Size of the encoded content, in bytes; None of a multipart, which has no size."""
    md5: str | None = None
    disposition: Disposition | None = None
    language: tuple[str, ...] = ()
    location: str | None = None

    @property
    def content_type(self) -> str:
        """`text/plain`."""
        return f"{self.type}/{self.subtype}"

    @property
    def description(self) -> str | None:
        """Content-Description, decoded (RFC 2047)."""
        return None if self.raw_description is None else decode_words(self.raw_description)

    @property
    def filename(self) -> str | None:
        """The name that the sender gave it, decoded (RFC 2047, 2231); None if it has no name.

        A stranger chose it: it may hold slashes, `..`, control characters.
        """
        found = None
        if self.disposition is not None:
            found = decode_parameter(self.disposition.params, "filename")
        return found or decode_parameter(self.params, "name")

    @property
    def is_attachment(self) -> bool:
        """Whether it is to be saved rather than shown.

        By its disposition: any but `inline` (RFC 2183, 2.8); without one, whether it has a name.
        """
        if self.type == "multipart":
            return False
        if self.disposition is not None:
            return self.disposition.type != "inline"
        return self.filename is not None

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order in which they stand in the message.

        That includes the parts of messages within the message.
        """
        waiting: list[Part] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part._below()))

    def _below(self) -> tuple[Part, ...]:
        return ()


@record
class TextPart(Part):
    """`TEXT/*`."""

    lines: int = 0
    """Lines of the content as it travels."""

    @property
    def charset(self) -> str:
        """The charset of the text, in lower case."""
        return self.params.get("charset", "us-ascii").lower()


@record
class MessagePart(Part):
    """MESSAGE/RFC822 and MESSAGE/GLOBAL: a message within the message.

    Of one that is encoded as a whole servers tell no `envelope` and no `body`.
    """

    envelope: Envelope | None = None
    body: Part | None = None
    lines: int = 0

    def _below(self) -> tuple[Part, ...]:
        return () if self.body is None else (self.body,)


@record
class Multipart(Part):
    """`MULTIPART/*`: a part that consists of parts.

    Of the multipart that is the whole body of a message `section` is "TEXT", or "3.TEXT" if the
    message is part 3: such a body has no number of its own.
    """

    parts: tuple[Part, ...] = ()

    def _below(self) -> tuple[Part, ...]:
        return self.parts
