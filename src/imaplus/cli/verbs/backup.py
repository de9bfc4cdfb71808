"""`imaplus backup`: make or update a mirror of an account with `imaplus.mirror`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imaplus.cli.connecting import address_of, open_link, port_of
from imaplus.cli.errors import AGAIN, Exit
from imaplus.cli.meanwhile import load_meanwhile
from imaplus.cli.options import add_connection, add_mailboxes
from imaplus.cli.output import Console
from imaplus.cli.summary import tell_notices
from imaplus.cli.text import count, size

if TYPE_CHECKING:
    import argparse

    from imaplus.cli.address import Address
    from imaplus.mirror.description import Choice, Owner
    from imaplus.mirror.link import Link
    from imaplus.mirror.reports import BackupReport
    from imaplus.mirror.store import Store

DESCRIPTION = """\
Mirror the mail of an account into DIR: every message once, as the server holds it.

The first run fetches everything, later runs fetch what has changed since. A run that is stopped
loses nothing: the next one continues. A message that the server no longer has stays in the backup,
and is marked. Nothing on the server is changed.

A backup remembers which mailboxes were chosen; a run without --mailbox, --exclude and
--include-virtual updates the same ones. --mailbox adds to an earlier choice; --mailbox '*' chooses
all again. --exclude without --mailbox makes a new choice among all mailboxes.

  imaplus backup ada@example.org ~/mail
  imaplus backup --exclude @junk --exclude @trash ada@example.org ~/mail
  imaplus backup --password-command 'pass show mail' imaps://ada@mail.example.org/ ~/mail"""
FIELDS = (
    "directory",
    "dry_run",
    "interrupted",
    "mailboxes",
    "messages",
    "fetched",
    "octets",
    "spared",
    "replaced",
    "flags_changed",
    "vanished",
    "gone",
    "renamed",
    "returned",
    "reconnects",
    "failures",
    "notices",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `backup`."""
    parser.add_argument(
        "account", metavar="ACCOUNT[:PATTERN]", help="the account: an address, a URL, or demo:"
    )
    parser.add_argument(
        "directory",
        metavar="DIR",
        nargs="?",
        help="the folder of the backup, made if it does not exist; each holds one account "
        "(default: a folder here, named after the account)",
    )
    add_mailboxes(parser)
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="say what would be fetched, but fetch nothing"
    )
    parser.add_argument(
        "--no-sync",
        action="store_true",
        help="do not wait for the disk: faster, safe unless the power fails",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="read the whole backup first, fetch again what is damaged, compare every message",
    )
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="use DIR for this account, even if it was made from another account or server",
    )
    parser.add_argument(
        "--include-virtual",
        action="store_true",
        help="also mailboxes that only show mail of other mailboxes (\\All, \\Flagged)",
    )
    add_connection(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the backup; return 7 if messages or mailboxes failed, 130 after Ctrl-C."""
    address = address_of(args)
    directory = args.directory or folder_for(address.account)
    load_meanwhile(
        "imaplus.mirror.run",
        "imaplus.mirror.store",
        "imaplus.cli.interrupt",
        "imaplus.cli.patterns",
        "hashlib",
    )
    with (
        open_link(address, args, console) as link,
        open_store(directory, args) as store,
    ):
        report = mirror(
            link,
            store,
            console,
            choice_of(args, address.folder),
            owner=owner_of(address, args),
            adopt=args.adopt,
            dry_run=args.dry_run,
            repair=args.repair,
        )
    if console.is_text:
        tell(report, directory, console, dry_run=args.dry_run)
    else:
        console.document(as_json(report, directory, dry_run=args.dry_run))
    if report.interrupted:
        return Exit.INTERRUPTED
    return Exit.PARTIAL if report.failures else Exit.OK


@contextmanager
def open_store(directory: str, args: argparse.Namespace) -> Iterator[Store | None]:
    """Open the backup in this folder; None for a dry run without a backup."""
    from imaplus.mirror.errors import NotAStore
    from imaplus.mirror.store import Store

    where = os.path.expanduser(directory)  # noqa: PTH111 - see imaplus.mirror.files.Folder
    try:
        store = Store.open(
            where,
            create=not args.dry_run,
            readonly=args.dry_run,
            sync=not args.no_sync,
            use_helper=args.no_sync,
        )
    except NotAStore:
        from pathlib import Path

        from imaplus.mirror.root import FOREIGN

        found = {path.name for path in Path(where).iterdir()} if Path(where).exists() else set()
        if not args.dry_run or found - FOREIGN:
            raise
        yield None
        return
    with store:
        yield store


def choice_of(args: argparse.Namespace, folder: str | None) -> Choice | None:
    """Return the choice of mailboxes in the arguments; None if there is none."""
    from imaplus.mirror.description import Choice

    only = (*args.mailbox, *([folder] if folder else []))
    if not (only or args.exclude or args.include_virtual):
        return None
    return Choice(only, tuple(args.exclude), args.include_virtual)


def owner_of(address: Address, args: argparse.Namespace) -> Owner:
    """Return the owner to record in the store."""
    from imaplus.mirror.description import Owner

    if address.host is None:
        return Owner("demo")
    return Owner(address.user, address.host.lower(), port_of(address, args))


def mirror(
    link: Link,
    store: Store | None,
    console: Console,
    choice: Choice | None,
    *,
    owner: Owner | None = None,
    adopt: bool = False,
    dry_run: bool = False,
    repair: bool = False,
) -> BackupReport:
    """Mirror the chosen mailboxes to `store`, with a progress bar."""
    from imaplus.cli.interrupt import Interrupt
    from imaplus.mirror.run import backup

    with Interrupt().listen() as interrupt, console.progress() as bar:
        report = backup(
            link,
            store,
            choice=choice,
            owner=owner,
            adopt=adopt,
            progress=bar,
            should_stop=interrupt,
            dry_run=dry_run,
            repair=repair,
        )
    if report.interrupted:
        link.close()  # LOGOUT would wait for the pending responses
    return report


def folder_for(account: str) -> str:
    """Return a file name for `account`, with unsafe characters percent-encoded."""
    from urllib.parse import quote  # slow to import, rarely needed

    name = quote(account, safe="@+")
    return name if not name.startswith(".") else f"%2E{name[1:]}"


def tell(report: BackupReport, directory: str, console: Console, *, dry_run: bool) -> None:
    """Show the summary as text."""
    tell_notices(report.notices, console)
    for failure in report.failures:
        uid = "" if failure.uid is None else f", UID {failure.uid}"
        console.warn(f"{failure.mailbox}{uid}: {failure.problem}")
    would = "would be " if dry_run else ""
    done = [f"{count(report.fetched, 'new message')} ({size(report.octets)}) {would}fetched"]
    if report.spared:
        done.append(f"{report.spared:,} {would}already in the backup")
    if report.replaced:
        done.append(f"{report.replaced:,} replaced (older copies kept)")
    if report.flags_changed:
        done.append(f"flags {would}changed on {report.flags_changed:,}")
    if report.vanished:
        done.append(f"{report.vanished:,} gone from the server (kept here)")
    if report.gone:
        done.append(f"{count(len(report.gone), 'mailbox', 'mailboxes')} gone (kept here)")
    if report.renamed:
        done.append(f"{count(len(report.renamed), 'mailbox', 'mailboxes')} renamed")
    if report.returned:
        done.append(f"{count(len(report.returned), 'mailbox', 'mailboxes')} back")
    if report.reconnects:
        done.append(f"reconnected {count(report.reconnects, 'time')}")
    if report.failures:
        done.append(f"{count(len(report.failures), 'failure')}, listed above")
    holds = (
        f"{count(report.messages, 'message')} in {count(report.mailboxes, 'mailbox', 'mailboxes')}"
    )
    console.note(f"{directory}: {', '.join(done)}; {holds}")
    if report.interrupted:
        console.note("Interrupted." if dry_run else f"Interrupted. {AGAIN}")


def as_json(report: BackupReport, directory: str, *, dry_run: bool) -> dict[str, object]:
    """Return the summary for JSON; the names are those of FIELDS."""
    failures = [
        {"mailbox": failure.mailbox, "uid": failure.uid, "problem": failure.problem}
        for failure in report.failures
    ]
    return {
        "directory": directory,
        "dry_run": dry_run,
        "interrupted": report.interrupted,
        "mailboxes": report.mailboxes,
        "messages": report.messages,
        "fetched": report.fetched,
        "octets": report.octets,
        "spared": report.spared,
        "replaced": report.replaced,
        "flags_changed": report.flags_changed,
        "vanished": report.vanished,
        "gone": list(report.gone),
        "renamed": [{"old": old, "new": new} for old, new in report.renamed],
        "returned": list(report.returned),
        "reconnects": report.reconnects,
        "failures": failures,
        "notices": [
            {"mailbox": each.mailbox, "text": each.text, "warning": each.warning}
            for each in report.notices
        ],
    }
