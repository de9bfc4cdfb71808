"""The commands on the wire, oldest first, and which of them a new one must get along with.

A caller may pipeline thousands. Whether answers can be told apart is for the commands to say
(`Command.may_join`); here is only that not all of them have to be asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any, Final

from imaplus.protocol.command import Command, Pending

MOST: Final = 1000
"""Commands on the wire at once: enough to hide any round trip, and few enough to look through."""

Tagged = dict[str, Pending[Any]]


class InFlight:
    """An ordered set of pending commands."""

    __slots__ = ("_by_subject", "_by_tag")

    def __init__(self) -> None:
        self._by_tag: Tagged = {}
        self._by_subject: dict[type, dict[Hashable, Tagged]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return bool(self._by_tag)

    def __iter__(self) -> Iterator[Pending[Any]]:
        return iter(self._by_tag.values())

    def get(self, tag: str | None) -> Pending[Any] | None:
        """The command with this tag."""
        return self._by_tag.get(tag or "")

    @property
    def oldest(self) -> Pending[Any] | None:
        """The command that was sent first."""
        return next(iter(self._by_tag.values()), None)

    def add(self, pending: Pending[Any]) -> None:
        """It is on its way."""
        command = pending.command
        self._by_tag[pending.tag] = pending
        self._by_subject[type(command)].setdefault(command.subject, {})[pending.tag] = pending

    def remove(self, pending: Pending[Any]) -> None:
        """It is over."""
        command = pending.command
        del self._by_tag[pending.tag]
        subjects = self._by_subject[type(command)]
        del subjects[command.subject][pending.tag]
        if not subjects[command.subject]:
            del subjects[command.subject]
            if not subjects:
                del self._by_subject[type(command)]

    def clear(self) -> None:
        """All of them are over."""
        self._by_tag.clear()
        self._by_subject.clear()

    def welcome(self, command: Command[Any]) -> bool:
        """Whether a command may be sent now, beside those that are on the wire."""
        oldest = self.oldest
        if oldest is None:
            return True
        if command.exclusive or oldest.command.exclusive or len(self._by_tag) >= MOST:
            return False
        return command.may_join([pending.command for pending in self._rivals(command)])

    def _rivals(self, command: Command[Any]) -> Iterator[Pending[Any]]:
        """All but those that differ from it in nothing but their subject."""
        for kind, subjects in self._by_subject.items():
            if kind is type(command) and command.subject is not None:
                yield from subjects.get(None, {}).values()
                yield from subjects.get(command.subject, {}).values()
            else:
                yield from chain.from_iterable(group.values() for group in subjects.values())
