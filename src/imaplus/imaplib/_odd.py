"""Lines that are no responses by the grammar, and what the servers that send them mean.

Each is one marked line, with the number of the habit in the corpus of the tests. Loaded by whoever
reads responses, and asked only about what did not parse.
"""

from __future__ import annotations

from typing import Final

from imaplus.wire.patterns import lazy_pattern

_SPACES: Final = lazy_pattern(rb"\*[ \t]*([0-9]++)?[ \t]*([A-Za-z-].*)")


def read_oddly(line: bytes) -> bytes | None:
    """The untagged response that a line stands for, or None if it stands for none."""
    if line[:1] == b"[":
        return b"* OK " + line  # quirk 23: Office 365 forgets "* OK"
    if line[:3] == b"* [":
        return b"* OK " + line[2:]
    if line.startswith(b"Server Unavailable"):
        return b"* BYE " + line  # quirk 20: Exchange's last words
    if found := _SPACES.fullmatch(line):  # quirk 22: two spaces, or none
        number = b"" if found[1] is None else found[1] + b" "
        return b"* " + number + found[2].lstrip()
    return None
