"""Methods of a mailbox for everyday use: messages to read, downloads.

Part of `AsyncMailbox`, in a file of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from time import monotonic as now
from typing import IO, TYPE_CHECKING, overload

from imaplus.client._async_mailbox_commands import AsyncMailboxCommands
from imaplus.client.deadlines import deadline_in, time_left
from imaplus.core.search_query import ALL, Query
from imaplus.errors import NoSuchMessage
from imaplus.flows.download import Progress, download
from imaplus.protocol.mailbox import Mailbox as MailboxState
from imaplus.wire.sets import SequenceSet, SequenceSetLike

if TYPE_CHECKING:
    from imaplus.client._async_mailbox import AsyncMailbox
    from imaplus.client._async_message import AsyncMessage
    from imaplus.client._async_runner import AsyncRunner

SUMMARIES = 50
"""Messages that `messages()` summarises in one FETCH: about a screenful."""


class AsyncMessages(AsyncMailboxCommands):
    """The methods of `AsyncMailbox` that give messages to read, and files."""

    _runner: AsyncRunner
    _state: MailboxState

    async def messages(
        self,
        what: Query | SequenceSetLike = ALL,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[AsyncMessage]:
        """Iterate over the messages that match a query, or that have these UIDs::

            inbox = await client.select("INBOX")
            async for message in inbox.messages(Seen, newest_first=True, limit=20):
                print(message.date, message.sender, message.subject)
                print(await message.text())

        Headers, flags and structure of 50 messages are fetched at a time; texts and attachments are
        fetched when a method of the message needs them. Messages may be moved and deleted during
        the iteration.

        Args:
            what: a query of `imaplus.search`; or UIDs: a number, an iterable of numbers, or a text
                such as "1:*". UIDs without a message are skipped, and "5:*" yields no message
                below 5.
            newest_first: yield messages by descending UID. The highest UID was added to the mailbox
                last; Date and INTERNALDATE may say otherwise.
            limit: yield at most this many messages. The search is limited, too, where the server
                supports it (PARTIAL, RFC 9394; sequence numbers).
            timeout: seconds to wait for the server in all. The time between two iterations, and
                what methods of the messages take, does not count.

        Raises:
            InvalidArgument: `what` is neither a query nor UIDs, or `limit` is negative.
            CapabilityMissing: the query needs an extension that the server does not have.
            TimedOut: the server took longer than `timeout`. The connection is closed.
        """
        from imaplus.client._async_message import AsyncMessage
        from imaplus.flows.latest import choose_uids, windows
        from imaplus.flows.reading import summaries

        connection = self._connection
        flow = choose_uids(connection, what, newest_first=newest_first, limit=limit)
        ends = deadline_in(timeout, now())
        uids, left = await self._give(flow, timeout), limit
        size = SUMMARIES if left is None else max(1, min(SUMMARIES, left))
        for window in windows(uids, size, newest_first=newest_first):
            found = await self._give(summaries(connection, window), time_left(ends, now()))
            paused = now()
            for summary in reversed(found) if newest_first else found:
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield AsyncMessage(self._mailbox, summary)
            if left == 0:
                return
            if ends is not None:
                ends.at += now() - paused

    async def message(self, uid: int, *, timeout: float | None = None) -> AsyncMessage:
        """Return the message with this UID, with its headers, flags and structure.

        Raises:
            NoSuchMessage: there is no such message.
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
        """Download a message, or a section of it: to memory, to a file or to a path.

        A download to a file or a path takes constant memory.

        Args:
            uid: the message.
            target: an open binary file; or a path, where the file appears once it is complete,
                replacing an existing one. If the connection is lost, a later call with the same
                path resumes the download (by partial FETCH).
            section: the section, as for `BodySection`: "1.2", "HEADER"; "" is the whole message.
            binary: decode the transfer encoding. The server does it if it has BINARY (RFC 3516);
                without BINARY, or if the server cannot decode the part ([UNKNOWN-CTE] or [PARSE]),
                it is decoded here, and invalid input is skipped.
            progress: called with the bytes received so far, and the size in bytes, both as encoded.
            timeout: seconds to wait for the server in all.

        Returns:
            Without a target the content; with one, the number of bytes written.

        Raises:
            InvalidArgument: `target` is neither a binary file nor a path.
            NoSuchMessage: there is no such message, or no such section in it.
            OSError: the file cannot be written.
            Refused: neither the server nor imaplus knows the transfer encoding.
        """
        if isinstance(target, str | PathLike):
            from imaplus.client._async_saving import AS_IT_IS, save_section
            from imaplus.client.saving import Target

            path = Path(target)
            place = Target(path.parent, path.name, replaces=True)
            encoding = None if binary and section else AS_IT_IS
            saved = await save_section(
                self,
                uid,
                section,
                place,
                encoding=encoding,
                progress=progress,
                ends=deadline_in(timeout, now()),
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
    @abstractmethod
    def _mailbox(self) -> AsyncMailbox: ...

    def _identity_of(self, uid: int, section: str, binary: bool) -> tuple[object, ...] | None:
        """A key for the bytes of a section, to resume downloads; None if UIDs do not persist."""
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
