"""Write the table in the README of the Pythons whose own imaplib test suites passed.

    tools/compatibility.py           run the suites, and write the table
    tools/compatibility.py --check   compare the table with the results of the suites here

The suites run as in tests/imaplib/test_stdlib_suite.py. The line of a Python that is not on this
machine stays unchanged. `tools/pythons.sh run .pythons python3.14 tools/compatibility.py` writes
the lines of the Pythons in the chroot.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TESTS = ROOT / "tests" / "imaplib"
BEGIN = "<!-- imaplib-compatibility:begin -->"
END = "<!-- imaplib-compatibility:end -->"
HEAD = """\
| Python | tested on | passed | skipped | different on purpose |
|---|---|---|---|---|
"""
_LINE = re.compile(r"^\| (?P<key>\d+\.\d+|PyPy)(?P<rest>[^|]*) \| (?P<on>[-\d]+) \|.*\n", re.M)


def load(name: str) -> ModuleType:
    """Load a module of the tests, which are not a package."""
    spec = importlib.util.spec_from_file_location(f"imaplib_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(kept: str, outcomes: dict[str, object], *, same: bool = False) -> str:
    """Return the block between the marks: a line for each suite that ran or is in `kept`.

    With `same`, the line of another patch release is kept too, whose suite is another, and so is
    the date of a line that is true.
    """
    old = {found["key"]: found for found in _LINE.finditer(kept)}
    lines = []
    for version, outcome in outcomes.items():
        was, release = old.get(version), getattr(outcome, "version", "")
        another = same and (was is None or not _is_of(was, release))
        if release and not another:
            on = was["on"] if same and was is not None else date.today().isoformat()
            lines.append(line(outcome, on))
        elif was is not None:
            lines.append(was[0])
    return f"{BEGIN}\n{HEAD}{''.join(lines)}{END}"


def _is_of(was: re.Match[str], release: str) -> bool:
    """Return whether a line is about this release."""
    return was["key"] + was["rest"] == release


def line(outcome: object, on: str) -> str:
    """Format the line of one suite: its Python, the date, and the numbers of tests."""
    version, failed = getattr(outcome, "version", ""), getattr(outcome, "failed", ())
    passed, skipped = getattr(outcome, "passed", ()), getattr(outcome, "skipped", ())
    names = sorted({name.partition(".")[2] for name, _ in failed})
    what = f"{len(failed)} (`{'`, `'.join(names)}`)" if names else "0"
    return f"| {version} | {on} | {len(passed)} | {len(skipped)} | {what} |\n"


def block(text: str) -> str:
    """Return the block in the README, including the marks."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def main(argv: list[str]) -> int:
    """Write or check the table; return 1 if the README differs."""
    interpreters = load("interpreters")
    outcomes = {version: interpreters.run_suite(version) for version in interpreters.VERSIONS}
    text = README.read_text()
    was = block(text)
    now = table(was, outcomes, same=argv == ["--check"])
    if argv == ["--check"]:
        if was != now:
            print(f"{README.name} should have:\n{now}")
        return int(was != now)
    README.write_text(text.replace(was, now))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
