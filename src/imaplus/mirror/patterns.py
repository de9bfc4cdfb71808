"""Which mailboxes are meant: `INBOX`, `Lists/*`, `Lists/%`, `@sent`.

It knows IMAP's two wildcards (RFC 9051, 6.3.9: `*` matches anything, `%` anything but the
hierarchy delimiter) and aliases for special use (RFC 6154). It asks no server.
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
    """What a pattern needs to know of a mailbox; `imaplus.ListEntry` says it."""

    @property
    def name(self) -> str: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def attributes(self) -> Iterable[str]: ...


M = TypeVar("M", bound=Listed)


@record
class Pattern:
    """One pattern, as it was written."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """The pattern `text`; after a backslash stands a name, taken as it is.

        Raises:
            InvalidArgument: it is empty, or an alias that does not exist.
        """
        if not text:
            raise InvalidArgument("the name of a mailbox cannot be empty")
        if text.startswith("@") and text.lower() not in ALIASES:
            aliases = f"the aliases are {' '.join(ALIASES)}"
            escaped = f"write \\{text} for a mailbox of that name"
            raise InvalidArgument(f"there is no alias {text!r}: {aliases}; {escaped}")
        return cls(text)

    def matches(self, mailbox: Listed) -> bool:
        """Whether `mailbox` is meant. INBOX is INBOX in any case (RFC 9051, 5.1)."""
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
    """What a choice came to: the mailboxes, and the patterns that mean none of those there are."""

    mailboxes: tuple[M, ...]
    unmatched: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """What to say of each pattern of `exclude` that leaves nothing out."""


def choose(mailboxes: Iterable[M], choice: Choice) -> Chosen[M]:
    """The mailboxes that a choice means.

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
    """The name, cut at the hierarchy delimiter."""
    return mailbox.name.split(mailbox.delimiter) if mailbox.delimiter else [mailbox.name]


def is_named(mailbox: Listed, choice: Choice) -> bool:
    """Whether a choice names this mailbox or its use, and not only by a wildcard."""
    plain = (Pattern.parse(text) for text in choice.only if text[:1] == "\\" or not _WILD & {*text})
    return any(pattern.matches(mailbox) for pattern in plain)


def is_chosen(mailbox: Listed, choice: Choice) -> bool:
    """Whether a choice means this mailbox."""
    only = [Pattern.parse(text) for text in choice.only]
    return _is_meant(mailbox, only, [Pattern.parse(text) for text in choice.exclude])


def _is_meant(mailbox: Listed, only: Sequence[Pattern], exclude: Sequence[Pattern]) -> bool:
    return (not only or any(each.matches(mailbox) for each in only)) and not any(
        each.matches(mailbox) for each in exclude
    )


def list_pattern(choice: Choice) -> str:
    """The pattern of a LIST that tells of all that is named: one plain name, or `*`."""
    if len(choice.only) != 1 or choice.exclude:
        return "*"
    name = choice.only[0]
    # What `choose` knows better than some servers: aliases, wildcards, INBOX as a first level.
    special = name[:1] in ("", "@", "\\") or any(wildcard in name for wildcard in "*%")
    return "*" if special or (name.upper().startswith("INBOX") and name != "INBOX") else name


def merge_choices(before: Choice | None, given: Choice) -> Choice:
    """The choice that a mirror is to remember after a run with options.

    The first run decides. Later a mailbox that is named is added to a mirror of some mailboxes, and
    changes nothing for a mirror of all; `exclude` replaces what was excluded before, and `virtual`
    alone changes nothing else. `*` means all mailboxes again.
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
    # A run of wildcards means what its strongest member means; as one it cannot backtrack badly.
    parts = re.split(r"([*%]+)", pattern)
    return "".join(
        (".*" if "*" in part else level) if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
