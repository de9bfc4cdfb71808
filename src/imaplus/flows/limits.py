"""Commands on more messages than a server deals with at once, on any server.

A set of UIDs is cut so that it fits on a command line. Where the server has done only a part
(MESSAGELIMIT, RFC 9738), the rest is asked for, until all is done or the server gets no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeVar

from imaplus.core.messages import MessageCommand
from imaplus.errors import CommandError, PartlyDone
from imaplus.flows import finding
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow, Together
from imaplus.records import replace
from imaplus.wire.sets import SequenceSet

T = TypeVar("T")
C = TypeVar("C", bound=MessageCommand[Any])

LONGEST_SET: Final = 7000
"""Octets of a UID set in one command: lines of 8,000 are what a server must take (RFC 7162, 4)."""
SHORT_SET: Final = 900
"""The same where lines have 1,000 octets at most."""
TOGETHER: Final = 100
"""Commands given at once where their number has no end: the answers must be kept."""


def portions(connection: Connection, uids: SequenceSet) -> Iterator[SequenceSet]:
    """Sets that each fit on a command line."""
    short = connection.can("XYMHIGHESTMODSEQ") or connection.can("SCAN")  # quirk 37: Yahoo, UW
    return uids.split(SHORT_SET if short else LONGEST_SET)


def in_portions(connection: Connection, commands: Iterable[MessageCommand[T]]) -> Flow[list[T]]:
    """The results of many commands, pipelined as far as they may be.

    Raises:
        CommandError: the first that the server did not carry out.
        PartlyDone: a part is left, and the server gets no further.
    """
    results: list[T] = []
    coming = iter(commands)
    while waiting := list(islice(coming, TOGETHER)):
        found = yield from Together(*waiting)
        for each in found:
            if isinstance(each, CommandError) and not isinstance(each, PartlyDone):
                raise each
        for command, each in zip(waiting, found, strict=True):
            if isinstance(each, PartlyDone):
                results += yield from _go_on(connection, command, each)
            else:
                results.append(each)
    return results


def rest_of(command: C, error: PartlyDone) -> C:
    """The command for the messages that are left.

    Raises:
        PartlyDone: the same error, if the server does not say where it came to, or says that it
            has done nothing of this command.
    """
    if error.status != "OK" or error.uid is None or not command.covers(error.uid):
        raise error
    return replace(command, uids=command.uids & SequenceSet.of(range(1, error.uid)))


def _go_on(connection: Connection, command: MessageCommand[T], error: PartlyDone) -> Flow[list[T]]:
    """The results of what the server has done, and of all that it has left."""
    results: list[T] = []
    while True:
        if error.status != "OK":
            results += yield from _in_smaller(connection, command, error)
            return results
        results.append(error.part)
        command = rest_of(command, error)
        try:
            results.append((yield from command))
        except PartlyDone as again:
            error = again
        else:
            return results


def _in_smaller(
    connection: Connection, command: MessageCommand[T], error: PartlyDone
) -> Flow[list[T]]:
    """The results of a command for so many messages at a time as the server takes.

    Raises:
        PartlyDone: the same error, if they were no more than that.
    """
    there = yield from finding.existing(connection, command.uids)
    if not error.limit or len(there) <= error.limit:
        raise error
    parts = (
        replace(command, uids=part)
        for chunk in there.chunks(error.limit)
        for part in portions(connection, chunk)
    )
    return (yield from in_portions(connection, parts))
