"""`imaplus demo`: a backup from start to finish, with an embedded server on this computer."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imaplus.cli.connecting import connect_embedded
from imaplus.cli.embedded import embedded_server
from imaplus.cli.errors import Exit
from imaplus.cli.output import Console
from imaplus.cli.text import count, size
from imaplus.cli.verbs.backup import mirror
from imaplus.cli.verbs.verify import tell, watch
from imaplus.mirror import BackupReport, Link, Owner, Store, verify

DESCRIPTION = """\
Start the embedded IMAP server with a sample mailbox, back it up, verify the backup; let a message
arrive, and back up again: only what is new is fetched. Nothing leaves this computer.

  imaplus demo
  imaplus demo ./demo-mail && imaplus ls --tree --counts ./demo-mail"""
FIELDS = ("directory", "first", "second", "clean")

ARRIVING = b"""\
From: Charles <charles@example.org>\r
To: Ada <ada@example.org>\r
Subject: One more\r
Date: Mon, 02 Nov 2026 09:30:00 +0000\r
Message-ID: <one-more@example.org>\r
\r
This message arrived between the two backups.\r
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="keep the backup there (default: a temporary folder, removed afterwards)",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the demo; return 10 if the backup differs from the server."""
    say = console.line if console.is_text else console.note
    with _folder(args.directory) as directory, embedded_server() as server:
        say(f"1. An IMAP server with a sample mailbox listens at {server.url}")
        with connect_embedded(server) as client, Store.open(directory, create=True) as store:
            link = Link.of(client)
            first = mirror(link, store, console, None, owner=Owner("demo"))
            say(f"2. First backup, into {directory}: {_describe(first)}")
            server.add_message("INBOX", ARRIVING)
            second = mirror(link, store, console, None, owner=Owner("demo"))
            say(f"3. A message arrives; second backup: {_describe(second)}")
            with watch(console) as (bar, interrupt):
                report = verify(store, link, progress=bar, should_stop=interrupt)
            found = "all as they should be" if report.clean else "NOT as they should be"
            say(f"4. Verified: every byte's hash; UIDs, sizes, dates, flags on the server: {found}")
    if not report.clean:
        tell(report, directory, console)
    if not console.is_text:
        results = (str(directory), _numbers(first), _numbers(second), report.clean)
        console.document(dict(zip(FIELDS, results, strict=True)))
    say("Your own mail: imaplus backup ada@example.org ~/mail")
    return Exit.OK if report.clean else Exit.MISMATCH


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted.expanduser()
        return
    with tempfile.TemporaryDirectory(prefix="imaplus-demo-") as folder:
        yield Path(folder)


def _describe(report: BackupReport) -> str:
    of = count(report.mailboxes, "mailbox", "mailboxes")
    return f"{count(report.fetched, 'message')} ({size(report.octets)}) fetched of {of}"


def _numbers(report: BackupReport) -> dict[str, int]:
    return {"fetched": report.fetched, "octets": report.octets, "messages": report.messages}
