"""`imaplus ls`: list the mailboxes on a server or in a backup."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from imaplus import ListEntry
from imaplus.cli.address import is_address
from imaplus.cli.connecting import address_of, open_client
from imaplus.cli.errors import Exit
from imaplus.cli.options import add_connection
from imaplus.cli.output import Console
from imaplus.cli.patterns import Listed, choose, levels
from imaplus.cli.text import size
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus.mirror import MailboxInfo, Store

DESCRIPTION = """\
List mailboxes, one a line.

A PATTERN after the account narrows the list: * matches anything, % anything within one level of
the hierarchy; @inbox @sent @drafts @trash @junk @archive @all @flagged match the mailbox that the
server uses for that.

  imaplus ls ada@example.org
  imaplus ls --counts --sizes 'ada@example.org:Lists/*'
  imaplus ls --tree demo:
  imaplus ls --json=name,messages ~/mail
  imaplus ls --counts --gone ~/mail"""
FIELDS = ("name", "delimiter", "attributes", "messages", "unseen", "size", "gone")


@record
class Listing:
    """A mailbox of the output; values that were not requested or are unknown are None."""

    name: str
    delimiter: str | None
    attributes: frozenset[str]
    messages: int | None = None
    unseen: int | None = None
    size: int | None = None
    gone: datetime | None = None

    def as_json(self) -> dict[str, object]:
        """Return the members of one JSON object."""
        values: dict[str, object] = {name: getattr(self, name) for name in FIELDS}
        gone = None if self.gone is None else self.gone.isoformat()
        return values | {"attributes": sorted(self.attributes), "gone": gone}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ls`."""
    parser.add_argument(
        "account", metavar="ACCOUNT[:PATTERN]|DIR", help="an account, or the folder of a backup"
    )
    parser.add_argument(
        "--counts",
        action="store_true",
        help="show how many messages there are, and how many are unread",
    )
    parser.add_argument("--sizes", action="store_true", help="show how large the mailboxes are")
    parser.add_argument("--tree", action="store_true", help="show the hierarchy")
    parser.add_argument(
        "--gone",
        action="store_true",
        help="of a backup: also mailboxes that are gone from the server, and since when",
    )
    add_connection(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """List the mailboxes.

    Raises: NothingMatches, exit code 3, if the pattern matches no mailbox.
    """
    listings = _on_server(args, console) if is_address(args.account) else _in_store(args)
    # Parents before children, and INBOX before all.
    listings = sorted(listings, key=lambda it: (levels(it)[0].upper() != "INBOX", levels(it)))
    if console.is_text:
        for line in lines(listings, args):
            console.line(line)
    else:
        console.rows(listing.as_json() for listing in listings)
    return Exit.OK


def lines(listings: Sequence[Listing], args: argparse.Namespace) -> Iterator[str]:
    """Format the list as text: columns of numbers, then the name."""
    columns: list[list[str]] = []
    if args.counts:
        columns.append(_column("MESSAGES", (_number(it.messages) for it in listings)))
        columns.append(_column("UNSEEN", (_number(it.unseen) for it in listings)))
    if args.sizes:
        sizes = ("-" if it.size is None else size(it.size) for it in listings)
        columns.append(_column("SIZE", sizes))
    names = list(tree(listings)) if args.tree else [listing.name for listing in listings]
    if args.gone:
        columns.append(
            _column("GONE", (f"{it.gone:%Y-%m-%d}" if it.gone else "" for it in listings))
        )
    if columns:
        columns.append(["MAILBOX", *names])
        yield from map("  ".join, zip(*columns, strict=True))
    else:
        yield from names


def tree(listings: Iterable[Listed]) -> Iterator[str]:
    """Format the names as a tree: indented, without the part that the parent shows."""
    above: list[list[str]] = []  # the levels of the listed parents, outermost first
    for listing in listings:
        parts = levels(listing)
        while above and above[-1] != parts[: len(above[-1])]:
            above.pop()
        known = len(above[-1]) if above else 0
        yield "  " * len(above) + (listing.delimiter or "").join(parts[known:])
        above.append(parts)


def _on_server(args: argparse.Namespace, console: Console) -> list[Listing]:
    address = address_of(args)
    items = ["MESSAGES", "UNSEEN"] if args.counts else []
    items += ["SIZE"] if args.sizes else []
    with open_client(address, args, console) as client:
        entries = client.list("", "*", status=items)
        chosen = choose(entries, [address.folder] if address.folder else [])
    return [_from_entry(entry) for entry in chosen]


def _from_entry(entry: ListEntry) -> Listing:
    if (status := entry.status) is None:
        return Listing(entry.name, entry.delimiter, entry.attributes)
    numbers = (status.messages, status.unseen, status.size)
    return Listing(entry.name, entry.delimiter, entry.attributes, *numbers)


def _in_store(args: argparse.Namespace) -> list[Listing]:
    from imaplus.mirror import Store

    with Store.open(Path(args.account).expanduser(), readonly=True) as store:
        return [
            _from_store(store, mailbox, args)
            for mailbox in store.mailboxes()
            if mailbox.generations and (args.gone or mailbox.gone is None)
        ]


def _from_store(store: Store, mailbox: MailboxInfo, args: argparse.Namespace) -> Listing:
    messages = unseen = octets = None
    if mailbox.generations and (args.counts or args.sizes):
        entries = store.mailbox(mailbox.name, mailbox.generations[-1]).entries
        messages = len(entries)
        unseen = sum("\\Seen" not in entries.flags(uid) for uid in entries)
        octets = sum(entry.size for entry in entries.values())
    return Listing(
        mailbox.name,
        mailbox.delimiter,
        mailbox.attributes,
        messages,
        unseen,
        octets,
        mailbox.gone,
    )


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _column(title: str, cells: Iterable[str]) -> list[str]:
    texts = [title, *cells]
    width = max(map(len, texts))
    return [text.rjust(width) for text in texts]
