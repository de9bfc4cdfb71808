"""What `debug` shows and `print_log` remembers of a dialogue. Secrets are in neither."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from imaplus.imaplib._public import public
from imaplus.logs import ConnectionLog
from imaplus.wire.blanking import Blanking

NO_SECRETS: Final = Blanking()
"""Before the first login; nothing is ever added to it."""


class Log:
    """The part of an `IMAP4` that tells what goes on, on standard error."""

    debug: int = 0
    _cmd_log_len: int = 10
    _cmd_log_idx: int = 0
    _cmd_log: dict[int, tuple[str, float]]
    """The latest lines and when they were written or read, in a ring."""
    _secrets: Blanking = NO_SECRETS
    """What was sent to log in, and must not show, should the server repeat it at any time."""
    _journal: ConnectionLog | None = None
    """Where commands go that the program wants to have logged."""
    _confidential: bool = False
    """The command under way is a conversation of secrets: challenges are not shown."""
    _encoding: str

    def _mesg(self, s: str, secs: float | None = None) -> None:
        """Show a line on standard error, with the time it is of."""
        if secs is None:
            secs = public.time.time()
        clock = public.time.strftime("%M:%S", public.time.localtime(secs))
        public.sys.stderr.write(f"  {clock}.{int(secs * 100) % 100:02d} {self._hidden(s)}\n")
        public.sys.stderr.flush()

    def _log(self, line: str) -> None:
        """Remember a line for `print_log`, which blanks the secrets in it."""
        index = self._cmd_log_idx
        self._cmd_log[index] = (line, public.time.time())
        self._cmd_log_idx = index + 1 if index + 1 < self._cmd_log_len else 0

    def _tell(self, line: str) -> None:
        """Show a line of the dialogue, or only remember it."""
        if self.debug >= 4:
            self._mesg(line)
        else:
            self._log(line)

    def _told(self, data: bytes) -> str:
        """What the server says, for an error: a secret that it repeats is not in it."""
        return self._hidden(data.decode("utf-8", "replace"))

    def _hidden(self, text: str) -> str:
        data = text.encode(errors="surrogateescape")
        return self._secrets.blank(data).decode(errors="surrogateescape")

    def _keep_secret(self, *secrets: bytes) -> None:
        """Blank these from here on, in octets and in what `repr` makes of them."""
        for each in secrets:
            self._secrets.keep(each)
            self._secrets.keep(repr(each)[2:-1].encode())

    def _dump_ur(self, untagged_resp_dict: Mapping[str, object]) -> None:
        """Show untagged responses that wait to be taken."""
        if untagged_resp_dict:
            lines = (f"{name}: {data!r}" for name, data in untagged_resp_dict.items())
            self._mesg("untagged responses dump:" + "\n\t\t".join(lines))

    def print_log(self) -> None:
        """Show the latest lines of the dialogue, oldest first."""
        self._mesg(f"last {len(self._cmd_log)} IMAP4 interactions:")
        for offset in range(self._cmd_log_len):
            entry = self._cmd_log.get((self._cmd_log_idx + offset) % self._cmd_log_len)
            if entry is not None:
                self._mesg(*entry)

    # -- secrets --------------------------------------------------------------------------------

    def _begin_secrecy(self, name: str, args: tuple[Any, ...]) -> None:
        """From here on, neither log nor debug output nor errors show what is secret in a login."""
        self._confidential = name == "AUTHENTICATE"
        if name in ("LOGIN", "AUTHENTICATE"):
            if self._secrets is NO_SECRETS:
                self._secrets = Blanking()
            for each in args[1:]:
                octets = each.encode(self._encoding) if isinstance(each, str) else each
                if isinstance(octets, bytes):
                    self._keep_secret(octets, unquoted(octets))

    def _shown(self, tag: bytes, name: str, line: bytes) -> bytes:
        """The line of a command as the log has it."""
        if name == "LOGIN":
            line = b"LOGIN ***"
        elif name == "AUTHENTICATE":
            words = line.split(b" ", 2)
            line = b" ".join([*words[:2], b"***"] if len(words) > 2 else words)
        return tag + b" " + line


def unquoted(data: bytes) -> bytes:
    """What stands in a quoted string."""
    if len(data) < 2 or data[:1] != b'"' or data[-1:] != b'"':
        return data
    return re.sub(rb"\\(.)", rb"\1", data[1:-1], flags=re.S)


def secrets_in(answer: bytes) -> list[bytes]:
    """What is secret in a response of SASL: all of it, and a password or token at its end."""
    try:
        response = binascii.a2b_base64(answer)
    except binascii.Error:
        return []
    last = re.split(rb"[\0\1]|Bearer ", response.rstrip(b"\1"))[-1]
    return [response, last]
