"""Generate the sync client and the methods of pipelines from the async client.

client/_async*.py -> client/_sync*.py, and client/_async_*_commands.py -> _pipelined_*_commands.py.

    python tools/gen_sync.py            write the files
    python tools/gen_sync.py --check    compare them; exit status 1 if they differ

It removes the async keywords and names, token by token. Code that must differ is in modules named
with and without "async_": `streams`, `turns`. The methods of pipelines return an Answer instead of
waiting, and have no parameter `timeout`.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

CLIENT = Path(__file__).parent.parent / "src" / "imaplus" / "client"
NOTICE = "# Generated from {source} by tools/gen_sync.py: edit that file instead.\n"

WORDS = {
    "AsyncIterator": "Iterator",
    "async_streams": "streams",
    "async_turns": "turns",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "asyncio": "threading",
    "Tasks": "Threads",
    "tasks": "threads",
}
_NAME = re.compile(r"\b(?:_?[Aa]sync\w*|__a\w+__|Tasks|tasks)\b")
_OPENING = re.compile(
    r"^(?: +@opening|from imaplus\.client\.async_opening import .*)\n", re.MULTILINE
)
"""The decorator for calls in `async with`; the sync client needs none."""
_SIGNATURE = re.compile(r"(async def \w+\((?:[^()]|\(\))*\) -> )(.*?):(?= \.\.\.|\n)")
_NO_TIMEOUT = (
    (re.compile(r",?\s*\*,\s*timeout: float \| None = None,?\s*(?=\))"), ""),
    (re.compile(r",\s*timeout: float \| None(?: = None)?"), ""),
    (re.compile(r",\s*timeout(?=,?\s*\))"), ""),
)
_STATEMENT = re.compile(r"\basync (?=with\b|for\b)|\bawait ")


def rename(match: re.Match[str]) -> str:
    """Translate one name: AsyncClient -> Client, _async_runner -> _sync_runner."""
    word = match[0]
    if word in WORDS:
        return WORDS[word]
    return word.removeprefix("Async") if word.startswith("Async") else word.replace("async", "sync")


def pipelined_name(match: re.Match[str]) -> str:
    """Translate one name for pipelines: AsyncMailboxCommands -> PipelinedMailboxCommands."""
    return match[0].replace("Async", "Pipelined").replace("_async_", "_pipelined_")


def pipelined(source: str) -> str:
    """Translate a module of commands into one whose methods return an Answer."""
    source = _SIGNATURE.sub(r"\1Answer[\2]:", source)
    for pattern, replacement in _NO_TIMEOUT:
        source = pattern.sub(replacement, source)
    future = "from __future__ import annotations\n"
    answers = "\nfrom imaplus.client.answers import Answer\n"
    return translate(source.replace(future, future + answers, 1), pipelined_name)


def translate(source: str, rename: Callable[[re.Match[str]], str] = rename) -> str:
    """Translate the text of an async module to sync."""
    source = _OPENING.sub("", source)
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
    """Return the whitespace between two tokens."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    parts = [lines[start[0] - 1][start[1] :]] if start[0] <= len(lines) else []
    parts += lines[start[0] : end[0] - 1]
    if end[0] <= len(lines):
        parts.append(lines[end[0] - 1][: end[1]])
    return "".join(parts)


def main(argv: list[str]) -> int:
    """Write or compare the files; return the exit status."""
    status = 0
    for source, kind, translated in generated():
        target = source.with_name(source.name.replace("_async", kind))
        text = NOTICE.format(source=source.name) + format_code(translated(source.read_text()))
        if "--check" not in argv:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            print(f"{target.name} is not what {source.name} gives: run tools/gen_sync.py")
            status = 1
    return status


def generated() -> Iterator[tuple[Path, str, Callable[[str], str]]]:
    """Yield each source, the replacement for "_async" in its name, and the translator."""
    for source in sorted(CLIENT.glob("_async*.py")):
        yield source, "_sync", translate
        if source.name.endswith("_commands.py"):
            yield source, "_pipelined", pipelined


def format_code(text: str) -> str:
    """Format code with ruff: translated lines are shorter."""
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
