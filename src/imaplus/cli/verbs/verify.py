"""`imaplus verify`: check a backup, and compare it with the server by `imaplus.mirror`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imaplus.cli.connecting import address_of, open_link
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.interrupt import Interrupt
from imaplus.cli.options import add_connection, add_mailboxes
from imaplus.cli.output import Console
from imaplus.cli.summary import tell_notices
from imaplus.cli.text import count, size
from imaplus.cli.verbs.backup import owner_of
from imaplus.mirror import (
    BackupReport,
    Choice,
    Progress,
    Store,
    VerifyReport,
    verify,
    verify_and_repair,
)

DESCRIPTION = """\
Read every message of the backup in DIR again and compare it with its SHA-256, and every journal
with the messages it names. With an ACCOUNT, compare with the server too: UIDs, sizes, dates, flags,
labels, of the mailboxes that were chosen for the backup. --sample and --deep fetch messages
again and compare every byte.
Nothing on the server is changed, and nothing in the backup unless --repair is given. Each
difference is a line on standard output; if there is any, the exit code is 10.

  imaplus verify ~/mail
  imaplus verify --sample 100 ~/mail ada@example.org
  imaplus verify --repair ~/mail ada@example.org"""
FIELDS = (
    "directory",
    "clean",
    "interrupted",
    "mailboxes",
    "messages",
    "octets",
    "problems",
    "notices",
    "unfinished",
    "repaired",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `verify`."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the folder of the backup")
    parser.add_argument(
        "account",
        metavar="ACCOUNT[:PATTERN]",
        nargs="?",
        help="the account of the backup: compare with the server, too",
    )
    add_mailboxes(parser)
    parser.add_argument(
        "--sample",
        metavar="N",
        type=number,
        default=0,
        help="fetch N messages, chosen at random, and compare every byte",
    )
    parser.add_argument(
        "--deep", action="store_true", help="fetch all messages, and compare every byte"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="repair what differs with a backup run, then verify again; needs ACCOUNT",
    )
    add_connection(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Verify the backup; return 10 if there are differences or damage."""
    if args.account is None and (args.repair or args.deep or args.sample):
        option = "--repair" if args.repair else "--deep" if args.deep else "--sample"
        hint = "Name the account after the folder: imaplus verify DIR ACCOUNT."
        raise Stop(Exit.USAGE, f"{option} needs an account", hint=hint)
    with Store.open(args.directory.expanduser(), readonly=not args.repair) as store:
        if args.account is None:
            with watch(console) as (bar, interrupt):
                report = verify(store, progress=bar, should_stop=interrupt)
            done: tuple[BackupReport, ...] = ()
        else:
            report, done = with_account(args, store, console)
    if console.is_text:
        tell(report, args.directory, console, against=against(args))
    else:
        console.document(as_json(report, args.directory, repaired=bool(done)))
    if report.interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if report.clean else Exit.MISMATCH


def with_account(
    args: argparse.Namespace, store: Store, console: Console
) -> tuple[VerifyReport, tuple[BackupReport, ...]]:
    """Compare the chosen mailboxes with the server; with --repair, repair the backup."""
    address = address_of(args)
    only = (*args.mailbox, *([address.folder] if address.folder else []))
    choice = Choice(only, tuple(args.exclude)) if only or args.exclude else None
    owner = owner_of(address, args)
    options: dict[str, Any] = {"choice": choice, "owner": owner}
    options |= {"sample": args.sample, "deep": args.deep}
    with (
        open_link(address, args, console) as link,
        watch(console) as (bar, interrupt),
    ):
        options |= {"progress": bar, "should_stop": interrupt}
        if not args.repair:
            return verify(store, link, **options), ()
        before, done, after = verify_and_repair(store, link, **options)
    if done:
        console.note(f"{count(len(before.problems), 'difference')} found; repair:")
    for each in done:
        tell_repair(each, console)
    return after, done


@contextmanager
def watch(console: Console) -> Iterator[tuple[Progress | None, Interrupt]]:
    """Show a progress bar and handle Ctrl-C while the block runs."""
    with Interrupt().listen() as interrupt, console.progress() as bar:
        yield bar, interrupt


def number(text: str) -> int:
    """Parse the value of `--sample`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError("a sample must be a number of messages")
    return int(text)


def tell_repair(done: BackupReport, console: Console) -> None:
    """Show what the repair did, and its failures."""
    tell_notices(done.notices, console)
    for failure in done.failures:
        uid = "" if failure.uid is None else f", UID {failure.uid}"
        console.warn(f"{failure.mailbox}{uid}: {failure.problem}")
    console.note(f"{count(done.fetched, 'message')} fetched again ({size(done.octets)})")


def against(args: argparse.Namespace) -> str:
    """The part of the summary that says what was compared."""
    if args.account is None:
        return ""
    what = "every byte" if args.deep else f"{args.sample:,} messages" if args.sample else ""
    return f", no differences from the server{what and f' ({what} compared)'}"


def tell(report: VerifyReport, directory: Path, console: Console, *, against: str = "") -> None:
    """Show the result as text: differences on standard output, the summary on standard error."""
    tell_notices(report.notices, console)
    for problem in report.problems:
        where = "" if problem.mailbox is None else f"{problem.mailbox}: "
        uid = "" if problem.uid is None else f"UID {problem.uid}: "
        console.line(f"{where}{uid}{problem.problem}")
    found = f"intact{against}" if report.clean else count(len(report.problems), "difference")
    if report.unfinished:
        found += f"; unfinished: {', '.join(report.unfinished)} (run the backup again)"
    if report.interrupted:
        found = f"interrupted; so far {found}"
    holds = f"{count(report.messages, 'message')} ({size(report.octets)})"
    console.note(
        f"{directory}: {holds} in {count(report.mailboxes, 'mailbox', 'mailboxes')}: {found}"
    )


def as_json(report: VerifyReport, directory: Path, *, repaired: bool) -> dict[str, object]:
    """Return the result for JSON; the names are those of FIELDS."""
    problems = [
        {"mailbox": problem.mailbox, "uid": problem.uid, "problem": problem.problem}
        for problem in report.problems
    ]
    return {
        "directory": str(directory),
        "clean": report.clean,
        "interrupted": report.interrupted,
        "mailboxes": report.mailboxes,
        "messages": report.messages,
        "octets": report.octets,
        "problems": problems,
        "notices": [
            {"mailbox": each.mailbox, "text": each.text, "warning": each.warning}
            for each in report.notices
        ],
        "unfinished": list(report.unfinished),
        "repaired": repaired,
    }
