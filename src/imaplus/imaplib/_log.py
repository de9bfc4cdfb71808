"""Debug output and the log of the dialogue (`debug`, `print_log`), with secrets blanked."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from imaplus.imaplib._public import public
from imaplus.logs import ConnectionLog
from imaplus.wire.blanking import Blanking

NO_SECRETS: Final = Blanking()
"""Shared by all sessions before their first login; always empty."""


class Log:
    """The part of an `IMAP4` that logs the dialogue to standard error."""

    debug: int = 0
    _cmd_log_len: int = 10
    _cmd_log_idx: int = 0
    _cmd_log: dict[int, tuple[str, float]]
    """A ring buffer of the latest lines and the time of each."""
    _secrets: Blanking = NO_SECRETS
    """The credentials sent so far; they are blanked wherever the server repeats them."""
    _journal: ConnectionLog | None = None
    """The logger for commands, if the program has enabled logging."""
    _confidential: bool = False
    """Whether AUTHENTICATE is in progress: challenges are not logged."""
    _encoding: str

    def _mesg(self, s: str, secs: float | None = None) -> None:
        """Write a line to standard error with its time."""
        if secs is None:
            secs = public.time.time()
        clock = public.time.strftime("%M:%S", public.time.localtime(secs))
        public.sys.stderr.write(f"  {clock}.{int(secs * 100) % 100:02d} {self._blank(s)}\n")
        public.sys.stderr.flush()

    def _log(self, line: str) -> None:
        """Store a line for `print_log`, which blanks secrets in it."""
        index = self._cmd_log_idx
        self._cmd_log[index] = (line, public.time.time())
        self._cmd_log_idx = index + 1 if index + 1 < self._cmd_log_len else 0

    def _log_or_show(self, line: str) -> None:
        """Write a line of the dialogue to standard error if `debug` is 4 or more; else store it."""
        if self.debug >= 4:
            self._mesg(line)
        else:
            self._log(line)

    def _server_text(self, data: bytes) -> str:
        """Decode a text of the server's for an error message, with secrets blanked."""
        return self._blank(data.decode("utf-8", "replace"))

    def _blank(self, text: str) -> str:
        data = text.encode(errors="surrogateescape")
        return self._secrets.blank(data).decode(errors="surrogateescape")

    def _keep_secret(self, *secrets: bytes) -> None:
        """Blank these secrets in all later output, as bytes and as `repr` writes them."""
        for each in secrets:
            self._secrets.keep(each)
            self._secrets.keep(repr(each)[2:-1].encode())

    def _dump_ur(self, untagged_resp_dict: Mapping[str, object]) -> None:
        """Write the stored untagged responses to standard error."""
        if untagged_resp_dict:
            lines = (f"{name}: {data!r}" for name, data in untagged_resp_dict.items())
            self._mesg("untagged responses dump:" + "\n\t\t".join(lines))

    def print_log(self) -> None:
        """Write the latest lines of the dialogue to standard error, oldest first."""
        self._mesg(f"last {len(self._cmd_log)} IMAP4 interactions:")
        for offset in range(self._cmd_log_len):
            entry = self._cmd_log.get((self._cmd_log_idx + offset) % self._cmd_log_len)
            if entry is not None:
                self._mesg(*entry)

    # -- secrets --------------------------------------------------------------------------------

    def _begin_secrecy(self, name: str, args: tuple[Any, ...]) -> None:
        """Register the secrets in a login command, so that no log or error shows them."""
        self._confidential = name == "AUTHENTICATE"
        if name in ("LOGIN", "AUTHENTICATE"):
            if self._secrets is NO_SECRETS:
                self._secrets = Blanking()
            for each in args[1:]:
                data = each.encode(self._encoding) if isinstance(each, str) else each
                if isinstance(data, bytes):
                    self._keep_secret(data, unquote(data))

    def _line_to_log(self, tag: bytes, name: str, line: bytes) -> bytes:
        """Format a command line for the log, without credentials."""
        if name == "LOGIN":
            line = b"LOGIN ***"
        elif name == "AUTHENTICATE":
            words = line.split(b" ", 2)
            line = b" ".join([*words[:2], b"***"] if len(words) > 2 else words)
        return tag + b" " + line


def unquote(data: bytes) -> bytes:
    """Return the content of a quoted string; anything else unchanged."""
    if len(data) < 2 or data[:1] != b'"' or data[-1:] != b'"':
        return data
    return re.sub(rb"\\(.)", rb"\1", data[1:-1], flags=re.S)


def secrets_in(answer: bytes) -> list[bytes]:
    """List the secrets in a SASL response: all of it, and the password or token at its end."""
    try:
        response = binascii.a2b_base64(answer)
    except binascii.Error:
        return []
    last = re.split(rb"[\0\1]|Bearer ", response.rstrip(b"\1"))[-1]
    return [response, last]
