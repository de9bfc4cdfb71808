"""`imaplus testserver`: the embedded server by itself, for the tests of other programs.

It knows how to tell another process where the server is, and how to be stopped.
"""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from imaplus.cli.embedded import embedded_server
from imaplus.cli.errors import Exit, Stop
from imaplus.cli.interrupt import until_signal
from imaplus.cli.options import port
from imaplus.cli.output import Console
from imaplus.cli.secrets import DEFAULT_VARIABLE

if TYPE_CHECKING:
    from imaplus.testing import Server

FIELDS = ("host", "port", "security", "user", "password", "ca_file", "personality", "pid")
DESCRIPTION = f"""\
Run an IMAP server with a sample mailbox, in memory, until Ctrl-C or SIGTERM. Once it listens it
prints one line of JSON with {", ".join(FIELDS)}.
It protects nothing and keeps nothing: it is for tests only.

The password is taken from {DEFAULT_VARIABLE}; without that a fixed one is used, and printed.

  imaplus testserver --personality gmail
  imaplus testserver --tls --port 9933 --port-file port.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what `testserver` takes."""
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


def run(args: argparse.Namespace, console: Console) -> int:
    """Do it, until a signal comes.

    Raises: Stop, exit code 2, for a personality that does not exist, or TLS without `trustme`.
    """
    chosen = os.environ.get(DEFAULT_VARIABLE)
    security = "tls" if args.tls else "starttls" if args.starttls else "plain"
    options = {"password": chosen} if chosen else {}
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
        console.record(description(running, hide_password=bool(chosen)))
        if args.port_file is not None:
            _write_at_once(args.port_file, f"{running.port}\n")
        stopped.wait()
    return Exit.OK


def description(server: Server, *, hide_password: bool) -> dict[str, object]:
    """What a client needs to know; the names are those of FIELDS."""
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
    """Write a file that nobody ever sees half-written."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="ascii")
    new.replace(path)
