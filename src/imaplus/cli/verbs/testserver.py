"""`imaplus testserver`: run the embedded server for the tests of other programs."""

from __future__ import annotations

import argparse
import functools
import operator
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imaplus.cli.embedded import embedded_server
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.interrupt import until_signal
from imaplus.cli.options import port
from imaplus.cli.output import Console
from imaplus.cli.secrets import DEFAULT_VARIABLE

if TYPE_CHECKING:
    from imaplus.testing import Fault, Server

FIELDS = ("host", "port", "security", "user", "password", "ca_file", "personality", "pid")
DESCRIPTION = f"""\
Run an IMAP server with a sample mailbox, in memory, until Ctrl-C or SIGTERM. Once it listens it
prints one line of JSON with {", ".join(FIELDS)}.
It protects nothing and keeps nothing: it is for tests only.

The password is taken from {DEFAULT_VARIABLE}; without that a fixed one is used, and printed.

  imaplus testserver --personality gmail
  imaplus testserver --tls --port 9933 --port-file port.txt
  imaplus testserver --hang-up-at INBOX:3 --cut-after 200000 --substitute Sent:1=courier"""
TEXTS = ("microsoft365", "courier", "nil", "empty")
"""What the server may send in place of a message."""


class At(NamedTuple):
    """A message, and the text to send instead of it."""

    mailbox: str
    uid: int
    text: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `testserver`."""
    options = (
        ("--host", "NAME", str, "127.0.0.1", "where to listen (%(default)s)"),
        ("--port", "N", port, 0, "which port (default: a free one)"),
        ("--user", "NAME", str, "ada", "who may log in (%(default)s)"),
        ("--port-file", "FILE", Path, None, "write the port there, once it listens"),
    )
    for name, metavar, kind, default, text in options:
        parser.add_argument(name, metavar=metavar, type=kind, default=default, help=text)
    parser.add_argument(
        "--personality",
        metavar="NAME",
        default="rev1",
        help="which server to be (%(default)s); a NAME that does not exist lists them",
    )
    tls = parser.add_mutually_exclusive_group()
    tls.add_argument("--tls", action="store_true", help="TLS at once; trust the printed ca_file")
    tls.add_argument("--starttls", action="store_true", help="insist on STARTTLS")
    parser.add_argument("--empty", action="store_true", help="only an INBOX, with no message in it")
    _add_faults(parser.add_argument_group("what goes wrong, on every connection"))


def _add_faults(group: argparse._ArgumentGroup) -> None:
    for name, text in (
        ("--cut-after", "the connection is cut after N bytes sent"),
        ("--short-search", "SEARCH tells the first N results only"),
        ("--short-fetch", "FETCH answers for the first N messages only"),
        ("--message-limit", "announce MESSAGELIMIT=N and keep to it"),
        ("--most-connections", "refuse logins while N are logged in"),
        ("--most-logins", "refuse all logins after the first N"),
    ):
        group.add_argument(name, metavar="N", type=_count, help=text)
    group.add_argument(
        "--hang-up",
        metavar="HOW",
        choices=("bye", "close", "stall", "no"),
        default="bye",
        help="how to: bye, close, stall, or no, which refuses the command (%(default)s)",
    )
    texts = ", ".join(TEXTS)
    for name, metavar, kind, text in (
        ("--hang-up-at", "MAILBOX:UID", _message, "when the body of this message is fetched"),
        ("--substitute", "MAILBOX:UID=TEXT", _substitute, f"send this instead of it: {texts}"),
        ("--hide", "MAILBOX", str, "LIST leaves it out; '*' for all"),
        ("--quirk", "NAME", str.lower, "a habit of some server; a NAME that is none lists them"),
    ):
        group.add_argument(
            name,
            metavar=metavar,
            type=kind,
            action="append",
            default=[],
            help=f"{text}; can be repeated",
        )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("expected a number")
    return int(text)


def _message(text: str) -> At:
    mailbox, _, uid = text.rpartition(":")
    if not mailbox or not uid.isdecimal():
        raise argparse.ArgumentTypeError("expected MAILBOX:UID")
    return At(mailbox, int(uid))


def _substitute(text: str) -> At:
    message, _, name = text.rpartition("=")
    if name not in TEXTS:
        raise argparse.ArgumentTypeError(f"expected MAILBOX:UID= and one of {', '.join(TEXTS)}")
    return _message(message)._replace(text=name)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the server until a signal arrives.

    Raises: Stop, exit code 2, for an unknown personality or quirk, or TLS without `trustme`.
    """
    chosen = os.environ.get(DEFAULT_VARIABLE)
    security = "tls" if args.tls else "starttls" if args.starttls else "plain"
    options = {"password": chosen} if chosen else {}
    fault = _fault(args)
    with until_signal() as stopped, ExitStack() as stack:
        try:
            server = embedded_server(
                sample=not args.empty,
                personality=args.personality,
                security=security,
                user=args.user,
                host=args.host,
                port=args.port,
                **options,
            )
            running = stack.enter_context(server)
        except ImportError as error:
            hint = "pip install 'imaplus[testing]'"
            raise Stop(Exit.USAGE, f"TLS needs {error.name or 'trustme'}", hint=hint) from error
        running.fail_always(fault)
        console.record(description(running, hide_password=bool(chosen)))
        if args.port_file is not None:
            _write_at_once(args.port_file, f"{running.port}\n")
        stopped.wait()
    return Exit.OK


def _fault(args: argparse.Namespace) -> Fault:
    """Return the faults that the arguments request. Raises: Stop."""
    from imaplus.testing import Fault

    faults = [_substitution_for(each) for each in args.substitute]
    faults += [Fault.at_message(at.mailbox, at.uid, args.hang_up) for at in args.hang_up_at]
    if args.hide:
        faults.append(Fault.hide_mailboxes(*(() if "*" in args.hide else args.hide)))
    if args.most_logins is not None:
        faults.append(Fault.too_many_connections().after(args.most_logins))
    for number, make in (
        (args.cut_after, Fault.cut_after_sent),
        (args.short_search, Fault.short_search),
        (args.short_fetch, Fault.short_fetch),
        (args.message_limit, Fault.message_limit),
        (args.most_connections, Fault.too_many_connections),
    ):
        if number is not None:
            faults.append(make(number))
    return functools.reduce(operator.or_, faults, _quirks(args.quirk))


def _substitution_for(at: At) -> Fault:
    from imaplus.testing import COURIER, MICROSOFT_365, Fault

    if at.text in ("nil", "empty"):
        return Fault.no_body(at.mailbox, at.uid, "NIL" if at.text == "nil" else "empty")
    text = COURIER if at.text == "courier" else MICROSOFT_365
    return Fault.substitute(at.mailbox, at.uid, text)


def _quirks(names: list[str]) -> Fault:
    from imaplus.testing import Fault, Quirk

    known = {quirk.name.lower().replace("_", "-"): quirk for quirk in Quirk}
    for name in names:
        if name not in known:
            there_are = ", ".join(sorted(known))
            raise Stop(Exit.USAGE, f"unknown quirk {name!r}; the quirks are {there_are}")
    return Fault.quirk(*(known[name] for name in names))


def description(server: Server, *, hide_password: bool) -> dict[str, object]:
    """Return what a client needs to connect; the names are those of FIELDS."""
    values = (
        server.host,
        server.port,
        server.security,
        server.user,
        None if hide_password else server.password,
        None if server.security == "plain" else str(server.ca_file),
        server.personality.name,
        os.getpid(),
    )
    return dict(zip(FIELDS, values, strict=True))


def _write_at_once(path: Path, text: str) -> None:
    """Write a file atomically."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="ascii")
    new.replace(path)
