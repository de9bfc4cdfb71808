"""HTML to plain text: by inscriptis if installed (`imaplus[html]`), else by the renderer here.

This renderer takes linear time for any HTML. It supports paragraphs, lines, lists, table cells,
preformatted text and entities, and of CSS only `display: none`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from importlib import import_module
from typing import Final

from imaplus.wire.patterns import lazy_pattern

_TAG: Final = lazy_pattern(
    r"<(/?)([A-Za-z][^\s/>]{0,40})((?:[^>\"']++|\"[^\"]{0,2000}+\"|'[^']{0,2000}+')*+)>"
)
_LOOSE_TAG: Final = lazy_pattern(r"<(/?)([A-Za-z][^\s/>]{0,40})([^>]*+)>")
_SPACES: Final = lazy_pattern(r"[ \t\r\n\f]+")
_QUOTED: Final = lazy_pattern(r"\"[^\"]*\"|'[^']*'")
_HIDDEN: Final = lazy_pattern(r"(?i)(?<![\w-])hidden(?![\w-])")
_NOT_DISPLAYED: Final = lazy_pattern(r"(?i)display\s*:\s*none|mso-hide\s*:\s*all")
_ALT: Final = lazy_pattern(r"(?i)\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RAW: Final = frozenset({"script", "style", "template", "noscript", "title", "textarea", "svg"})
"""Elements whose content is not shown."""
_LINES: Final = frozenset(
    "address article aside body center dd div dl dt figcaption figure footer form header html li"
    " main nav ol option section table tbody tfoot thead tr ul".split()
)
"""Elements that start and end a line."""
_PARAGRAPHS: Final = frozenset("blockquote fieldset h1 h2 h3 h4 h5 h6 hr p pre".split())
"""Elements with an empty line before and after them."""
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())


def html_to_text(html: str) -> str:
    """Render HTML as text. Never raises."""
    if (renderer := _inscriptis()) is not None:
        try:
            return _tidy(renderer(html))
        except Exception:  # lxml refuses some documents
            pass
    return render(html)


def _inscriptis() -> Callable[[str], str] | None:
    try:  # by name, so that type checkers do not need the extra
        found: Callable[[str], str] = import_module("inscriptis").get_text
    except ImportError:
        return None
    return found


def text_to_html(text: str) -> str:
    """Render plain text as HTML: escaped, in a `<pre>`."""
    from html import escape

    return f'<pre style="white-space: pre-wrap">{escape(text)}</pre>'


class _Page:
    """The lines rendered so far."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line: list[str] = []
        self._ends_in_space = True  # or is empty
        self.preformatted = 0

    def add(self, text: str) -> None:
        if self.preformatted:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._put(first)
            for each in rest:
                self.end_line(even_if_empty=True)
                self._put(each)
            return
        text = _SPACES.sub(" ", text)
        if self._ends_in_space:
            text = text.lstrip(" ")
        self._put(text)

    def _put(self, text: str) -> None:
        if text:
            self._line.append(text)
            self._ends_in_space = text.endswith((" ", "\t"))

    def add_mark(self, text: str) -> None:
        """Add a list mark; its spaces are kept."""
        self._put(text)

    def end_line(self, *, even_if_empty: bool = False) -> None:
        line = "".join(self._line).rstrip()
        if line or even_if_empty:
            self.lines.append(line)
        self._line.clear()
        self._ends_in_space = True

    def paragraph(self) -> None:
        self.end_line()
        if self.lines and self.lines[-1]:
            self.lines.append("")

    @property
    def begins(self) -> bool:
        return not self._line


def render(html: str) -> str:
    """Render HTML as text without inscriptis."""
    page = _Page()
    hidden: list[str] = []  # names of open elements, from the first hidden one on
    numbers: list[int] = []  # of open lists: 0 for one without numbers
    at = 0
    while (start := html.find("<", at)) >= 0:
        if not hidden:
            page.add(unescape(html[at:start]))
        tag = _TAG.match(html, start) or _LOOSE_TAG.match(html, start)
        if tag is None:
            at = _other(html, start, page, shown=not hidden)
            continue
        at = tag.end()
        closes, name, attributes = bool(tag[1]), tag[2].lower(), tag[3]
        if name in _RAW and not closes:
            at = _find_end(html, at, name)
        elif hidden:
            if closes and name in hidden:
                while hidden.pop() != name:
                    pass
            elif not closes and name not in _VOID and len(hidden) < 1000:
                hidden.append(name)
        elif not closes and attributes and _is_hidden(attributes[:2000]):
            if name not in _VOID:
                hidden.append(name)
        else:
            _show(page, name, attributes, numbers, closes=closes)
    if not hidden:
        page.add(unescape(html[at:]))
    page.end_line()
    return _tidy("\n".join(page.lines))


def _is_hidden(attributes: str) -> bool:
    """Whether attributes hide an element: `hidden`, or a style."""
    if _NOT_DISPLAYED.search(attributes):
        return True
    return _HIDDEN.search(_QUOTED.sub("", attributes)) is not None


def _other(html: str, start: int, page: _Page, *, shown: bool) -> int:
    """Skip a comment or a declaration, or add a lone `<`; return where to continue."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return len(html) if end < 0 else end + 3
    if html.startswith(("<!", "<?", "</"), start):
        end = html.find(">", start)
        return len(html) if end < 0 else end + 1
    if html[start + 1 : start + 2].isalpha() and html.find(">", start) < 0:
        return len(html)  # a tag that was cut off
    if shown:
        page.add("<")
    return start + 1


def _find_end(html: str, at: int, name: str) -> int:
    """Return the position after the end tag of an element."""
    end = re.compile(rf"</{name}[^>]*>", re.IGNORECASE).search(html, at)
    return len(html) if end is None else end.end()


def _show(page: _Page, name: str, attributes: str, numbers: list[int], *, closes: bool) -> None:
    if name == "br":
        page.end_line(even_if_empty=True)
    elif name in ("td", "th") and not closes:
        if not page.begins:
            page.add(" ")
    elif name in ("ul", "ol"):
        page.end_line()
        if closes:
            if numbers:
                numbers.pop()
        elif len(numbers) < 100:
            numbers.append(1 if name == "ol" else 0)
    elif name == "li" and not closes:
        page.end_line()
        mark = "* "
        if numbers and numbers[-1]:
            mark, numbers[-1] = f"{numbers[-1]}. ", numbers[-1] + 1
        page.add_mark("  " * max(len(numbers) - 1, 0) + mark)
    elif name == "img" and (alt := _ALT.search(attributes, 0, 2000)):
        page.add(unescape(alt[1] or alt[2] or ""))
    elif name in _PARAGRAPHS:
        page.paragraph()
        if name == "pre":
            page.preformatted = max(0, page.preformatted + (-1 if closes else 1))
    elif name in _LINES:
        page.end_line()


def _tidy(text: str) -> str:
    """Remove trailing spaces, and all but one of consecutive empty lines."""
    lines = [line.rstrip() for line in text.replace("\xa0", " ").split("\n")]
    kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
    return "\n".join(kept).strip("\n") + "\n" if any(kept) else ""
