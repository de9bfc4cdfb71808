"""The lab's modules are a program's, not a package's: they stand beside `imap-lab`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "lab"))
