"""Check the subject line of a commit message: `python tools/commit_subject.py FILE`.

The hook `commit-msg` of pre-commit calls it. It cannot check that the subject is imperative.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LONGEST = 71
"""Maximum number of characters in a subject."""
_AREA = re.compile(r"[\w./-]+(\([^()]*\))?!?: ")
_MADE_BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")


def problems(message: str) -> list[str]:
    """List what is wrong with the subject of a commit message; [] if nothing is."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = next((line.rstrip() for line in lines if line.strip()), "")
    if subject.startswith(_MADE_BY_GIT):
        return []
    found = []
    if not subject:
        found.append("the commit message has no subject")
    if len(subject) > LONGEST:
        found.append(f"the subject has {len(subject)} characters: at most {LONGEST} are allowed")
    if subject.endswith("."):
        found.append("the subject ends in a full stop")
    if _AREA.match(subject):
        found.append('the subject begins with an area, such as "tests:": say what the commit does')
    elif subject and not subject[0].isupper():
        found.append("the subject does not begin with a capital letter")
    return found


def main(argv: list[str]) -> int:
    """Check the message in a file, and return the exit status: 1 if its subject is wrong."""
    found = problems(Path(argv[0]).read_text("utf-8"))
    for problem in found:
        print(f"commit message: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
