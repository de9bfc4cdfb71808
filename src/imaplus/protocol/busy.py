"""Refusals that mean "not now", by their words: what servers say that give no code, or another.

RFC 5530 has UNAVAILABLE and INUSE for this; many servers send ALERT, LIMIT, OVERQUOTA or nothing,
at LOGIN above all, where a NO else means a wrong password. It is data, and two questions to it.
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
"""Words of a limit of the account or the server, whatever was asked for."""

LOCKED_OUT: Final = (
    r"too many (?:\w+ ){0,3}(?:attempts|failures|tries)\b",
    r"login frequency limited\Z",
)
"""Words of a login that is refused for those before it, right or wrong."""

AT_LOGIN: Final = (
    # Yahoo: "[SERVERBUG] LOGIN Server error - Please try again later"
    r"\btry (?:again )?(?:later|in )",
    # Dovecot: "Temporary authentication failure."; others: "temporarily unavailable", "... locked"
    r"\btemporar(?:y|ily)\b",
    r"\b(?:server|service|system) (?:is )?(?:too |currently )?(?:busy|unavailable|overloaded)\b",
    # Dovecot: "Internal login failure. Refer to server log for more information."
    r"\binternal (?:login |server |authentication )?(?:failure|error)\b",
)
"""Words of a login that nobody has looked at, unless they speak of a wrong password as well."""

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
