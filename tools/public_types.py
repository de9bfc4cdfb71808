"""Check with `pyright --verifytypes` that every public name has a known type.

It prints only the names whose types are unknown or ambiguous, and where they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run pyright; return the exit status."""
    scripts = str(Path(sys.executable).parent)  # pyright finds imaplus by the first Python in PATH
    done = subprocess.run(
        ["pyright", "--verifytypes", "imaplus", "--ignoreexternal", "--outputjson"],
        cwd=ROOT,
        env={**os.environ, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout).get("typeCompleteness", {})
    score: float = found.get("completenessScore", 0.0)
    for symbol in found.get("symbols", ()):
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]:
            print_errors(symbol)
    print(f"types of public names known: {score:.2%}")
    return 0 if score == 1.0 and found.get("symbols") else 1


def print_errors(symbol: dict[str, Any]) -> None:
    """Print what is wrong with one name, a line for each reason."""
    for each in symbol["diagnostics"]:
        if each["severity"] == "error" and "range" in each:  # others are consequences of these
            line = each["range"]["start"]["line"] + 1
            print(f"{each['file']}:{line}: {symbol['name']}: {each['message'].splitlines()[0]}")


if __name__ == "__main__":
    sys.exit(main())
