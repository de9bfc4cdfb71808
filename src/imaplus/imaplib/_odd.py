"""Invalid response lines that known servers send, and the responses they stand for.

The comments give the number of each quirk in `tests/corpus`. Called only for lines that do not
parse.
"""

from __future__ import annotations

from typing import Final

from imaplus.wire.patterns import lazy_pattern

_SPACES: Final = lazy_pattern(rb"\*[ \t]*([0-9]++)?[ \t]*([A-Za-z-].*)")


def read_oddly(line: bytes) -> bytes | None:
    """Return the valid untagged response that a line stands for; None if it is not known."""
    if line[:1] == b"[":
        return b"* OK " + line  # quirk 23: Office 365 omits "* OK"
    if line[:3] == b"* [":
        return b"* OK " + line[2:]
    if line.startswith(b"Server Unavailable"):
        return b"* BYE " + line  # quirk 20: Exchange, before it closes the connection
    if found := _SPACES.fullmatch(line):  # quirk 22: two spaces, or none
        number = b"" if found[1] is None else found[1] + b" "
        return b"* " + number + found[2].lstrip()
    return None
