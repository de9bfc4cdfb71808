#!/usr/bin/env python3
"""Make mailboxes of realistic mail, the same for the same seed (see mail/__init__.py).

    mailgen.py show I                          one message on stdout
    mailgen.py maildir DIR -n 100000           write into a Maildir (cur/ with sizes and flags
        [--folder Big] [--jobs 2]              in the names), ready for Dovecot
    mailgen.py append -n 1000 --port 14320 --user alice --mailbox Big
                                               into any IMAP server, by APPEND
    mailgen.py stats -n 1000                   what comes out

100,000 messages are 6.8 GB, and 0.74 GB with --attachments 0.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from mail import ATTACHMENTS, EPOCH, LIMIT, SPACING, ancestors, flags, message

_STEP = 2_000  # messages that one process of many writes at a time
_BATCH = 50  # messages of one MULTIAPPEND


def write_maildir(
    first: int, *, directory: Path, seed: str, end: int, attachments: float, limit: int
) -> int:
    """Write messages from number `first` into a Maildir's cur; return their size on disk."""
    total = 0
    for i in range(first, min(first + _STEP, end)):
        data = message(seed, i, attachments=attachments, limit=limit)
        stored = data.replace(b"\r\n", b"\n")  # a Maildir keeps LF ...
        when = EPOCH + i * SPACING
        with_crlf = len(stored) + stored.count(b"\n")  # ... and W counts CRLF
        size = f"S={len(stored)},W={with_crlf}"
        path = directory / "cur" / f"{when}.M{i:06d}P1.mailgen,{size}:2,{flags(seed, i)}"
        path.write_bytes(stored)
        path.chmod(0o600)
        os.utime(path, (when, when))  # INTERNALDATE
        total += len(stored)
    return total


def fill_maildir(args: argparse.Namespace) -> int:
    """Fill a Maildir or one of its folders, keeping its owner; return the size in bytes."""
    top = directory = args.directory.absolute()
    owner = next(path for path in (top, *top.parents) if path.is_dir()).stat()
    if args.folder:
        directory = top / f".{args.folder}"
    for name in ("cur", "new", "tmp"):
        (directory / name).mkdir(0o700, parents=True, exist_ok=True)
    if args.folder:
        (directory / "maildirfolder").touch()
    end = args.start + args.number
    job = partial(
        write_maildir,
        directory=directory,
        seed=args.seed,
        end=end,
        attachments=args.attachments,
        limit=args.max_attachment,
    )
    with ProcessPoolExecutor(args.jobs) as pool:
        total = sum(pool.map(job, range(args.start, end, _STEP)))
    if os.geteuid() == 0:
        for path in (top, directory, *directory.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    return total


class Appender:
    """A connection that APPENDs, with LITERAL+ and MULTIAPPEND (RFC 3502) if offered."""

    def __init__(self, host: str, port: int, user: str, password: str):
        self._socket = socket.create_connection((host, port), 120)
        # Nagle's algorithm would delay each message by 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self._tags = 0
        self._capabilities: set[bytes] = set()
        self.command(f"LOGIN {user} {password}")
        self.command("CAPABILITY")
        self._plus = b"+" if b"LITERAL+" in self._capabilities else b""
        self.batch = _BATCH if self._plus and b"MULTIAPPEND" in self._capabilities else 1

    def command(self, text: str) -> None:
        """Send one command and wait for its result; only print a refusal."""
        self._answer(self._begin(text))

    def append(self, mailbox: str, messages: Iterator[tuple[str, int, bytes]]) -> int:
        """APPEND messages, each (flags, Unix time, message); return their size in bytes."""
        tag = self._begin(f"APPEND {mailbox}", end=b"")
        total = 0
        for flags_, when, data in messages:
            date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(when)).encode()
            head = b' (%s) "%s" {%d%s}\r\n' % (flags_.encode(), date, len(data), self._plus)
            self._socket.sendall(head)
            if not self._plus:
                self._answer(tag)
            self._socket.sendall(data)
            total += len(data)
        self._socket.sendall(b"\r\n")
        self._answer(tag)
        return total

    def close(self) -> None:
        """Log out."""
        self.command("LOGOUT")
        self._file.close()
        self._socket.close()

    def _begin(self, text: str, end: bytes = b"\r\n") -> bytes:
        self._tags += 1
        tag = b"m%d" % self._tags
        self._socket.sendall(tag + b" " + text.encode() + end)
        return tag

    def _answer(self, tag: bytes) -> None:
        while line := self._file.readline():
            if line.startswith(b"+"):
                return
            if line.startswith(tag + b" "):
                if not line.upper().startswith(tag.upper() + b" OK"):
                    print(line.decode(errors="replace").strip(), file=sys.stderr)
                return
            if line.upper().startswith(b"* CAPABILITY"):
                self._capabilities.update(line.upper().split())
        sys.exit("connection closed")


def fill_by_append(args: argparse.Namespace) -> int:
    """Create a mailbox unless it exists, and fill it; return the size in bytes."""
    appender = Appender(args.host, args.port, args.user, args.password)
    if args.mailbox.upper() != "INBOX":
        appender.command(f"CREATE {args.mailbox}")
    end, total = args.start + args.number, 0

    def batch(first: int) -> Iterator[tuple[str, int, bytes]]:
        for i in range(first, min(first + appender.batch, end)):
            data = message(args.seed, i, attachments=args.attachments, limit=args.max_attachment)
            yield "\\Seen" if "S" in flags(args.seed, i) else "", EPOCH + i * SPACING, data

    for first in range(args.start, end, appender.batch):
        total += appender.append(args.mailbox, batch(first))
    appender.close()
    return total


def print_statistics(args: argparse.Namespace) -> int:
    """Print statistics of the generated mail; return the size in bytes."""
    numbers = range(args.start, args.start + args.number)
    options = {"attachments": args.attachments, "limit": args.max_attachment}
    sizes = sorted(len(message(args.seed, i, **options)) for i in numbers)
    longest = max(len(ancestors(args.seed, i)) for i in numbers)
    large = sum(size > 50_000 for size in sizes)
    print(
        f"median {sizes[len(sizes) // 2]}, largest {sizes[-1]}, over 50 KB: {large}, "
        f"longest References: {longest}"
    )
    return sum(sizes)


def arguments() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = commands.add_parser("show")
    show.add_argument("index", type=int)
    maildir = commands.add_parser("maildir")
    maildir.add_argument("directory", type=Path)
    maildir.add_argument("--folder", help="a Maildir++ folder below, like Archive.2020")
    maildir.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    maildir.set_defaults(action=fill_maildir)
    append = commands.add_parser("append")
    append.add_argument("--host", default="127.0.0.1")
    append.add_argument("--port", type=int, required=True)
    append.add_argument("--user", default="alice")
    append.add_argument("--password", default="secret")
    append.add_argument("--mailbox", default="INBOX")
    append.set_defaults(action=fill_by_append)
    stats = commands.add_parser("stats")
    stats.set_defaults(action=print_statistics)
    for command in (show, maildir, append, stats):
        command.add_argument("--seed", default="1")
        command.add_argument("--attachments", type=float, default=ATTACHMENTS, metavar="PERCENT")
        command.add_argument("--max-attachment", type=int, default=LIMIT, metavar="OCTETS")
    for command in (maildir, append, stats):
        command.add_argument("-n", "--number", type=int, required=True)
        command.add_argument("--start", type=int, default=0, help="number of the first message")
    return parser


def main() -> None:
    """Run one command."""
    args = arguments().parse_args()
    if args.command == "show":
        options = {"attachments": args.attachments, "limit": args.max_attachment}
        sys.stdout.buffer.write(message(args.seed, args.index, **options))
        return
    began = time.monotonic()
    total = args.action(args)
    spent = time.monotonic() - began
    rate = f"{total / 1e6:.1f} MB, {spent:.1f} s, {args.number / spent:.0f} messages/s"
    print(f"{args.number} messages, {rate}", file=sys.stderr)


if __name__ == "__main__":
    main()
