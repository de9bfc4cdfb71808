"""Serve one session on standard input and output: `python -m imaplus.testing`.

The account has the sample messages.
With `--login` the client must log in; `--personality NAME` chooses the server to imitate; `--empty`
omits the sample messages.
"""

from __future__ import annotations

import argparse
import asyncio

from imaplus.testing.personality import PERSONALITIES
from imaplus.testing.sample import sample_mailbox
from imaplus.testing.server import AsyncServer
from imaplus.testing.stdio import serve_stdio


def main() -> None:
    """Serve one session."""
    parser = argparse.ArgumentParser(prog="python -m imaplus.testing", description=__doc__)
    parser.add_argument("--login", action="store_true", help="greet with OK instead of PREAUTH")
    parser.add_argument("--empty", action="store_true", help="an empty INBOX, and nothing else")
    parser.add_argument("--personality", default="rev1", choices=sorted(PERSONALITIES))
    options = parser.parse_args()
    server = AsyncServer(personality=options.personality)
    if not options.empty:
        sample_mailbox(server)
    asyncio.run(serve_stdio(server, preauth=not options.login))


if __name__ == "__main__":
    main()
