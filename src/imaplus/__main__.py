"""`python -m imaplus` is the command `imaplus`."""

from __future__ import annotations

import sys

from imaplus.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
