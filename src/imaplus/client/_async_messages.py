"""What an open mailbox has for everyday use: messages to read, files to save, counts.

It is a part of `AsyncMailbox`, in a file of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, overload

from imaplus.client._async_mailbox_commands import AsyncMailboxCommands
from imaplus.core.search_query import ALL, Query
from imaplus.errors import NoSuchMessage
from imaplus.flows.download import Progress, download
from imaplus.protocol.flow import Flow
from imaplus.protocol.mailbox import Mailbox as MailboxState
from imaplus.wire.sets import SequenceSet, SequenceSetLike

if TYPE_CHECKING:
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_message import AsyncMessage
    from imaplus.client._async_runner import AsyncRunner

T = TypeVar("T")

SUMMARIES = 50
"""Messages of `messages()` in one FETCH: a round trip for each screenful."""


class AsyncMessages(AsyncMailboxCommands):
    """The methods of `AsyncMailbox` that deal with messages as people read them."""

    _runner: AsyncRunner
    _state: MailboxState

    async def messages(
        self,
        what: Query | SequenceSetLike = ALL,
        *,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[AsyncMessage]:
        """Messages as people read them, which a query finds or which have these UIDs::

            inbox = await client.select("INBOX")
            async for message in inbox.messages(Seen, newest_first=True, limit=20):
                print(message.date, message.sender, message.subject)
                print(await message.text())

        The newest are those with the highest UIDs: they came into this mailbox last. That is the
        same on every server; the Date of a message may say anything, and INTERNALDATE that of a
        message that was moved here. With `limit`, no more than so many are searched for and
        fetched, where the server lets one say so (PARTIAL, RFC 9394; sequence numbers).

        Headers, flags and structure come for 50 messages in one FETCH; parts are fetched when a
        message is asked for them. UIDs of messages that are not there are passed over, and `"5:*"`
        has no message below 5. Messages may be moved and deleted while the loop runs.

        Raises:
            InvalidArgument: `what` is neither a query nor UIDs, or the limit is negative.
        """
        from imaplus.client._async_message import AsyncMessage
        from imaplus.flows.latest import choose_uids, windows
        from imaplus.flows.reading import summaries

        connection = self._connection
        flow = choose_uids(connection, what, newest_first=newest_first, limit=limit)
        uids, left = await self._run(flow), limit
        size = SUMMARIES if left is None else max(1, min(SUMMARIES, left))
        for window in windows(uids, size, newest_first=newest_first):
            found = await self._run(summaries(connection, window))
            for summary in reversed(found) if newest_first else found:
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield AsyncMessage(self._mailbox, summary)
            if left == 0:
                return

    async def message(self, uid: int, *, timeout: float | None = None) -> AsyncMessage:
        """The message with this UID: as `messages()`.

        Raises:
            NoSuchMessage: there is none.
        """
        from imaplus.client._async_message import AsyncMessage
        from imaplus.flows.reading import summaries

        found = await self._give(summaries(self._connection, SequenceSet.of(uid)), timeout)
        if not found:
            raise NoSuchMessage(f"there is no message with UID {uid} in {self._state.name!r}")
        return AsyncMessage(self._mailbox, found[0])

    @overload
    async def download(
        self,
        uid: int,
        target: None = None,
        *,
        section: str = "",
        binary: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> bytes: ...
    @overload
    async def download(
        self,
        uid: int,
        target: IO[bytes] | str | PathLike[str],
        *,
        section: str = "",
        binary: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> int: ...
    async def download(
        self,
        uid: int,
        target: IO[bytes] | str | PathLike[str] | None = None,
        *,
        section: str = "",
        binary: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> int | bytes:
        """Get a message, or a section of it, as bytes, or write it to a file in constant memory.

        `target` is a binary file that is open, or a path: the file appears there when all has come,
        and replaces one that is there. If the connection is lost meanwhile, what has come stays
        beside it, and the same call goes on from there (by partial fetch). Without a target the
        result is the bytes, else their number.

        `section` is as for `BodySection`. `binary` undoes the transfer encoding: the server does it
        (BINARY), and where it has no BINARY or declines because of what the part is like
        ([UNKNOWN-CTE] or [PARSE], RFC 3516, 4.3), the part is decoded here, and what is broken in
        it passed over. `progress` is called with the bytes so far and the bytes in all, as they
        travel.

        Raises:
            InvalidArgument: `target` is not a binary file and not a path.
            NoSuchMessage: there is no such message, or section.
            OSError: the file of a path cannot be written.
            Refused: neither the server nor imaplus knows the transfer encoding.
        """
        if isinstance(target, str | PathLike):
            from imaplus.client._async_saving import AS_IT_IS, save_section
            from imaplus.client.saving import Target

            path = Path(target)
            place = Target(path.parent, path.name, replaces=True)
            encoding = None if binary and section else AS_IT_IS
            saved = await save_section(
                self, uid, section, place, encoding=encoding, progress=progress, timeout=timeout
            )
            return saved.stat().st_size
        file: IO[bytes] = BytesIO() if target is None else target
        connection = self._connection
        flow = download(
            uid, file, section=section, binary=binary, progress=progress, connection=connection
        )
        size = await self._give(flow, timeout)
        return file.getvalue() if isinstance(file, BytesIO) and target is None else size

    # -- for messages and attachments -------------------------------------------------------

    @property
    def _mailbox(self) -> AsyncMailbox:
        raise NotImplementedError

    async def _run(self, flow: Flow[T]) -> T:
        return await self._give(flow, None)

    def _identity_of(self, uid: int, section: str, binary: bool) -> tuple[object, ...] | None:
        """Which bytes a section is, for as long as UIDs are valid; None if that is not sure."""
        if not self._state.uidvalidity or not self._state.uids_persist:
            return None
        return (
            self._runner.host,
            self._state.name,
            self._state.uidvalidity,
            uid,
            section.upper(),
            binary,
        )
