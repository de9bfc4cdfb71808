"""Make the sync client from the async one: client/_async*.py -> client/_sync*.py.

    python tools/gen_sync.py            write the files
    python tools/gen_sync.py --check    compare them whole; exit status 1 if they differ

It takes the async words out, token by token, and nothing else: what must differ between the two
stands in client/streams.py and client/async_streams.py.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from pathlib import Path

CLIENT = Path(__file__).parent.parent / "src" / "imaplus" / "client"
NOTICE = "# Generated from {source} by tools/gen_sync.py: edit that file instead.\n"

WORDS = {
    "AsyncIterator": "Iterator",
    "async_streams": "streams",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "asyncio": "threading",
    "Tasks": "Threads",
    "tasks": "threads",
}
_NAME = re.compile(r"\b(?:_?[Aa]sync\w*|__a\w+__|Tasks|tasks)\b")
_STATEMENT = re.compile(r"\basync (?=with\b|for\b)|\bawait ")


def rename(match: re.Match[str]) -> str:
    """One word without its async part: AsyncClient -> Client, _async_runner -> _sync_runner."""
    word = match[0]
    if word in WORDS:
        return WORDS[word]
    return word.removeprefix("Async") if word.startswith("Async") else word.replace("async", "sync")


def translate(source: str) -> str:
    """The sync text of an async module."""
    result: list[str] = []
    end = (1, 0)
    lines = source.splitlines(keepends=True)
    skip_space = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        between = _between(lines, end, token.start)
        end = token.end
        result.append("" if skip_space else between)
        skip_space = token.type == tokenize.NAME and token.string in ("async", "await")
        if skip_space:
            continue
        text = token.string
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            text = _STATEMENT.sub("", text)
        if token.type in (tokenize.NAME, tokenize.STRING, tokenize.COMMENT):
            text = _NAME.sub(rename, text)
        result.append(text)
    return "".join(result)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The white space between two tokens."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    parts = [lines[start[0] - 1][start[1] :]] if start[0] <= len(lines) else []
    parts += lines[start[0] : end[0] - 1]
    if end[0] <= len(lines):
        parts.append(lines[end[0] - 1][: end[1]])
    return "".join(parts)


def main(argv: list[str]) -> int:
    """Write or compare; the exit status."""
    status = 0
    for source in sorted(CLIENT.glob("_async*.py")):
        target = source.with_name(source.name.replace("_async", "_sync"))
        text = NOTICE.format(source=source.name) + format_code(translate(source.read_text()))
        if "--check" not in argv:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            print(f"{target.name} is not what {source.name} gives: run tools/gen_sync.py")
            status = 1
    return status


def format_code(text: str) -> str:
    """The text as the project's formatter leaves it: lines got shorter."""
    import subprocess

    ruff = [sys.executable, "-m", "ruff"]
    sort = [*ruff, "check", "--quiet", "--select", "I", "--fix", "--stdin-filename"]
    for command in ([*sort, str(CLIENT / "_sync.py"), "-"], [*ruff, "format", "-"]):
        text = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
