"""Read a password or token: from a file, a command, a variable, standard input, or a prompt.

The secret appears in no argument, no error and no output.
"""

from __future__ import annotations

import argparse
import enum
import os
import stat
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from imaplus.cli.errors import Exit, Stop
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus.credentials import Secret

# Bytes: passwords have dozens, tokens a few thousand; more is the wrong file or command.
LONGEST = 64 * 1024
DEFAULT_VARIABLE = "IMAPLUS_PASSWORD"


class Kind(enum.Enum):
    """The kind of a secret, which decides how to log in."""

    PASSWORD = "password"
    TOKEN = "token"


@record
class Source:
    """Where one secret comes from. `place` is a path, a command or a variable; "" for none."""

    kind: Kind
    means: str
    place: str = ""

    def read(self, environ: Mapping[str, str], stdin: BinaryIO) -> Secret:
        """Read the secret, without the line end.

        Raises: Stop, exit code 4 (it is empty), 2 (other users may read the file).
        """
        match self.means:
            case "stdin":
                octets = stdin.readline(LONGEST + 1)
            case "file":
                octets = _from_file(self.place)
            case "command":
                octets = _from_command(self.place)
            case _:
                octets = os.fsencode(environ.get(self.place, ""))
        return _secret(octets, f"the {self.kind.value} from {self._where()}")

    def _where(self) -> str:
        place = {
            "stdin": "standard input",
            "file": f"the file {self.place}",
            "command": "the command",  # its arguments may be confidential
            "env": f"the variable {self.place}",
        }
        return place[self.means]


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """Add the options for the source of the secret; at most one may be given."""
    for kind in Kind:
        name = kind.value
        options = (
            ("stdin", None, "read the {0} from the first line of standard input"),
            ("command", "CMD", "run CMD (no shell) and take the first line it prints as the {0}"),
            ("file", "FILE", "take the first line of FILE, which only you may read (mode 0600)"),
            ("env", "VAR", "take the {0} from the environment variable VAR"),
        )
        for means, metavar, text in options:
            default = (
                f" (default: {DEFAULT_VARIABLE})" if (name, means) == ("password", "env") else ""
            )
            parser.add_argument(
                f"--{name}-{means}",
                action=SourceAction,
                nargs=0 if metavar is None else None,
                const=Source(kind, means),
                metavar=metavar,
                help=text.format(name) + default,
                dest="secret",
            )


class SourceAction(argparse.Action):
    """Stores a `Source`; a second one is an error."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        source = self.with_place(values if isinstance(values, str) else "")
        if getattr(namespace, "secret_option", None) is not None:
            parser.error(f"{option_string}: {namespace.secret_option} is given already")
        namespace.secret_option = option_string
        namespace.secret = source

    def with_place(self, place: str) -> Source:
        """Return the source of this option, with `place`."""
        source = self.const
        assert isinstance(source, Source)
        return Source(source.kind, source.means, place)


def find_secret(
    source: Source | None,
    *,
    what: str,
    environ: Mapping[str, str],
    stdin: BinaryIO,
    prompt: Callable[[str], str] | None,
) -> tuple[Kind, Secret]:
    """Read the secret from `source`; without one, from IMAPLUS_PASSWORD, else from `prompt`.

    `what` is the account, for the prompt. `prompt` is None without a terminal.

    Raises: Stop, exit code 4, if there is no secret.
    """
    if source is None and environ.get(DEFAULT_VARIABLE):
        source = Source(Kind.PASSWORD, "env", DEFAULT_VARIABLE)
    if source is not None:
        return source.kind, source.read(environ, stdin)
    if prompt is None:
        raise Stop(
            Exit.AUTHENTICATION,
            f"no password for {what}, and no terminal to ask for it",
            hint=f"Set {DEFAULT_VARIABLE}, or use --password-command, --password-file "
            "or --password-stdin.",
        )
    return Kind.PASSWORD, _secret(os.fsencode(prompt(f"Password for {what}: ")), "the password")


def terminal_prompt() -> Callable[[str], str] | None:
    """Return a function that asks for a password without echo; None without a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        import getpass

        try:
            return getpass.getpass(question, stream=sys.stderr)
        except EOFError:
            raise Stop(Exit.AUTHENTICATION, "no password was entered") from None

    return ask


def _from_file(place: str) -> bytes:
    # Check the mode of the opened file, not of the path.
    with open(os.path.expanduser(place), "rb") as file:  # noqa: PTH111, PTH123
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) & 0o077:
            from shlex import quote

            raise Stop(
                Exit.USAGE,
                f"{place} may be read by others (mode {stat.S_IMODE(mode):04o})",
                hint=f"chmod 600 {quote(place)}",
            )
        return file.readline(LONGEST + 1)


def _from_command(command: str) -> bytes:
    import subprocess
    from shlex import split

    try:
        argv = split(command)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"the command for the secret: {error}") from None
    if not argv:
        raise Stop(Exit.USAGE, "the command for the secret is empty")
    try:
        # The command inherits stdin and stderr: a key agent may ask for a passphrase.
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            line = process.stdout.readline(LONGEST + 1)
            while process.stdout.read(LONGEST):  # discard the rest, so that it can finish
                pass
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Stop(
            Exit.AUTHENTICATION, f"cannot run {argv[0]!r}, which should print the secret: {why}"
        ) from None
    if process.returncode:
        how = f"exit code {process.returncode}"
        raise Stop(
            Exit.AUTHENTICATION, f"{argv[0]!r}, which should print the secret, failed: {how}"
        )
    return line


def _secret(octets: bytes, what: str) -> Secret:
    line = octets.split(b"\n", 1)[0].removesuffix(b"\r")
    if len(line) > LONGEST:
        raise Stop(Exit.USAGE, f"{what} is longer than {LONGEST} bytes")
    if not line:
        raise Stop(Exit.AUTHENTICATION, f"{what} is empty")
    text = line.decode(errors="replace")
    if text.encode() != line:  # a UnicodeDecodeError would contain the secret
        raise Stop(Exit.USAGE, f"{what} is not UTF-8")
    from imaplus.credentials import Secret  # not needed only to read the arguments

    return Secret(text)
