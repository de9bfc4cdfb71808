"""Temporary refusals, recognised by their text.

RFC 5530 has the codes UNAVAILABLE and INUSE. Many servers send ALERT, LIMIT, OVERQUOTA or no code
instead, mostly in answer to LOGIN, where any other NO means a wrong password.
"""

from __future__ import annotations

import re
from typing import Final

from imaplus.wire.patterns import lazy_pattern

LOGINS: Final = frozenset({"LOGIN", "AUTHENTICATE"})

LOGIN_CODES: Final = frozenset({"LIMIT", "SERVERBUG"})
"""Codes that, at a login, speak of the server's state. Elsewhere LIMIT may be about an argument."""

ANYWHERE: Final = (
    # quirk 98: Gmail, "[ALERT] Too many simultaneous connections. (Failure)"
    r"too many (?:\w+ ){0,2}(?:connections|sessions|logins)\b",
    # Dovecot: "Maximum number of connections from user+IP exceeded"
    r"maximum number of (?:\w+ )?(?:connections|sessions)",
    r"(?:connection|session)s? limit (?:exceeded|reached)",
    # Gmail: "[OVERQUOTA] Account exceeded command or bandwidth limits."
    r"exceeded (?:\w+ ){0,3}bandwidth limits?",
    # Microsoft 365, with or without a time to wait
    r"request is throttled",
    # Yahoo: "[LIMIT] LOGIN Rate limit hit"
    r"rate limit (?:hit|exceeded|reached)",
)
"""Text about a limit of the account or the server, in answer to any command."""

LOCKED_OUT: Final = (
    r"too many (?:\w+ ){0,3}(?:attempts|failures|tries)\b",
    r"login frequency limited\Z",
)
"""Text of a login that is refused because of earlier attempts, whatever its password."""

AT_LOGIN: Final = (
    # Yahoo: "[SERVERBUG] LOGIN Server error - Please try again later"
    r"\btry (?:again )?(?:later|in )",
    # Dovecot: "Temporary authentication failure."; others: "temporarily unavailable", "... locked"
    r"\btemporar(?:y|ily)\b",
    r"\b(?:server|service|system) (?:is )?(?:too |currently )?(?:busy|unavailable|overloaded)\b",
    # Dovecot: "Internal login failure. Refer to server log for more information."
    r"\binternal (?:login |server |authentication )?(?:failure|error)\b",
)
"""Text of a login whose password was not checked, unless it mentions a wrong password, too."""

_ANYWHERE: Final = lazy_pattern("|".join(ANYWHERE), re.IGNORECASE)
_LOCKED_OUT: Final = lazy_pattern("|".join(LOCKED_OUT), re.IGNORECASE)
_AT_LOGIN: Final = lazy_pattern("|".join(AT_LOGIN), re.IGNORECASE)
# QQ gives one text for all: "... password is incorrect, login frequency limited, or system is busy"
_OF_PASSWORDS: Final = lazy_pattern(r"password|credential|user ?name", re.IGNORECASE)
_OF_CREDENTIALS: Final = frozenset(
    {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "WEBALERT"}
)


def is_busy(command: str, code: str | None, text: str) -> bool:
    """Whether a NO or BAD to `command` means that it may be accepted later, as it is."""
    if _ANYWHERE.search(text):
        return True
    if command not in LOGINS:
        return False
    if code in LOGIN_CODES or _LOCKED_OUT.search(text):
        return True
    if code in _OF_CREDENTIALS or _OF_PASSWORDS.search(text):
        return False
    return _AT_LOGIN.search(text) is not None
