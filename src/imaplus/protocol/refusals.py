"""The error for a NO or BAD: by its response code, or by its text where servers send no code."""

from __future__ import annotations

import re
from typing import Final

from imaplus.errors import (
    AuthenticationFailed,
    CommandError,
    NoSuchMailbox,
    OverQuota,
    Refused,
    Rejected,
    Throttled,
)
from imaplus.protocol.busy import is_busy
from imaplus.protocol.status import Status
from imaplus.wire.patterns import lazy_pattern

_NO_MAILBOX: Final = lazy_pattern(
    r"(?:mailbox|folder)\b.*(?:does not|doesn't) exist|(?:no such|unknown|nonexistent) "
    r"(?:mailbox|folder)|unable to open this mailbox",
    re.IGNORECASE,
)
_OVER_QUOTA: Final = lazy_pattern(
    r"\b(?:over|out of|exceed\w*)[ -]?(?:\w+ ){0,3}quota|"
    r"\bquota (?:\w+ ){0,2}(?:exceeded|reached)|"
    r"mailbox (?:is )?full",
    re.IGNORECASE,
)
_CODE_WITHIN: Final = lazy_pattern(r" ?\[([A-Z-]+)\]")
_NOT_CONNECTED: Final = "authenticated but not connected"
# quirk 33: "BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds"
_BACKOFF: Final = lazy_pattern(r"Suggested Backoff Time: ([0-9]{1,9}) milliseconds")


def _move_code_out(status: Status) -> Status | None:
    """The status with the code that its text contains; None if there is none.

    quirk 100: GNU mailutils puts the command's name before the code, `NO APPEND [TRYCREATE]`.
    """
    match = _CODE_WITHIN.search(status.text)
    if match is None or match[1] not in Refused.by_code:
        return None
    text = status.text[: match.start()] + status.text[match.end() :]
    return Status(status.kind, text.strip(), match[1], status.tag)


def error_for(status: Status, command: str) -> CommandError:
    """The error that a NO or BAD to `command` is raised as."""
    no_code = status.kind == "NO" and status.code is None
    if no_code and (inner := _move_code_out(status)) is not None:
        return error_for(inner, command)
    kind: type[CommandError] = Rejected if status.kind == "BAD" else Refused
    kind = Refused.by_code.get(status.code or "", kind)
    if no_code:
        if _NO_MAILBOX.search(status.text):
            kind = NoSuchMailbox  # Dovecot, Cyrus and Courier give no code to SELECT
        elif _OVER_QUOTA.search(status.text):
            kind = OverQuota  # quirk 99: Cyrus 3.6 gives no code to APPEND
    if _NOT_CONNECTED in status.text:
        kind = AuthenticationFailed  # quirk 26: Exchange says OK to a wrong password
    if is_busy(command, status.code, status.text):
        kind = Throttled
    told = status.kind, status.code, status.text, status.data
    error = kind(command, *told, argument=status.argument)
    if isinstance(error, Throttled) and (backoff := _BACKOFF.search(status.text)):
        error.retry_after = int(backoff[1]) / 1000
    return error
