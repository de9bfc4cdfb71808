"""Patterns of mailboxes: `INBOX`, `Lists/*`, `Lists/%`, `@sent`.

The two wildcards of LIST (RFC 9051, 6.3.9: `*` matches anything, `%` anything but the hierarchy
delimiter), and aliases for special uses (RFC 6154).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from imaplus.errors import InvalidArgument
from imaplus.mirror.description import Choice
from imaplus.records import record

SPECIAL_USE = {
    "@all": "\\all",
    "@archive": "\\archive",
    "@drafts": "\\drafts",
    "@flagged": "\\flagged",
    "@junk": "\\junk",
    "@sent": "\\sent",
    "@trash": "\\trash",
}
ALIASES = ("@inbox", *SPECIAL_USE)
_WILD = frozenset("*%")


class Listed(Protocol):
    """The attributes of a mailbox that a pattern uses, as of `imaplus.ListEntry`."""

    @property
    def name(self) -> str: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def attributes(self) -> Iterable[str]: ...


M = TypeVar("M", bound=Listed)


@record
class Pattern:
    """A pattern, as the user wrote it."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Parse a pattern; after a backslash, the rest is a plain name.

        Raises:
            InvalidArgument: it is empty, or an unknown alias.
        """
        if not text:
            raise InvalidArgument("the pattern of a mailbox must not be empty")
        if text.startswith("@") and text.lower() not in ALIASES:
            aliases = f"the aliases are {' '.join(ALIASES)}"
            escaped = f"write \\{text} for a mailbox of that name"
            raise InvalidArgument(f"there is no alias {text!r}: {aliases}; {escaped}")
        return cls(text)

    def matches(self, mailbox: Listed) -> bool:
        """Whether `mailbox` matches; the case of INBOX does not matter (RFC 9051, 5.1)."""
        alias = self.text.lower()
        if alias == "@inbox":
            return mailbox.name.upper() == "INBOX"
        if alias in SPECIAL_USE:
            return any(SPECIAL_USE[alias] == word.lower() for word in mailbox.attributes)
        if self.text.startswith("\\"):
            return _inbox(mailbox.name, mailbox.delimiter) == self.text[1:]
        expression = _expression(_inbox(self.text, mailbox.delimiter), mailbox.delimiter)
        return (
            re.fullmatch(expression, _inbox(mailbox.name, mailbox.delimiter), re.DOTALL) is not None
        )


@record
class Chosen(Generic[M]):
    """The chosen mailboxes, and the patterns of `only` that match none."""

    mailboxes: tuple[M, ...]
    unmatched: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """Warnings about patterns of `exclude` that match no mailbox."""


def choose(mailboxes: Iterable[M], choice: Choice) -> Chosen[M]:
    """Return the mailboxes that match a choice.

    Raises:
        InvalidArgument: a pattern is not valid.
    """
    mailboxes = list(mailboxes)
    only = [Pattern.parse(text) for text in choice.only]
    exclude = [Pattern.parse(text) for text in choice.exclude]

    return Chosen(
        tuple(each for each in mailboxes if _is_meant(each, only, exclude)),
        tuple(each.text for each in only if not any(map(each.matches, mailboxes))),
        tuple(_remark_on(mailboxes, exclude)),
    )


def _remark_on(mailboxes: Sequence[Listed], exclude: Sequence[Pattern]) -> Iterator[str]:
    for pattern in exclude:
        if any(map(pattern.matches, mailboxes)):
            continue
        text = f"--exclude {pattern.text} leaves nothing out: "
        word = pattern.text[1:].lower()
        if pattern.text.lower() not in SPECIAL_USE:
            yield f"{text}no mailbox matches it"
            continue
        text += f"the server does not say which mailbox is used for {word}"
        alike = [each.name for each in mailboxes if levels(each)[-1].lower() == word]
        yield f"{text}; is it --exclude '{alike[0]}'?" if alike else text


def levels(mailbox: Listed) -> list[str]:
    """Split the name at the hierarchy delimiter."""
    return mailbox.name.split(mailbox.delimiter) if mailbox.delimiter else [mailbox.name]


def is_named(mailbox: Listed, choice: Choice) -> bool:
    """Whether a choice names this mailbox or its special use without a wildcard."""
    plain = (Pattern.parse(text) for text in choice.only if text[:1] == "\\" or not _WILD & {*text})
    return any(pattern.matches(mailbox) for pattern in plain)


def is_chosen(mailbox: Listed, choice: Choice) -> bool:
    """Whether this mailbox matches a choice."""
    only = [Pattern.parse(text) for text in choice.only]
    return _is_meant(mailbox, only, [Pattern.parse(text) for text in choice.exclude])


def _is_meant(mailbox: Listed, only: Sequence[Pattern], exclude: Sequence[Pattern]) -> bool:
    return (not only or any(each.matches(mailbox) for each in only)) and not any(
        each.matches(mailbox) for each in exclude
    )


def list_pattern(choice: Choice) -> str:
    """Return the LIST pattern that covers all chosen mailboxes: one plain name, or `*`."""
    if len(choice.only) != 1 or choice.exclude:
        return "*"
    name = choice.only[0]
    # `choose` handles these more reliably than some servers.
    special = name[:1] in ("", "@", "\\") or any(wildcard in name for wildcard in "*%")
    return "*" if special or (name.upper().startswith("INBOX") and name != "INBOX") else name


def merge_choices(before: Choice | None, given: Choice) -> Choice:
    """Return the choice to store after a run with options.

    Without an earlier choice, it is the given one. Later, `only` adds to a choice of some
    mailboxes, and changes nothing if all are mirrored; `exclude` replaces the earlier one;
    `virtual` alone changes nothing else. The pattern `*` chooses all mailboxes again.
    """
    if before is None:
        return given
    if not given.only:
        return given if given.exclude else Choice(before.only, before.exclude, given.virtual)
    if "*" in given.only:
        return Choice((), given.exclude, given.virtual or before.virtual)
    only = () if not before.only else tuple(dict.fromkeys((*before.only, *given.only)))
    return Choice(only, given.exclude or before.exclude, given.virtual or before.virtual)


def _inbox(text: str, delimiter: str | None) -> str:
    """`text` with its first component in capitals if that is INBOX in any case."""
    first, separator, rest = text.partition(delimiter) if delimiter else (text, "", "")
    return f"INBOX{separator}{rest}" if first.upper() == "INBOX" else text


def _expression(pattern: str, delimiter: str | None) -> str:
    level = f"[^{re.escape(delimiter)}]*" if delimiter else ".*"
    # Adjacent wildcards become one, so that the expression cannot backtrack exponentially.
    parts = re.split(r"([*%]+)", pattern)
    return "".join(
        (".*" if "*" in part else level) if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
