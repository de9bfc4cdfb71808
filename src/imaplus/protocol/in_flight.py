"""The commands on the wire, oldest first, and which of them a new one must get along with.

A caller may pipeline thousands. Whether answers can be told apart is for the commands to say
(`Command.may_join`); here is only that not all of them have to be asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any, Final

from imaplus.protocol.command import Command, Pending, State

MOST: Final = 1000
"""Commands on the wire at once: enough to hide any round trip, and few enough to look through."""

Tagged = dict[str, Pending[Any]]


class InFlight:
    """An ordered set of pending commands."""

    __slots__ = ("_by_subject", "_by_tag", "_exclusive", "with_sinks")

    def __init__(self) -> None:
        self.with_sinks = 0
        """How many of them have sinks of their own for literals."""
        self._by_tag: Tagged = {}
        self._by_subject: dict[Hashable, Tagged] = {}
        self._exclusive: Tagged = {}

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

    @property
    def leads_to(self) -> State | None:
        """The state that a command will meet which is sent now; None if it is the present one."""
        states = (pending.command.leads_to for pending in self._exclusive.values())
        return next((state for state in states if state is not None), None)

    def add(self, pending: Pending[Any]) -> None:
        """It is on its way."""
        command = pending.command
        self.with_sinks += command.has_sinks
        self._by_tag[pending.tag] = pending
        self._by_subject.setdefault(command.subject, {})[pending.tag] = pending
        if command.exclusive:
            self._exclusive[pending.tag] = pending

    def remove(self, pending: Pending[Any]) -> None:
        """It is over."""
        subject = pending.command.subject
        self.with_sinks -= pending.command.has_sinks
        del self._by_tag[pending.tag]
        del self._by_subject[subject][pending.tag]
        if not self._by_subject[subject]:
            del self._by_subject[subject]
        self._exclusive.pop(pending.tag, None)

    def clear(self) -> None:
        """All of them are over."""
        self.with_sinks = 0
        self._by_tag.clear()
        self._by_subject.clear()
        self._exclusive.clear()

    def welcome(self, command: Command[Any]) -> bool:
        """Whether a command may be sent now, beside those that are on the wire."""
        if not self._by_tag:
            return True
        if len(self._by_tag) >= MOST:
            return False
        if command.exclusive or self._exclusive:
            return all(command.follows(pending.command) for pending in self)
        return command.may_join(pending.command for pending in self._rivals(command.subject))

    def _rivals(self, subject: Hashable) -> Iterator[Pending[Any]]:
        """All but those that have another subject."""
        if subject is None:
            return iter(self)
        groups = self._by_subject
        return chain(groups.get(None, {}).values(), groups.get(subject, {}).values())
