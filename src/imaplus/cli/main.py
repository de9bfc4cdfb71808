"""`imaplus VERB ...`: parse the arguments, run the verb, map its errors to an exit code."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast

from imaplus import __version__
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.options import ENVIRONMENT, Parser, add_common, describe_unknown, refuse_secrets
from imaplus.cli.output import Console, Form, OutputClosed, discard

N = TypeVar("N")

DESCRIPTION = """\
Mail over IMAP: back it up, check the backup, look at mailboxes, find messages.

An ACCOUNT is an address (ada@example.org, whose server is taken to be imap.example.org), a URL
(imaps://ada@imap.example.org/), or demo: (an embedded server with a sample mailbox).
To name a mailbox, add it after a colon, or after the slash of a URL: ada@example.org:Lists/python,
imaps://ada@imap.example.org/Lists/python, demo:@sent."""

EXIT_CODES = """\
exit codes:
    0  done
    1  error on this computer (disk full, damaged backup), or unexpected
    2  wrong arguments or options
    3  not found: no such backup, mailbox or file
    4  login failed, or no password
    5  temporary: network, server busy, backup in use; try again later
    6  refused by the server, or no secure connection (TLS)
    7  done, but some messages or mailboxes failed
    9  nothing matched (search --fail-empty)
   10  verify found differences
  130  interrupted; a backup keeps what it has fetched"""

EXAMPLE = "first steps:\n  imaplus demo\n  imaplus backup ada@example.org ~/mail"


VERBS = {
    "backup": "make or update a backup of an account",
    "verify": "check a backup, and compare it with the server",
    "ls": "list the mailboxes of an account or of a backup",
    "search": "find messages in an account or in a backup",
    "demo": "see a backup, start to finish, against an embedded server",
    "testserver": "run the embedded server, for the tests of any program",
}


NEED_POSIX = {"backup", "verify", "demo"}
"""Verbs with a store on disk, which needs POSIX functions for files."""


class Verb(Protocol):
    """The interface of a module of `cli.verbs`. `FIELDS` are the names for `--json=FIELDS`."""

    @property
    def DESCRIPTION(self) -> str: ...  # noqa: N802
    @property
    def FIELDS(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def __name__(self) -> str: ...

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the verb to the parser."""

    def run(self, args: argparse.Namespace, console: Console) -> int:
        """Run the verb; return the exit code."""
        ...


class VerbParser(Parser):
    """The parser of one verb; it imports the verb's module when the verb is used."""

    def __init__(self, *, verb: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._verb = verb

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: N | None = None
    ) -> tuple[argparse.Namespace | N, list[str]]:
        """Parse what follows the verb; options may stand between its arguments."""
        if self._verb in NEED_POSIX and not hasattr(os, "O_NOFOLLOW"):
            raise Stop(
                Exit.USAGE,
                f"imaplus {self._verb} works on POSIX systems only: Linux, macOS, a BSD",
                hint="On Windows, run it under WSL. `imaplus ls` and `testserver` work here.",
            )
        verb = cast(Verb, import_module(f"imaplus.cli.verbs.{self._verb}"))
        self.description: str | None = verb.DESCRIPTION
        self.epilog: str | None = ENVIRONMENT
        verb.add_arguments(self)
        add_common(self, repeated=True)
        self.set_defaults(verb=verb)
        return super().parse_known_args(self.options_first(args or ()), namespace)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (None: `sys.argv[1:]`); return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # write characters that the encoding lacks as escapes
            reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else argv
    alone = argv is None  # the process ends with this function
    console = Console(sys.stdout, sys.stderr)
    args: argparse.Namespace | None = None
    try:
        # Exclude imported modules from garbage collection: scanning them takes a tenth of the time
        # of a backup without new messages.
        if alone:
            gc.disable()
        args = parse(words, os.environ)
        if alone:
            _freeze()
            gc.enable()
        console = console_for(args)
        return args.verb.run(args, console)  # type: ignore[no-any-return]
    except SystemExit as finished:  # --help and --version have printed what they had to
        return finished.code if isinstance(finished.code, int) else Exit.OK
    except OutputClosed:
        discard(sys.stdout)
        return Exit.OK
    except (Exception, KeyboardInterrupt) as error:
        from imaplus.cli.explain import explain  # only needed for errors

        if args is None and any(word.split("=")[0] in ("--json", "--jsonl") for word in words):
            console = Console(sys.stdout, sys.stderr, form=Form.JSON)
        # After a dry run there is nothing that another run could continue.
        for_good = args is not None and not vars(args).get("dry_run")
        failure = explain(error, verb=name_of(args.verb) if args and for_good else "")
        if args is not None and args.debug:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
        console.failure(failure)
        return failure.exit
    finally:
        if alone:
            _freeze()


def _freeze() -> None:
    """Exempt the existing objects from garbage collection, where Python can: PyPy cannot."""
    if sys.implementation.name == "cpython":
        gc.freeze()


def parse(words: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Parse the arguments of a run; the attribute `verb` is the module to run.

    Raises: Stop, exit code 2.
    """
    refuse_secrets(words)
    parser = make_parser(environ)
    args, rest = parser.parse_known_args(words)
    if rest:
        parser.error(describe_unknown(rest))
    if args.verb is None:
        parser.print_help(sys.stderr)
        raise Stop(Exit.USAGE, "no verb given", hint="For example: imaplus demo")
    wrong = [name for name in (args.json or args.jsonl or ()) if name not in args.verb.FIELDS]
    if wrong:
        hint = f"The fields are: {', '.join(args.verb.FIELDS)}."
        raise Stop(Exit.USAGE, f"{name_of(args.verb)} has no field {wrong[0]!r}", hint=hint)
    return args


def name_of(verb: Verb) -> str:
    """Return the name of a verb on the command line."""
    return verb.__name__.rpartition(".")[2]


def make_parser(environ: Mapping[str, str]) -> Parser:
    """Return the parser of the whole command; `environ` supplies options that are not given."""
    parser = Parser(
        prog="imaplus",
        description=DESCRIPTION,
        epilog=f"{EXAMPLE}\n\n{EXIT_CODES}",
        environ=environ,
    )
    parser.add_argument("--version", action="version", version=f"imaplus {__version__}")
    add_common(parser, repeated=False)
    parser.set_defaults(verb=None)
    # Without `prog` argparse would format a usage message to get it.
    verbs = parser.add_subparsers(
        title="verbs", metavar="VERB", prog=parser.prog, parser_class=VerbParser
    )
    for name, text in VERBS.items():
        verbs.add_parser(name, help=text, verb=name, environ=environ)
    return parser


def console_for(args: argparse.Namespace) -> Console:
    """Return the console for these arguments."""
    form = Form.TEXT
    if args.json is not None:
        form = Form.JSON
    elif args.jsonl is not None:
        form = Form.JSONL
    fields = args.json or args.jsonl or ()
    return Console(sys.stdout, sys.stderr, form=form, fields=fields, quiet=args.quiet)
