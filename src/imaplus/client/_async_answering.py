"""Replies to a message, and forwards of it; what they need is fetched in one FETCH.

Part of `AsyncMessage`, in a file of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from time import monotonic as now
from typing import TYPE_CHECKING

from imaplus.client.deadlines import Deadline, deadline_in, time_left
from imaplus.core.fetch_items import BodySection
from imaplus.core.parts import Part
from imaplus.reading.summary import HEADER

if TYPE_CHECKING:
    from email.message import EmailMessage

    from imaplus.client._async_message import AsyncMessage
    from imaplus.reading.composing import Original, ReplyTo


class AsyncAnswering(ABC):
    """The methods of `AsyncMessage` that build other messages."""

    @property
    @abstractmethod
    def _message(self) -> AsyncMessage: ...

    async def reply(
        self,
        text: str = "",
        *,
        sender: str | None = None,
        to: ReplyTo = "sender",
        aliases: Iterable[str] = (),
        quote: bool = True,
        timeout: float | None = None,
    ) -> EmailMessage:
        """Compose a reply, to send by SMTP or to store with `AsyncClient.save_draft()`.

        The reply has To, Cc, a subject with "Re:", In-Reply-To and References (RFC 5322, 3.6.4),
        and below `text` the quoted text of this message. Nothing is sent, and \\Answered is not
        set.

        Args:
            text: your text, above the quotation.
            sender: the From header, such as "Ada <ada@example.org>"; without it the reply has none.
            to: "sender" takes Mail-Reply-To, Reply-To or From; "all" adds To and Cc, or takes
                Mail-Followup-To; "list" takes the mailing list from Mail-Followup-To, List-Post or
                Reply-To. `sender` and `aliases` are left out of the recipients. A reply to a
                message of your own goes to its recipients.
            aliases: other addresses of yours. Without `sender` and `aliases`, those in Delivered-To
                count as yours.
            quote: quote the text of this message.
            timeout: seconds to wait for the server in all.

        Raises:
            InvalidArgument: `sender` is not an address, or `to` is "list" and the message is not
                from a mailing list.
        """
        from imaplus.reading.composing import reply

        ends = deadline_in(timeout, now())
        original = await self._original(with_text=quote, ends=ends)
        return reply(original, text, sender=sender, to=to, aliases=aliases, quote=quote)

    async def forward(
        self,
        text: str = "",
        *,
        sender: str | None = None,
        to: str | Iterable[str] = (),
        as_attachment: bool = False,
        timeout: float | None = None,
    ) -> EmailMessage:
        """Compose a forward, to send by SMTP or to store with `AsyncClient.save_draft()`.

        The forward has a subject with "Fwd:" and References, and below `text` the main headers and
        the text of this message. Attachments are included, in memory.

        Args:
            text: your text, above that of this message.
            sender: the From header, such as "Ada <ada@example.org>"; without it the forward has
                none.
            to: the recipient or recipients.
            as_attachment: attach this message unchanged, instead of its text and attachments.
            timeout: seconds to wait for the server in all.

        Raises:
            InvalidArgument: `sender`, or one of `to`, is not an address.
        """
        from imaplus.reading.composing import File, forward

        ends = deadline_in(timeout, now())
        recipients = [to] if isinstance(to, str) else list(to)
        if as_attachment:
            await self._message._get_ahead([HEADER, BodySection()], ends)
            original = await self._original(with_text=False, ends=ends)
            whole = await self._message._section(BodySection(), ends)
            return forward(original, text, sender=sender, to=recipients, whole=whole)
        attached = [*self._message.inline, *self._message.attachments]
        original = await self._original(
            *(each.part for each in attached), with_text=True, ends=ends
        )
        files = [
            File(
                each.safe_name,
                each.content_type,
                await each.read(timeout=time_left(ends, now())),
                each.part.params.get("charset"),
            )
            for each in attached
        ]
        return forward(original, text, sender=sender, to=recipients, files=files)

    async def _original(self, *parts: Part, with_text: bool, ends: Deadline | None) -> Original:
        """Return what a reply or forward needs of this message, fetched in one FETCH."""
        from imaplus.reading.composing import Original

        message = self._message
        bodies = [] if message._fields is not None else [HEADER]
        if with_text and message._text is None:
            bodies += message._bodies(message._choice().texts()).values()
        bodies += [
            BodySection(part.section) for part in parts if part.section not in message._contents
        ]
        if len(bodies) > 1:
            missing = [each for each in bodies if each.key not in message._ahead]
            await message._get_ahead(missing, ends)
        fields = await message._header_fields(ends)
        text = await message.text(timeout=time_left(ends, now())) if with_text else ""
        envelope = message._summary.envelope
        return Original(envelope, message.references, fields, message.date, text)
