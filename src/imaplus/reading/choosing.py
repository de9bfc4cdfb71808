"""Classifies the parts of a message by its structure: texts, inline parts, attachments.

The rules are those of mail programs and of RFC 8621 (4.1.4): the first text part is the body, even
if it has a file name; of alternatives, one is shown; parts that belong to an HTML text are inline;
all others are attachments, including attached messages.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from imaplus.core.parts import Multipart, Part

_PLAIN: Final = frozenset({"plain", "enriched", "richtext", "markdown"})
DEEPEST: Final = 100
"""Levels of nested multiparts to look into; deeper ones are attachments."""


class Shown(NamedTuple):
    """A text of the body, as plain text, as HTML, or both.

    Each form may consist of several parts: Apple's HTML has images and files in between.
    """

    plain: tuple[Part, ...]
    html: tuple[Part, ...]


class Choice(NamedTuple):
    """The parts of a message by purpose."""

    shown: tuple[Shown, ...] = ()
    """The texts of the body, in order; usually one."""
    attachments: tuple[Part, ...] = ()
    inline: tuple[Part, ...] = ()
    """The parts that the HTML text embeds, usually images."""

    def texts(self) -> tuple[Part, ...]:
        """Return the parts for `text()`: plain text, or HTML where there is no plain text."""
        return tuple(part for each in self.shown for part in each.plain or each.html)

    def htmls(self) -> tuple[Part, ...]:
        """Return the parts for `html()`; none if the message has no HTML."""
        if not any(each.html for each in self.shown):
            return ()
        return tuple(part for each in self.shown for part in each.html or each.plain)


class _Chooser:
    def __init__(self) -> None:
        self.attachments: list[Part] = []
        self.inline: list[Part] = []

    def body(self, part: Part, *, first: bool, related: bool, depth: int) -> list[Shown]:
        if not isinstance(part, Multipart):
            return self._add_leaf(part, first=first, related=related)
        if depth > DEEPEST:
            self.attachments.append(part)
            return []
        if part.subtype == "alternative":
            return self._add_alternative(part, first, depth)
        if part.subtype == "related":
            return self._add_related(part, first, depth)
        shown: list[Shown] = []
        for each in part.parts:
            is_first = first and not shown
            shown += self.body(each, first=is_first, related=related, depth=depth + 1)
        return shown

    def _add_leaf(self, part: Part, *, first: bool, related: bool) -> list[Shown]:
        to_save = part.disposition is not None and part.disposition.type != "inline"
        if part.type == "text" and not to_save:
            if part.subtype in _PLAIN and (first or not (part.filename or related)):
                return [Shown((part,), ())]
            if part.subtype == "html" and (first or not (part.filename or related)):
                return [Shown((), (part,))]
        if _is_inline(part, related=related):
            self.inline.append(part)
        else:
            self.attachments.append(part)
        return []

    def _add_alternative(self, part: Multipart, first: bool, depth: int) -> list[Shown]:
        plain: list[Part] = []
        html: list[Part] = []
        for each in part.parts:
            if _is_other_form(each):
                continue  # equivalent to the other alternatives
            for piece in self.body(each, first=first, related=False, depth=depth + 1):
                plain += piece.plain
                html += piece.html
        return [Shown(tuple(plain), tuple(html))] if plain or html else []

    def _add_related(self, part: Multipart, first: bool, depth: int) -> list[Shown]:
        root = _root(part)
        shown: list[Shown] = []
        for each in part.parts:
            if each is root:
                shown += self.body(each, first=first, related=False, depth=depth + 1)
            else:
                shown += self.body(each, first=False, related=True, depth=depth + 1)
        return shown


def _root(part: Multipart) -> Part | None:
    """The root part: the one that `start` names, else the first (RFC 2387)."""
    start = part.params.get("start", "").strip("<> ")
    named = (each for each in part.parts if start and (each.content_id or "").strip("<> ") == start)
    return next(named, part.parts[0] if part.parts else None)


def _is_other_form(part: Part) -> bool:
    """Whether it is a special form of the text: text/x-amp-html, text/watch-html, RTF."""
    return part.type == "text" and part.subtype in ("x-amp-html", "watch-html", "rtf")


def _is_inline(part: Part, *, related: bool) -> bool:
    if part.type in ("text", "message"):
        return False
    if part.disposition is not None and part.disposition.type != "inline":
        return False
    if related or part.content_id:
        return True
    return part.disposition is not None and part.filename is None


def choose(structure: Part | None) -> Choice:
    """Classify the parts of a message; no parts if its structure is unknown."""
    if structure is None:
        return Choice()
    chooser = _Chooser()
    shown = chooser.body(structure, first=True, related=False, depth=0)
    return Choice(tuple(shown), tuple(chooser.attachments), tuple(chooser.inline))
