# Generated from _async_answering.py by tools/gen_sync.py: edit that file instead.
"""Replies to a message, and forwards of it: what they need of it comes in one FETCH.

It is a part of `Message`, in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from imaplus.core.fetch_items import BodySection
from imaplus.core.parts import Part
from imaplus.reading.summary import HEADER

if TYPE_CHECKING:
    from email.message import EmailMessage

    from imaplus.client._sync_message import Message
    from imaplus.reading.composing import Original, ReplyTo


class Answering:
    """The methods of `Message` that build other messages."""

    @property
    def _message(self) -> Message:
        raise NotImplementedError

    def reply(
        self,
        text: str = "",
        *,
        sender: str | None = None,
        to: ReplyTo = "sender",
        aliases: Iterable[str] = (),
        quote: bool = True,
    ) -> EmailMessage:
        """A reply to it, to be sent by SMTP or kept by `Client.save_draft()`.

        It has To, Cc, "Re:" before the subject, In-Reply-To and References, and below `text` the
        text that it answers, quoted. Nothing is sent, and \\Answered is not set.

        Args:
            sender: its From: "Ada <ada@example.org>". Without one it has no From.
            to: "sender" is Mail-Reply-To, Reply-To or From; "all" is these with To and Cc, or
                what Mail-Followup-To says; "list" is the mailing list, by Mail-Followup-To,
                List-Post or Reply-To. The sender and the aliases are left out. A message of one's
                own is answered to whom it was sent.
            aliases: other addresses of the sender. Without a sender and aliases, one's own
                addresses are those of Delivered-To.
            quote: quote the text.

        Raises:
            InvalidArgument: `sender` is no address, or the message is not from a list.
        """
        from imaplus.reading.composing import reply

        original = self._original(with_text=quote)
        return reply(original, text, sender=sender, to=to, aliases=aliases, quote=quote)

    def forward(
        self,
        text: str = "",
        *,
        sender: str | None = None,
        to: str | Iterable[str] = (),
        as_attachment: bool = False,
    ) -> EmailMessage:
        """A forward of it, to be sent by SMTP or kept by `Client.save_draft()`.

        It has "Fwd:" before the subject, References, and below `text` the text and the most
        important headers; attachments come along, in memory. With `as_attachment` the message is
        attached as a whole instead, as it is.

        Raises:
            InvalidArgument: `sender`, or one of `to`, is no address.
        """
        from imaplus.reading.composing import File, forward

        recipients = [to] if isinstance(to, str) else list(to)
        if as_attachment:
            self._message._get_ahead([HEADER, BodySection()])
            original = self._original(with_text=False)
            return forward(original, text, sender=sender, to=recipients, whole=self._message.raw())
        attached = [*self._message.inline, *self._message.attachments]
        original = self._original(*(each.part for each in attached), with_text=True)
        files = [
            File(
                each.safe_name,
                each.content_type,
                each.read(),
                each.part.params.get("charset"),
            )
            for each in attached
        ]
        return forward(original, text, sender=sender, to=recipients, files=files)

    def _original(self, *parts: Part, with_text: bool) -> Original:
        """What is answered or forwarded: all that is not at hand comes in one FETCH."""
        from imaplus.reading.composing import Original

        message = self._message
        bodies = [] if message._fields is not None else [HEADER]
        if with_text and message._text is None:
            bodies += message._bodies(message._choice().texts()).values()
        bodies += [
            BodySection(part.section) for part in parts if part.section not in message._contents
        ]
        if len(bodies) > 1:
            message._get_ahead(each for each in bodies if each.key not in message._ahead)
        fields = message._header_fields()
        text = message.text() if with_text else ""
        envelope = message._summary.envelope
        return Original(envelope, message.references, fields, message.date, text)
