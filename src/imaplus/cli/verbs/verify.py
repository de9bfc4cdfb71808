"""`imaplus verify`: is a backup whole, and does it have what the server has?

It knows how to show differences; `imaplus.mirror` finds them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from imaplus import Client
from imaplus.cli.connecting import address_of, connected
from imaplus.cli.errors import Exit
from imaplus.cli.interrupt import Interrupt
from imaplus.cli.options import add_connection, add_mailboxes
from imaplus.cli.output import Console
from imaplus.cli.patterns import choose, without_meaning
from imaplus.cli.text import count, size
from imaplus.mirror import Store, VerifyReport, list_mailboxes, verify

DESCRIPTION = """\
Read every message of the backup in DIR again and compare it with its SHA-256, and every journal
with the messages it names. With an ACCOUNT, compare with the server too: UIDs, sizes, flags; of
the mailboxes that the backup was told to leave out, leave out the same here.
Nothing is changed, here or there. Each difference is a line on standard output; if there is any,
the exit code is 10. `imaplus backup --repair` fetches damaged messages again.

  imaplus verify ~/mail
  imaplus verify --exclude @junk ~/mail ada@example.org"""
FIELDS = ("directory", "clean", "interrupted", "mailboxes", "messages", "octets", "problems")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what `verify` takes."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the folder of the backup")
    parser.add_argument(
        "account",
        metavar="ACCOUNT[:PATTERN]",
        nargs="?",
        help="whose mail it is, to compare with the server",
    )
    add_mailboxes(parser)
    add_connection(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Do it; 10 if anything is not as it should be."""
    with Store.open(args.directory.expanduser(), readonly=True) as store:
        if args.account is None:
            report = check(store, None, console)
        else:
            address = address_of(args)
            wanted = [*args.mailbox, *([address.folder] if address.folder else [])]
            with connected(address, args, console) as client:
                report = check(store, client, console, wanted, args.exclude)
    if console.is_text:
        tell(report, args.directory, console)
    else:
        console.document(as_json(report, args.directory))
    if report.interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if report.clean else Exit.MISMATCH


def check(
    store: Store,
    client: Client | None,
    console: Console,
    wanted: Sequence[str] = (),
    unwanted: Sequence[str] = (),
) -> VerifyReport:
    """Compare everything, with a progress bar; of the server, the mailboxes that are meant."""
    mailboxes = None
    if client is not None:
        listed = list_mailboxes(client)
        mailboxes = choose(listed, wanted, unwanted)
        for text in without_meaning(listed, unwanted):
            console.warn(text)
    with Interrupt().listening() as interrupt, console.progress() as bar:
        return verify(store, client, mailboxes=mailboxes, progress=bar, should_stop=interrupt)


def tell(report: VerifyReport, directory: Path, console: Console) -> None:
    """What was found, for people: differences are data, the summary is not."""
    for problem in report.problems:
        where = "" if problem.mailbox is None else f"{problem.mailbox}: "
        uid = "" if problem.uid is None else f"UID {problem.uid}: "
        console.line(f"{where}{uid}{problem.problem}")
    found = "whole" if report.clean else count(len(report.problems), "difference")
    if report.interrupted:
        found = f"interrupted; so far {found}"
    holds = f"{count(report.messages, 'message')} ({size(report.octets)})"
    console.note(
        f"{directory}: {holds} in {count(report.mailboxes, 'mailbox', 'mailboxes')}: {found}"
    )


def as_json(report: VerifyReport, directory: Path) -> dict[str, object]:
    """What was found, for programs; the names are those of FIELDS."""
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
    }
