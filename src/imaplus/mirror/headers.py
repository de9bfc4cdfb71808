"""Compare the headers of messages on the server with those of stored messages.

A header is cheap to fetch, and its trace fields, Message-ID and Date tell two messages of the same
size and date apart. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imaplus import BodySection, SequenceSet
from imaplus.errors import CommandError, ImapError
from imaplus.mirror.errors import asks_for_patience

if TYPE_CHECKING:
    from imaplus import Mailbox
    from imaplus.mirror.journal import Journal
    from imaplus.mirror.link import Link
    from imaplus.mirror.store import Store

HEADER = BodySection("HEADER")
LONGEST = 1 << 20
"""The end of a stored header is searched for in so many bytes."""
BATCH = 1000
"""Headers fetched with one command. `find_reassigned` ends when a whole batch agrees."""


def headers(mailbox: Mailbox, uids: SequenceSet) -> Iterator[tuple[int, bytes]]:
    """Fetch headers; yield the UID and the header, with its empty line, of each message sent."""
    for message in mailbox.fetch(uids, HEADER):
        header = message.get(HEADER.key)
        if isinstance(header, bytes):
            yield message.uid, header


def stored_header(store: Store, sha256: str) -> bytes | None:
    """Return the header of a stored message, as in BODY[HEADER]; None if it cannot be read."""
    try:
        with store.open_body(sha256) as file:
            data = file.read(LONGEST) or b""
    except OSError:
        return None
    for end in (b"\r\n\r\n", b"\n\n"):
        if (at := data.find(end)) >= 0:
            return data[: at + len(end)]
    return data


def find_reassigned(
    link: Link, store: Store, journal: Journal, uids: Iterable[int], lowest: int | None
) -> list[int]:
    """Return the UIDs whose header on the server differs from the stored one, or is missing.

    A server that was restored from its backup reassigns all UIDs from the backup's UIDNEXT on.
    UIDs are assigned in ascending order (RFC 9051, 2.3.1.1), so these are the highest ones.
    Headers are compared from the highest UID down, until a whole batch agrees. A header that cannot
    be fetched counts as different.

    Args:
        uids: the messages to compare, in any order.
        lowest: the lowest UID known to be reassigned: all above it are compared.

    Raises:
        ImapError: the run cannot go on.
    """
    known = journal.entries
    found: list[int] = []
    left = sorted(uids)
    while left:
        batch, left = left[-BATCH:], left[:-BATCH]
        agreeing: set[int] = set()
        differing: set[int] = set()

        def ask(
            client: object,
            missing: Iterable[int] = batch,
            agreeing: set[int] = agreeing,
            differing: set[int] = differing,
        ) -> None:
            asked = SequenceSet.of(missing) - SequenceSet.of(agreeing) - SequenceSet.of(differing)
            mailbox = link.open_mailbox(journal.mailbox, journal.uidvalidity)
            for uid, header in headers(mailbox, asked):
                if uid in known:
                    same = header == stored_header(store, known[uid].sha256)
                    (agreeing if same else differing).add(uid)

        try:
            link.attempt(ask)
        except CommandError as error:
            if asks_for_patience(error) or not link.is_connected:
                raise
        except ImapError as error:
            if not link.is_recoverable(error):
                raise
        changed = [uid for uid in batch if uid not in agreeing]
        found += changed
        if not changed and (lowest is None or batch[0] < lowest):
            break
    return found
