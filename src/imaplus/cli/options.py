"""The options that all verbs share, and options from the environment.

Secrets must not appear in the history of a shell, in `ps` or in error messages: no option takes
one, and no error repeats a value.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeVar

from imaplus.cli import secrets
from imaplus.cli.errors import Exit, Stop

N = TypeVar("N")

_NEGATIVE = re.compile(r"-(?:\d+|\d*\.\d+)")  # what argparse takes for a number
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})

ENVIRONMENT = """\
Every option can come from the environment: IMAPLUS_CA_FILE for --ca-file, and so on; what the
command line says goes first. A switch takes 1 or 0; an option that can be repeated takes one
value a line, and the command line adds to them."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Help with a fixed width and unformatted texts."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=96)


class Parser(argparse.ArgumentParser):
    """A parser that reads options from the environment, and raises Stop instead of exiting."""

    def __init__(self, *args: object, environ: Mapping[str, str] | None = None, **kwargs: object):
        kwargs = {"allow_abbrev": False, "formatter_class": Help, **kwargs}
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.environ: Mapping[str, str] = os.environ if environ is None else environ

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: N | None = None
    ) -> tuple[argparse.Namespace | N, list[str]]:
        """Parse `args`; the environment supplies options that are not given."""
        found = argparse.Namespace() if namespace is None else namespace
        for action in self._actions:
            self._from_environment(action, found)
        # "--json" alone must not swallow the word that follows: only "--json=FIELDS" takes one.
        words = list(args or ())
        end = words.index("--") if "--" in words else len(words)
        words[:end] = [
            f"{word}=" if word in ("--json", "--jsonl") else word for word in words[:end]
        ]
        return super().parse_known_args(words, found)

    def options_first(self, words: Sequence[str]) -> list[str]:
        """Return the options with their values, followed by the other words.

        argparse consumes as many positional arguments as possible at once, so that it would reject
        DIR in `ACCOUNT --exclude X DIR`. Unknown options count as options.
        """
        options: list[str] = []
        others: list[str] = []
        left = deque(words)
        while left:
            word = left.popleft()
            if word == "--":
                return [*options, "--", *others, *left]
            if not self._is_option(word):
                others.append(word)
                continue
            options.append(word)
            if not self._wants_value(word):
                continue
            if not left:  # the value is missing
                return [*options, "--", *others]
            if left[0] != "--" and not self._is_option(left[0]):
                options.append(left.popleft())
        return [*options, *others]

    def _is_option(self, word: str) -> bool:
        """Whether argparse treats a word as an option, known or unknown."""
        if word[:1] != "-" or word == "-":
            return False
        known = {name for action in self._actions for name in action.option_strings}
        return word.partition("=")[0] in known or not (" " in word or _NEGATIVE.fullmatch(word))

    def _wants_value(self, word: str) -> bool:
        """Whether the next word belongs to this option: `--port`, `-o`, and `-no` for `-n -o`."""
        actions = {name: action for action in self._actions for name in action.option_strings}
        if word.startswith("--"):
            return word in actions and actions[word].nargs is None
        for place, letter in enumerate(word[1:], 2):
            action = actions.get(f"-{letter}")
            if action is None or action.nargs != 0:  # what follows a letter is its value
                return action is not None and action.nargs is None and place == len(word)
        return False

    def error(self, message: str) -> NoReturn:
        """Raise Stop, exit code 2."""
        # argparse would quote the text after "--password-stdin=".
        message = re.sub(
            r"ignored explicit argument .*", "takes no value", message, flags=re.DOTALL
        )
        raise Stop(Exit.USAGE, message, hint=f"See `{self.prog} --help`.")

    def _from_environment(self, action: argparse.Action, namespace: object) -> None:
        long = next((name for name in action.option_strings if name.startswith("--")), None)
        if long is None or action.default == argparse.SUPPRESS:
            return
        variable = "IMAPLUS_" + long[2:].upper().replace("-", "_")
        text = self.environ.get(variable)
        if text is None:
            return
        if isinstance(action, secrets.SourceAction):
            if getattr(namespace, "secret", None) is not None:
                self.error(f"{variable}: the environment names a second source of the secret")
            if action.nargs != 0 or self._parse_switch(variable, text):
                namespace.secret = action.with_place(text if action.nargs != 0 else "")  # type: ignore[attr-defined]
        elif action.nargs == 0:
            setattr(namespace, action.dest, self._parse_switch(variable, text))
        elif isinstance(action.default, list):
            setattr(namespace, action.dest, [line for line in text.splitlines() if line])
        elif text and not (action.nargs == "?" and text.lower() in FALSE):
            setattr(namespace, action.dest, self._value(variable, action, text))

    def _parse_switch(self, variable: str, text: str) -> bool:
        if text.lower() not in TRUE | FALSE:
            self.error(f"{variable} must be 1 or 0")
        return text.lower() in TRUE

    def _value(self, variable: str, action: argparse.Action, text: str) -> object:
        try:
            value: object = action.type(text) if callable(action.type) else text
        except (argparse.ArgumentTypeError, ValueError) as error:
            self.error(f"{variable}: {error}")
        if action.choices is not None and value not in action.choices:
            self.error(f"{variable} must be one of {', '.join(map(str, action.choices))}")
        return value


def refuse_secrets(args: Sequence[str]) -> None:
    """Reject options that would take a password, and name the alternatives.

    Raises: Stop, exit code 2.
    """
    for word in args:
        name = word.partition("=")[0]
        if word == "--":
            return
        if name in ("--password", "--pass", "--passwd", "--token"):
            raise Stop(
                Exit.USAGE,
                f"there is no option {name}: every process of this machine would see the secret",
                hint="imaplus asks for the password, or takes it from IMAPLUS_PASSWORD, "
                "--password-command, --password-file or --password-stdin.",
            )


def describe_unknown(words: Sequence[str]) -> str:
    """The error message for unknown arguments, without values, which may be secrets."""
    words = [word for word in words if word != "--"]
    options = [word for word in words if word.startswith("-")]
    others = len(words) - len(options)
    names = [word.partition("=")[0] if word.startswith("--") else word[:2] for word in options]
    parts = [f"unknown option {name}" for name in names]
    if others:
        parts.append(f"{others} argument{'s' * (others > 1)} too many")
    return ", ".join(parts)


def add_common(parser: argparse.ArgumentParser, *, repeated: bool) -> None:
    """Add the output options. `repeated`: after the verb, where they have no defaults."""
    group = parser.add_argument_group("output")

    def add(*names: str, default: object, **kwargs: object) -> None:
        default = argparse.SUPPRESS if repeated else default
        group.add_argument(*names, default=default, **kwargs)  # type: ignore[arg-type]

    form = {"nargs": "?", "metavar": "=FIELDS", "type": fields}
    add("--json", default=None, help="one JSON document; --json=FIELDS picks from it", **form)
    add("--jsonl", default=None, help="one JSON object a line", **form)
    add("-q", "--quiet", default=False, action="store_true", help="no progress, no summary")
    add("--debug", default=False, action="store_true", help="show where an error came from")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options for the connection and the login."""
    group = parser.add_argument_group("connection")
    options = (
        ("--host", "NAME", str, "the server (default for ada@example.org: imap.example.org)"),
        ("--port", "N", port, "the port (default: 993 with tls, 143 otherwise)"),
        ("--ca-file", "FILE", str, "trust the authorities in this file (PEM), and no others"),
        ("--timeout", "SECONDS", seconds, "give up when the server sends nothing for this long"),
        ("--trace", "FILE", str, "write the dialogue with the server to FILE, without secrets"),
    )
    group.add_argument(
        "--proxy",
        metavar="URL",
        action=ProxyAction,
        help="connect through socks5://HOST:PORT or http://HOST:PORT (default: ALL_PROXY, if set, "
        "unless NO_PROXY names the server)",
    )
    for name, metavar, kind, text in options:
        group.add_argument(name, metavar=metavar, type=kind, help=text)
    group.add_argument(
        "--security",
        choices=("tls", "starttls", "plain"),
        help="tls from the start (the default), starttls (the default for imap://), or "
        "plain (no encryption)",
    )
    who = parser.add_argument_group(
        "login", "Without any of these, IMAPLUS_PASSWORD is used, or you are asked."
    )
    who.add_argument("--user", metavar="NAME", help="the user name, if it is not the whole address")
    who.add_argument(
        "--mechanism",
        metavar="NAME",
        action="append",
        default=[],
        help="log in by this SASL mechanism (PLAIN, SCRAM-SHA-256, ...); repeat it for more than "
        "one, in order of preference",
    )
    secrets.add_arguments(who)


class ProxyAction(argparse.Action):
    """Stores the URL of a proxy; one with a password must come from the environment."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if ":" in str(values).partition("://")[2].rpartition("@")[0]:
            raise Stop(
                Exit.USAGE,
                "--proxy with a password: every process of this machine would see it",
                hint="Put the URL into the environment, as IMAPLUS_PROXY or ALL_PROXY.",
            )
        setattr(namespace, self.dest, values)


def add_mailboxes(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose mailboxes."""
    texts = (
        ("--mailbox", "only mailboxes that match (INBOX, 'Lists/*', @sent); can be repeated"),
        ("--exclude", "no mailboxes that match; can be repeated"),
    )
    for name, text in texts:
        parser.add_argument(name, metavar="PATTERN", action="append", default=[], help=text)


def fields(text: str) -> tuple[str, ...]:
    """Parse the value of `--json[=FIELDS]`; no fields means all."""
    if text.lower() in TRUE | FALSE:
        return ()
    return tuple(name.strip() for name in text.split(","))


def port(text: str) -> int:
    """Parse the value of `--port`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 65536):
        raise argparse.ArgumentTypeError("a port must be a number up to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Parse the value of `--timeout`."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("a timeout must be a positive number of seconds")
    return value
