"""Which mailboxes are meant: `INBOX`, `Lists/*`, `Lists/%`, `@sent`.

It knows IMAP's two wildcards (RFC 9051, 6.3.9: `*` matches anything, `%` anything but the
hierarchy delimiter) and the aliases of special use (RFC 6154). It asks no server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from imaplus.cli.errors import Exit, Stop
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
    """One pattern, as it was written; `Pattern.parse` refuses an alias that does not exist."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """The pattern `text`; after a backslash stands a name, taken as it is.

        Raises: Stop with exit code 2.
        """
        if not text:
            raise Stop(Exit.USAGE, "the name of a mailbox cannot be empty")
        if text.startswith("@") and text.lower() not in ALIASES:
            hint = (
                f"The aliases are {' '.join(ALIASES)}; write \\{text} for a mailbox of that name."
            )
            raise Stop(Exit.USAGE, f"there is no alias {text!r}", hint=hint)
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


def choose(mailboxes: Iterable[M], wanted: Iterable[str], unwanted: Iterable[str] = ()) -> list[M]:
    """The mailboxes that `wanted` means (none: all) without those that `unwanted` means.

    Raises: Stop with exit code 3 where a wanted pattern means no mailbox at all.
    """
    mailboxes = list(mailboxes)
    patterns = [Pattern.parse(text) for text in wanted]
    excluded = [Pattern.parse(text) for text in unwanted]
    for pattern in patterns:
        if not any(pattern.matches(mailbox) for mailbox in mailboxes):
            hint = "`imaplus ls` shows the mailboxes that exist."
            raise Stop(Exit.NOT_FOUND, f"no mailbox matches {pattern.text!r}", hint=hint)
    return [
        mailbox
        for mailbox in mailboxes
        if (not patterns or any(pattern.matches(mailbox) for pattern in patterns))
        and not any(pattern.matches(mailbox) for pattern in excluded)
    ]


def without_meaning(mailboxes: Iterable[Listed], unwanted: Iterable[str]) -> list[str]:
    """What to say of each pattern of `unwanted` that leaves out none of these mailboxes."""
    mailboxes = list(mailboxes)
    said = []
    for pattern in map(Pattern.parse, unwanted):
        if any(pattern.matches(mailbox) for mailbox in mailboxes):
            continue
        text = f"--exclude {pattern.text} leaves nothing out: "
        word = pattern.text[1:].lower()
        if pattern.text.lower() not in SPECIAL_USE:
            said.append(f"{text}no mailbox matches it")
            continue
        text += f"the server does not say which mailbox is used for {word}"
        alike = [each.name for each in mailboxes if levels(each)[-1].lower() == word]
        said.append(f"{text}; is it --exclude '{alike[0]}'?" if alike else text)
    return said


def levels(mailbox: Listed) -> list[str]:
    """The name, cut at the hierarchy delimiter."""
    return mailbox.name.split(mailbox.delimiter) if mailbox.delimiter else [mailbox.name]


def to_ask_for(wanted: Sequence[str], unwanted: Sequence[str] = ()) -> str:
    """The pattern of a LIST that tells of all that is named: one plain name, or `*`."""
    if len(wanted) != 1 or unwanted:
        return "*"
    name = wanted[0]
    # What `choose` knows better than some servers: aliases, wildcards, INBOX as a first level.
    special = name[:1] in ("", "@", "\\") or any(wildcard in name for wildcard in "*%")
    return "*" if special or (name.upper().startswith("INBOX") and name != "INBOX") else name


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
