"""Which refusals mean "not now": the words of real servers."""

from __future__ import annotations

import pytest

from imaplus.errors import AuthenticationFailed, OverQuota, Refused, Rejected, Throttled, TooLarge
from imaplus.protocol.refusals import error_for
from imaplus.protocol.status import Status

QQ = (
    "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency "
    "limited, or system is busy. More information at https://help.example"
)


@pytest.mark.parametrize("command", ["LOGIN", "AUTHENTICATE", "SELECT", "FETCH"])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ALERT", "Too many simultaneous connections. (Failure)"),
        (None, "Too many concurrent IMAP connections"),
        (None, "Maximum number of connections from user+IP exceeded"),
        ("UNAVAILABLE", "Maximum number of connections from user+IP exceeded"),
        ("OVERQUOTA", "Account exceeded command or bandwidth limits. (Failure)"),
        ("ALERT", "Account exceeded bandwidth limits. (Failure)"),
        ("LIMIT", "LOGIN Rate limit hit."),
        (None, "Request is throttled."),
        ("INUSE", "somebody else has it"),
        ("UNAVAILABLE", ""),
    ],
)
def test_limits_are_temporary_whatever_was_asked_for(
    command: str, code: str | None, text: str
) -> None:
    assert type(error_for(Status("NO", text, code), command)) is Throttled


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("LIMIT", "Too many login failures, try later"),
        ("AUTHENTICATIONFAILED", "Too many failed login attempts"),
        (None, "Too many bad auth attempts"),
        (None, "[sic] too many authentication failures"),
        ("SERVERBUG", "LOGIN Server error - Please try again later"),
        (None, "LOGIN Server error - Please try again later"),
        (None, "Temporary authentication failure."),
        (None, "Account temporarily locked"),
        (None, "Internal login failure. Refer to server log for more information."),
        ("ALERT", "System busy!"),
        (None, "Service is currently unavailable"),
    ],
)
def test_a_login_that_nobody_has_looked_at(code: str | None, text: str) -> None:
    status = Status("NO", text, code)
    assert type(error_for(status, "LOGIN")) is Throttled
    assert type(error_for(status, "AUTHENTICATE")) is Throttled
    assert type(error_for(status, "FETCH")) is not Throttled


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("AUTHENTICATIONFAILED", "Invalid credentials (Failure)", AuthenticationFailed),
        ("AUTHENTICATIONFAILED", "Authentication failed. Try again later.", AuthenticationFailed),
        (None, "Wrong user name or password, please try again later", Refused),
        ("ALERT", "Invalid credentials (Failure)", Refused),
        (None, "LOGIN failed.", Refused),
        (None, QQ, Refused),
        ("WEBALERT", "Web login required.", Refused),
    ],
)
def test_a_login_that_was_refused(code: str | None, text: str, kind: type[Refused]) -> None:
    assert type(error_for(Status("NO", text, code), "LOGIN")) is kind


@pytest.mark.parametrize(
    ("kind", "code", "text", "expected"),
    [
        ("NO", "LIMIT", "At most 32 flags in one mailbox supported", TooLarge),
        ("NO", "OVERQUOTA", "Mailbox is full", OverQuota),
        ("NO", "SERVERBUG", "Server error - Please try again later", Refused),
        ("BAD", None, "Error in IMAP command received by server.", Rejected),
    ],
)
def test_what_is_about_one_mailbox_or_message(
    kind: str, code: str | None, text: str, expected: type[Refused]
) -> None:
    assert type(error_for(Status(kind, text, code), "STORE")) is expected
