"""The commands in flight, oldest first: which of them a value answers, and which may be added.

Commands decide themselves whether their answers can be distinguished (`Command.may_join`). A caller
may pipeline thousands, so this class limits how many of them are asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from imaplus.protocol.pending import Pending
from imaplus.protocol.state import State

MOST: Final = 1000
"""Limit on commands in flight."""

Tagged = dict[str, Pending[Any]]


class InFlight:
    """An ordered set of pending commands."""

    __slots__ = ("_added", "_by_subject", "_by_tag", "_collecting", "_exclusive", "sinks_from")

    def __init__(self) -> None:
        self.sinks_from: list[int] = []
        """`Command.sinks_from` of each command in flight that has sinks."""
        self._by_tag: Tagged = {}
        self._by_subject: dict[Hashable, Tagged] = {}
        self._exclusive: list[Pending[Any]] = []  # few: most exclude each other
        self._collecting: dict[tuple[type, ...], int] = {}  # how many collect values of these types
        self._added = 0

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
        """The state in which a command sent now will run; None if it is the current one."""
        for pending in self._exclusive:
            if (state := pending.command.leads_to) is not None:
                return state
        return None

    def collects(self, kind: type) -> bool:
        """Whether a command collects values of this type or of a subclass."""
        return any(issubclass(each, kind) for types in self._collecting for each in types)

    def add(self, pending: Pending[Any]) -> None:
        """Add a command that is being sent."""
        command = pending.command
        self._added += 1
        pending.age = self._added
        if (size := command.sinks_from) is not None:
            self.sinks_from.append(size)
        self._by_tag[pending.tag] = pending
        if command.collects:
            self._collecting[command.collects] = self._collecting.get(command.collects, 0) + 1
        if command.exclusive:
            self._exclusive.append(pending)
        else:
            self._by_subject.setdefault(pending.subject, {})[pending.tag] = pending

    def remove(self, pending: Pending[Any]) -> None:
        """Remove a command that is done."""
        command = pending.command
        if (size := command.sinks_from) is not None:
            self.sinks_from.remove(size)
        del self._by_tag[pending.tag]
        if command.collects:
            self._collecting[command.collects] -= 1
            if not self._collecting[command.collects]:
                del self._collecting[command.collects]
        if command.exclusive:
            self._exclusive.remove(pending)
            return
        others = self._by_subject[pending.subject]
        del others[pending.tag]
        if not others:
            del self._by_subject[pending.subject]

    def clear(self) -> None:
        """Remove all commands."""
        self.sinks_from.clear()
        self._by_tag.clear()
        self._by_subject.clear()
        self._collecting.clear()
        self._exclusive.clear()

    def may_add(self, pending: Pending[Any]) -> bool:
        """Whether a command may be sent while the others are in flight."""
        command = pending.command
        if not self._by_tag:
            return True
        if len(self._by_tag) >= MOST:
            return False
        if command.exclusive or self._exclusive:
            return all(command.follows(other.command) for other in self)
        return command.may_join(other.command for other in self._rivals(pending.subject))

    def owner_of(self, value: object) -> Pending[Any] | None:
        """Return the oldest command that wants a value, or None."""
        oldest = self.oldest
        if oldest is None or oldest.wants(value):
            return oldest
        if not any(isinstance(value, types) for types in self._collecting):
            return None
        subject = getattr(value, "subject", None)
        if subject is None:
            return next((pending for pending in self if pending.wants(value)), None)
        owner: Pending[Any] | None = None
        for group in (self._exclusive, self._about(None), self._about(subject)):
            for pending in group:
                if owner is not None and owner.age < pending.age:
                    break
                if pending.wants(value):
                    owner = pending
                    break
        return owner

    def awaits(self, kind: type) -> bool:
        """Whether a command waits for values of a type."""
        return any(
            not pending.ignored and any(issubclass(each, kind) for each in pending.command.collects)
            for pending in self
        )

    def hearer_of(self, value: object) -> Pending[Any] | None:
        """Return the command that collects a value although no command wants it, or None."""
        subject = getattr(value, "subject", None)
        if subject is None:
            return None
        for group in (self._about(None), self._about(subject)):
            for pending in group:
                if pending.command.overhears(value):
                    return pending
        return None

    def _rivals(self, subject: Hashable) -> Iterator[Pending[Any]]:
        """All but those that have another subject, where none is exclusive."""
        if subject is None:
            return iter(self)
        return chain(self._about(None), self._about(subject))

    def _about(self, subject: Hashable) -> Iterable[Pending[Any]]:
        found = self._by_subject.get(subject)
        return () if found is None else found.values()
