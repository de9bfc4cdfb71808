"""`imaplus search`: find messages on a server or in a backup.

Both use the query language of `imaplus.query`, and produce the same lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from imaplus.cli.address import is_address
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.options import add_connection, add_mailboxes
from imaplus.cli.output import Console
from imaplus.query import QueryError, parse
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus import Client, Fetched, ListEntry
    from imaplus.cli.bar import LineBar
    from imaplus.mirror.index import Index
    from imaplus.mirror.patterns import M
    from imaplus.query import Node

DESCRIPTION = """\
Find messages, the latest first.

  imaplus search ada@example.org 'from:billing since:90d has:attachment'
  imaplus search ada@example.org:Archive 'subject:"annual report" -is:read'
  imaplus search --jsonl ~/mail 'is:gone (invoice OR receipt)'
  imaplus search --threads demo: report

A QUERY is words and OPERATOR:VALUE terms, all of which have to match; -term excludes, OR and
parentheses combine, quotes hold words together. A query that begins with - goes after --.

  text: subject: from: to: cc: bcc: body:    a text there; a word alone is searched for anywhere
  is:unread read flagged answered draft deleted gone    keyword:$Junk
  since: before: on:    when it arrived: 2026-01-31, 90d, 2w, 12h, today
  sent-since: sent-before: sent-on:    what its Date field says
  larger: smaller:    500k, 1M
  has:attachment   filename:*.pdf   header:NAME:TEXT   id:<MESSAGE-ID>   uid:1:50"""
FIELDS = (
    *("mailbox", "uidvalidity", "uid", "date", "sent", "from", "subject", "id", "size", "flags"),
    *("gone", "thread", "depth"),
)
_HEADER = ("From", "Subject", "Date", "Message-ID", "References", "In-Reply-To")
_WIDTH = 30  # characters of a sender


@record
class Found:
    """A message of the output. `thread` counts from 1; it is 0 without `--threads`."""

    mailbox: str
    uidvalidity: int
    uid: int
    date: datetime | None
    sent: datetime | None
    sender: str
    subject: str
    message_id: str
    size: int
    flags: frozenset[str]
    gone: bool = False
    thread: int = 0
    depth: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the members of one JSON object."""
        return {
            "mailbox": self.mailbox,
            "uidvalidity": self.uidvalidity,
            "uid": self.uid,
            "date": None if self.date is None else self.date.isoformat(),
            "sent": None if self.sent is None else self.sent.isoformat(),
            "from": self.sender,
            "subject": self.subject,
            "id": self.message_id or None,
            "size": self.size,
            "flags": sorted(self.flags),
            "gone": self.gone,
            "thread": self.thread or None,
            "depth": self.depth if self.thread else None,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `search`."""
    parser.add_argument(
        "account", metavar="ACCOUNT[:FOLDER]|DIR", help="an account, or the folder of a backup"
    )
    parser.add_argument("query", metavar="QUERY", nargs="?", help="what to search for")
    parser.add_argument(
        "--threads", action="store_true", help="group by thread (RFC 5256, REFERENCES)"
    )
    parser.add_argument("--limit", metavar="N", type=_limit, help="show at most N messages")
    parser.add_argument(
        "--fail-empty", action="store_true", help="exit with code 9 if nothing matches"
    )
    parser.add_argument(
        "--imap",
        metavar="KEYS",
        help="of an account: search keys as the protocol writes them, instead of QUERY",
    )
    add_mailboxes(parser)
    add_connection(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Find and show the messages.

    Raises: Stop, exit code 2, for an invalid query; NothingMatches, exit code 3, if a pattern
    matches no mailbox.
    """
    if (args.query is None) == (args.imap is None):
        raise Stop(Exit.USAGE, "give one QUERY, or --imap KEYS")
    try:
        node = None if args.query is None else parse(args.query)
        if is_address(args.account):
            found = _on_server(args, node, console)
        elif node is None:
            raise Stop(Exit.USAGE, "--imap is for an account: a backup has no server to ask")
        else:
            found = _in_store(args, node, console)
    except QueryError as error:
        raise _unreadable(str(args.query), error) from error
    if console.is_text:
        for line in lines(found):
            console.line(line)
    else:
        console.rows(it.as_json() for it in found)
    return Exit.NOTHING if args.fail_empty and not found else Exit.OK


def lines(found: Sequence[Found]) -> Iterator[str]:
    """Format the messages as text, with an empty line between two threads."""
    refs = [f"{it.mailbox}#{it.uid}" for it in found]
    width = max(map(len, refs), default=0)
    thread = 0
    for ref, it in zip(refs, found, strict=True):
        if it.thread > 1 and it.thread != thread:
            yield ""
        thread = it.thread
        date = f"{it.date:%Y-%m-%d}" if it.date else "-" * 10
        mark = "gone" if it.gone else "    "
        sender = it.sender if len(it.sender) <= _WIDTH else f"{it.sender[: _WIDTH - 1]}…"
        subject = "  " * it.depth + it.subject
        yield f"{date}  {ref:{width}}  {mark}  {sender:{_WIDTH}}  {subject}".rstrip()


def _unreadable(query: str, error: QueryError) -> Stop:
    shown = query if len(query) <= 200 else f"{query[:200]}…"
    before = query[: error.column - 1][-30:]
    after = query[error.column - 1 :][:30]
    hint = f"There: {before} >>>{after}" if len(query) > 40 else f"In: {shown}"
    return Stop(Exit.USAGE, f"invalid query: {error}", hint=hint)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError("a limit is a positive number")
    return int(text)


# -- a backup --------------------------------------------------------------------------------------


def _in_store(args: argparse.Namespace, node: Node, console: Console) -> list[Found]:
    import os

    from imaplus.mirror.index import Index
    from imaplus.mirror.store import Store

    folder = os.path.expanduser(args.account)  # noqa: PTH111 - pathlib takes long to load
    with (
        Store.open(folder, readonly=True) as store,
        console.progress() as bar,
        Index.open(store, progress=None if bar is None else _show_on(bar)) as index,
    ):
        names = None
        if args.mailbox or args.exclude:
            names = [mailbox.name for mailbox in _choose(store.mailboxes(), args)]
        hits = index.find(node, mailboxes=names, limit=None if args.threads else args.limit)
        found = [
            Found(
                *(hit.mailbox, hit.uidvalidity, hit.uid, hit.internaldate, hit.sent, hit.sender),
                *(hit.subject, hit.message_id, hit.size, hit.flags, hit.gone),
            )
            for hit in hits
        ]
        if not args.threads:
            return found
        bodies = [hit.sha256 for hit in hits]
        return _group_by_thread(found, (_in_body(index, body) for body in bodies), args.limit)


def _show_on(bar: LineBar) -> Callable[[int, int], None]:
    """Return a function that shows the progress of the index on a bar."""
    before = 0

    def tell(done: int, total: int) -> None:
        nonlocal before
        if not before:
            bar.plan(mailboxes=1, messages=total)
            bar.begin("index")
        bar.advance(done - before)
        before = done

    return tell


def _in_body(index: Index, sha256: str) -> dict[str, list[str]]:
    return index.header(sha256, "References", "In-Reply-To")


# -- a server --------------------------------------------------------------------------------------


def _on_server(args: argparse.Namespace, node: Node | None, console: Console) -> list[Found]:
    from imaplus.cli.connecting import address_of, open_client

    address = address_of(args)
    found: list[Found] = []
    headers: list[dict[str, list[str]]] = []
    with open_client(address, args, console) as client, console.progress():
        if address.folder is not None:
            args.mailbox = [address.folder, *args.mailbox]
        for entry in _choose(_list_mailboxes(client, every=bool(args.mailbox)), args):
            for it, header in _in_mailbox(client, entry.name, node, args.imap):
                found.append(it)
                headers.append(header)
    order = sorted(range(len(found)), key=lambda at: _latest_first(found[at]))
    found, headers = [found[at] for at in order], [headers[at] for at in order]
    if args.threads:
        return _group_by_thread(found, headers, args.limit)
    return found[: args.limit]


def _list_mailboxes(client: Client, *, every: bool) -> list[ListEntry]:
    """Return the mailboxes to choose from.

    Without `every`, those that only show mail of others are left out, so that a message is found
    once. Gmail's All Mail is kept: what is archived is in no other mailbox, and the counts do not
    tell, since a message with several labels counts several times.
    """
    from imaplus.mirror.enumeration import names_of_views

    entries = client.list("", "*", status=() if every else ("MESSAGES",))
    entries = [entry for entry in entries if _can_be_opened(entry)]
    if every or client.can("X-GM-EXT-1"):
        return entries
    views = names_of_views(entries)
    return [entry for entry in entries if entry.name not in views]


def _can_be_opened(entry: ListEntry) -> bool:
    return not {"\\noselect", "\\nonexistent"} & {it.lower() for it in entry.attributes}


def _in_mailbox(
    client: Client, name: str, node: Node | None, raw: str | None
) -> Iterator[tuple[Found, dict[str, list[str]]]]:
    from imaplus import BodySection
    from imaplus.query import find
    from imaplus.search import Raw

    mailbox = client.examine(name)
    if node is None:
        uids = mailbox.search(Raw(raw or "ALL"))
    else:
        uids = find(mailbox, node, can=client.can)
    if not uids:
        return
    header = BodySection("HEADER.FIELDS", _HEADER)
    for fetched in mailbox.fetch(uids, "FLAGS", "INTERNALDATE", "RFC822.SIZE", header):
        if fetched.uid:
            yield _to_found(name, mailbox.uidvalidity or 0, fetched, header.key)


def _to_found(
    name: str, uidvalidity: int, fetched: Fetched, key: str
) -> tuple[Found, dict[str, list[str]]]:
    from imaplus.mirror.index.headers import date, decode_fields, last

    raw = fetched.get(key, b"")
    header = decode_fields(raw or b"", _HEADER)
    it = Found(
        *(name, uidvalidity, fetched.uid or 0),
        fetched.get("INTERNALDATE"),
        date(last(header["date"]).encode()),
        *("\n".join(header["from"])[:200], last(header["subject"])[:500]),
        last(header["message-id"]),
        fetched.get("RFC822.SIZE", 0),
        frozenset(fetched.flags) - {"\\Recent"},
    )
    return it, header


def _latest_first(it: Found) -> tuple[float, str, int]:
    """The sort key for the order of an index's results."""
    return (-it.date.timestamp() if it.date else float("inf"), it.mailbox, -it.uid)


# -- both ------------------------------------------------------------------------------------------


def _choose(mailboxes: Iterable[M], args: argparse.Namespace) -> list[M]:
    """Return the mailboxes that match --mailbox and --exclude."""
    from imaplus.mirror.description import Choice
    from imaplus.mirror.errors import NothingMatches
    from imaplus.mirror.patterns import choose

    found = choose(mailboxes, Choice(tuple(args.mailbox), tuple(args.exclude)))
    if found.unmatched:
        raise NothingMatches(found.unmatched[0])
    return list(found.mailboxes)


def _group_by_thread(
    found: Sequence[Found], headers: Iterable[dict[str, list[str]]], limit: int | None
) -> list[Found]:
    """Group the messages by thread, the thread with the latest message first."""
    from imaplus.query import Threaded, threads
    from imaplus.records import replace

    messages = [
        Threaded(
            it.message_id,
            " ".join(header["references"]),
            " ".join(header["in-reply-to"]),
            it.subject,
            it.sent or it.date,
        )
        for it, header in zip(found, headers, strict=True)
    ]
    # The messages come with the latest first.
    grouped = sorted(threads(messages), key=lambda thread: min(place for place, _ in thread))
    shown = [
        replace(found[place], thread=number, depth=depth)
        for number, thread in enumerate(grouped, 1)
        for place, depth in thread
    ]
    return shown[:limit]
