"""Write the table of the README that says which Python's own imaplib suite passed.

    tools/compatibility.py           run the suites, and write the table
    tools/compatibility.py --check   compare the table with what the suites come to here

The suites run as tests/imaplib/test_stdlib_suite.py runs them. A Python that is not on this machine
keeps the line that it has.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TESTS = ROOT / "tests" / "imaplib"
BEGIN = "<!-- imaplib-compatibility:begin -->"
END = "<!-- imaplib-compatibility:end -->"
HEAD = """\
| Python | passed | skipped | different on purpose |
|---|---|---|---|
"""
_LINE = re.compile(r"^\| (\d+\.\d+)\S* \|.*\n", re.M)


def load(name: str) -> ModuleType:
    """A module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(f"imaplib_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(kept: str, outcomes: dict[str, object], *, same: bool = False) -> str:
    """The block between the marks: a line for each suite that ran, or that is in `kept`.

    With `same`, the line of another patch release is kept too: its suite is another.
    """
    old = {found[1]: found[0] for found in _LINE.finditer(kept)}
    lines = []
    for version, outcome in outcomes.items():
        was, release = old.get(version, ""), getattr(outcome, "version", "")
        another = same and not was.startswith(f"| {release} |")
        lines.append(line(outcome) if release and not another else was)
    return f"{BEGIN}\n{HEAD}{''.join(lines)}{END}"


def line(outcome: object) -> str:
    """One suite: its Python, and how many tests did what."""
    version, failed = getattr(outcome, "version", ""), getattr(outcome, "failed", ())
    passed, skipped = getattr(outcome, "passed", ()), getattr(outcome, "skipped", ())
    names = sorted({name.partition(".")[2] for name, _ in failed})
    what = f"{len(failed)} (`{'`, `'.join(names)}`)" if names else "0"
    return f"| {version} | {len(passed)} | {len(skipped)} | {what} |\n"


def block(text: str) -> str:
    """What the README has between the marks, marks included."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def main(argv: list[str]) -> int:
    """Write or check. Exit status 1: the README says something else."""
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
