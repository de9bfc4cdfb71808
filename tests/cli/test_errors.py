"""Every error has an exit code, a sentence and what to do next."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from imaplus import errors, mirror
from imaplus.cli.errors import Exit, Failure, Stop
from imaplus.cli.explain import explain


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def certificate(code: int) -> BaseException:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code = code
    return caused(errors.TlsFailed("h: certificate verify failed"), cause)


def refused(kind: type[errors.CommandError], code: str | None, command: str) -> BaseException:
    return kind(command, "NO", code, "the server's words")


def left_to_try(*others: str) -> errors.CommandError:
    error = errors.AuthenticationFailed("AUTHENTICATE", "NO", None, "no")
    error.mechanism, error.others = "SCRAM-SHA-256", others
    return error


@pytest.mark.parametrize(
    ("error", "exit", "hint"),
    [
        (refused(errors.AuthenticationFailed, "AUTHENTICATIONFAILED", "LOGIN"), 4, "app password"),
        (refused(errors.AuthenticationFailed, "EXPIRED", "AUTHENTICATE"), 4, "expired"),
        (refused(errors.Refused, None, "LOGIN"), 4, "--user"),
        (refused(errors.Refused, "WEBALERT", "AUTHENTICATE"), 4, "browser"),
        (refused(errors.NoSuchMailbox, "NONEXISTENT", "SELECT"), 3, "imaplus ls"),
        (refused(errors.Throttled, "UNAVAILABLE", "SELECT"), 5, "later"),
        (refused(errors.Throttled, "INUSE", "LOGIN"), 5, "later"),
        (refused(errors.OverQuota, "OVERQUOTA", "APPEND"), 6, "space"),
        (refused(errors.NotPermitted, "NOPERM", "SELECT"), 6, "right"),
        (refused(errors.TooLarge, "LIMIT", "SELECT"), 5, "later"),
        (refused(errors.TooLarge, "LIMIT", "APPEND"), 6, ""),
        (refused(errors.Refused, "SERVERBUG", "LIST"), 5, "later"),
        (refused(errors.Refused, "CONTACTADMIN", "LOGIN"), 4, "ask"),
        (refused(errors.Refused, None, "SELECT"), 6, ""),
        (refused(errors.Rejected, None, "FETCH"), 6, "--trace"),
        (errors.CapabilityMissing("STARTTLS"), 6, "--security"),
        (errors.NoMechanism("no way", ("PLAIN",)), 6, "--mechanism"),
        (errors.ProxyFailed("refused", "socks5://proxy:1"), 5, "NO_PROXY"),
        (left_to_try("PLAIN", "LOGIN"), 4, "app password here. If both are right"),
        (left_to_try("CRAM-MD5", "LOGIN", "PLAIN"), 4, "--mechanism PLAIN."),
        (left_to_try("CRAM-MD5", "LOGIN"), 4, "--mechanism LOGIN."),
        (left_to_try("SCRAM-SHA-1", "CRAM-MD5"), 4, "--mechanism SCRAM-SHA-1."),
        (errors.InvalidArgument("no"), 2, ""),
        (errors.UidValidityChanged("INBOX", 1, 2), 5, "created again"),
        (errors.ProtocolError("neither"), 1, "--trace"),
        (errors.TimedOut("nothing came for 30 s"), 5, "--timeout"),
        (errors.ConnectionLost("the connection ended", bye="go away"), 5, "again"),
        (caused(errors.ConnectionLost("x"), socket.gaierror(-2, "unknown")), 5, "--host"),
        (caused(errors.ConnectionLost("x"), socket.gaierror(socket.EAI_AGAIN, "no")), 5, "network"),
        (caused(errors.ConnectionLost("x"), ConnectionRefusedError(111, "no")), 5, "--port"),
        (certificate(10), 6, "expired"),
        (certificate(18), 6, "--ca-file"),
        (certificate(20), 6, "--ca-file"),
        (certificate(62), 6, "another host"),
        (errors.TlsFailed("wrong version"), 6, "--security"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 1, "again"),
        (OSError(errno.EDQUOT, "Quota exceeded", "/x/y"), 1, "space"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 1, "owns"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x/y"), 3, ""),
        (mirror.NotAStore("/x", "it holds other files"), 3, "an empty or new folder"),
        (mirror.StoreLocked("/x", 17), 5, "one run"),
        (mirror.StoreError("/x/index.sqlite", "cannot be opened"), 1, "writable"),
        (mirror.UnsafePath("/x", "a symbolic link"), 1, "plain files"),
        (mirror.StoreCorrupt("/x/store.json", "not readable"), 1, "put it back"),
        (mirror.WrongAccount("/x", "holds another's mail"), 2, "another folder"),
        (mirror.StoreCorrupt("/x", "torn"), 1, "imaplus verify"),
        (KeyboardInterrupt(), 130, "again"),
        (Stop(Exit.CAP, "enough", hint="more"), 8, "more"),
        (ZeroDivisionError("by zero"), 1, "--debug"),
    ],
)
def test_exit_codes_and_hints(error: BaseException, exit: int, hint: str) -> None:
    failure = explain(error)
    assert failure.exit == exit
    assert hint in failure.hint
    assert failure.message
    assert "\n" not in failure.message


def test_every_error_of_imaplus_is_explained() -> None:
    """None falls through to "unexpected", which asks the user to report a bug."""

    def below(kind: type[BaseException]) -> set[type[BaseException]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    def make(kind: type[BaseException]) -> BaseException:
        if issubclass(kind, errors.CommandError):
            return kind("SELECT", "NO", None, "")
        return (
            errors.UidValidityChanged("x", 1, 2) if kind is errors.UidValidityChanged else kind("x")
        )

    kinds = {kind for kind in below(errors.ImapError) if kind.__module__ == errors.__name__}
    unexplained = {kind.__name__ for kind in kinds if "unexpected" in explain(make(kind)).message}
    # Two that are only bases, and one that only a mistake in this package can raise.
    assert unexplained == {"ImapError", "UsageError", "StateError"}


def test_the_servers_line_is_shown_separately() -> None:
    failure = explain(refused(errors.Refused, "ALERT", "SELECT"))
    assert failure.server == "[ALERT] the server's words"
    assert "words" not in failure.message
    assert explain(errors.ConnectionLost("it ended", bye="go away")).server == "go away"


def test_the_servers_wait_is_passed_on() -> None:
    error = errors.Throttled("SELECT", "NO", "THROTTLED", "slow down")
    error.retry_after = 92.4
    assert explain(error).hint == "Try again in 92 seconds."


def test_words_that_ask_for_patience() -> None:
    later = errors.Refused("LIST", "NO", None, "Server error - Please try again later")
    assert explain(later).exit is Exit.TEMPORARY
    busy = errors.Throttled("LOGIN", "NO", "ALERT", "Too many simultaneous connections")
    assert "mail programs" in explain(busy).hint
    exchange = "User is authenticated but not connected."
    wrong = errors.AuthenticationFailed("LIST", "BAD", None, exchange)
    assert explain(wrong).exit is Exit.AUTHENTICATION
    assert "Wait a few minutes" in explain(wrong).hint


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        errors.ConnectionLost("the connection ended"),
        errors.TimedOut("nothing came for 30 s"),
        errors.UidValidityChanged("INBOX", 1, 2),
        OSError(errno.ENOSPC, "No space left on device", "/x/y"),
    ],
)
def test_only_a_backup_goes_on(error: BaseException) -> None:
    assert "still missing" in explain(error).hint
    assert "still missing" not in explain(error, verb="verify").hint
    assert "Run the same command again." in explain(error, verb="verify").hint


def test_where_there_is_no_backup() -> None:
    error = mirror.NotAStore("/x", "has no store.json")
    assert "`imaplus backup ACCOUNT DIR`" in explain(error, verb="verify").hint


def test_a_chain_that_is_a_loop() -> None:
    one, two = errors.ConnectionLost("one"), OSError("two")
    one.__cause__, two.__cause__ = two, one
    assert explain(one).exit is Exit.TEMPORARY


def test_the_json_form() -> None:
    failure = Failure(Exit.TEMPORARY, "message", "hint", "server")
    assert failure.as_json() == {
        "code": "temporary",
        "exit": 5,
        "message": "message",
        "hint": "hint",
        "server": "server",
        "retryable": True,
    }
    assert not Failure(Exit.REFUSED, "no").retryable
