"""What an error means to the user: an exit code, what happened, and what to do next.

It knows the tree of `imaplus.errors`, the operating system's errors and the contract of the exit
codes. It prints nothing, and it repeats nothing of what the user typed as a secret.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import imaplus.mirror.errors as mirror  # alone: the rest needs POSIX
from imaplus import errors
from imaplus.cli.errors import AGAIN, Exit, Failure, Stop

REPORT = "Run it again with --debug and --trace FILE, and report what they show (no secrets)."

# Why a certificate is not accepted: OpenSSL's verify codes, and what the user can do.
_CERTIFICATE = {
    10: "The certificate has expired: tell whoever runs the server.",
    9: "The certificate is not valid yet: check this computer's clock.",
    18: "The server signed its certificate itself: give that certificate with --ca-file.",
    19: "Its authority is not trusted here: give the authority's certificate with --ca-file.",
    20: "Its authority is not trusted here: give the authority's certificate with --ca-file.",
    62: "The certificate is for another host: use the name that it is for, see --host.",
    64: "The certificate is not for this IP address: use the server's name.",
}

_AUTHENTICATION = {
    "EXPIRED": "The password has expired: set a new one with your provider.",
    "AUTHORIZATIONFAILED": "The password is right, but this user may not act for that account.",
    "PRIVACYREQUIRED": "The server wants TLS before it takes a password: --security tls.",
    "WEBALERT": "The provider wants you to log in with a browser first; see the address above.",
}

_NETWORK = {
    errno.ECONNREFUSED: "Nothing listens there: check --host, --port and --security.",
    errno.EHOSTUNREACH: "There is no route to that host: check the network, or --host.",
    errno.ENETUNREACH: "There is no network: check the connection.",
}

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explain(error: BaseException) -> Failure:
    """What `error` means to the user. Every exception has an answer; the last is "unexpected"."""
    match error:
        case Stop():
            return error.failure
        case KeyboardInterrupt():
            return Failure(Exit.INTERRUPTED, "interrupted", AGAIN)
        case errors.ConnectionLost():
            return _connection(error)
        case errors.CommandError():
            return _refusal(error)
        case errors.CapabilityMissing():
            return Failure(Exit.REFUSED, str(error), "Another --security or server may offer it.")
        case errors.InvalidArgument():
            return Failure(Exit.USAGE, str(error))
        case errors.UidValidityChanged():
            again = "Run the same command again: the mailbox is then mirrored anew."
            return Failure(Exit.TEMPORARY, str(error), again)
        case errors.NoSuchMessage():
            return Failure(Exit.NOT_FOUND, str(error))
        case mirror.StoreError():
            return _store(error)
        case errors.ProtocolError():
            what = f"the server's answer is not IMAP as it should be: {error}"
            return Failure(Exit.UNEXPECTED, what, f"Is it an IMAP server? {REPORT}")
        case OSError():
            return _system(error)
    return Failure(Exit.UNEXPECTED, f"unexpected {type(error).__name__}: {error}", REPORT)


def _refusal(error: errors.CommandError) -> Failure:
    text = f"[{error.code}] {error.text}" if error.code else error.text
    server = text or None
    at_login = error.command.upper() in ("LOGIN", "AUTHENTICATE")
    if isinstance(error, errors.Throttled):
        seconds = error.retry_after
        wait = f"Try again in {seconds:.0f} seconds." if seconds else "Try again later."
        return Failure(Exit.TEMPORARY, "the server is busy, or wants us to slow down", wait, server)
    if isinstance(error, errors.AuthenticationFailed) or at_login:
        hint = _AUTHENTICATION.get(
            error.code or "",
            "Check the user (--user) and the password. Many providers want an app password here.",
        )
        return Failure(Exit.AUTHENTICATION, "the server did not accept the login", hint, server)
    match error:
        case errors.NoSuchMailbox():
            hint = "`imaplus ls` shows the mailboxes that exist."
            return Failure(Exit.NOT_FOUND, "there is no such mailbox", hint, server)
        case errors.OverQuota():
            return Failure(Exit.REFUSED, "the mailbox is full", "Make room in it.", server)
        case errors.NotPermitted():
            hint = "Ask whoever owns the mailbox for the right to do so."
            return Failure(Exit.REFUSED, f"{error.command} is not permitted", hint, server)
        case errors.Rejected():
            what = f"the server did not understand {error.command}"
            return Failure(Exit.REFUSED, what, REPORT, server)
    return Failure(Exit.REFUSED, f"the server refused {error.command}", "", server)


def _connection(error: errors.ConnectionLost) -> Failure:
    causes = list(_chain(error))
    if isinstance(error, errors.TlsFailed):
        code = next(
            (c.verify_code for c in causes if isinstance(c, ssl.SSLCertVerificationError)), 0
        )
        hint = _CERTIFICATE.get(code, "Check --port and --security: is TLS spoken there?")
        return Failure(Exit.REFUSED, str(error), hint, error.bye)
    if isinstance(error, errors.TimedOut):
        hint = f"Check the network, --host and --port, or give more time with --timeout. {AGAIN}"
        return Failure(Exit.TEMPORARY, str(error), hint, error.bye)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        hint = "Check the name for typing errors, or say which server it is with --host."
        return Failure(Exit.TEMPORARY, str(error), hint)
    numbers = (cause.errno for cause in causes if isinstance(cause, OSError))
    hint = next((_NETWORK[number] for number in numbers if number in _NETWORK), AGAIN)
    return Failure(Exit.TEMPORARY, str(error), hint, error.bye)


def _store(error: mirror.StoreError) -> Failure:
    match error:
        case mirror.NotAStore():
            hint = "A backup is made by `imaplus backup ACCOUNT DIR`."
            return Failure(Exit.NOT_FOUND, f"no backup there: {error}", hint)
        case mirror.WrongAccount():
            return Failure(Exit.USAGE, str(error), "Use another folder: each holds one account.")
        case mirror.StoreLocked():
            return Failure(Exit.UNEXPECTED, str(error), "Two runs never write at once.")
        case mirror.WrongFormat():
            return Failure(Exit.UNEXPECTED, str(error), "Update imaplus.")
        case mirror.StoreFailed():
            return Failure(Exit.UNEXPECTED, str(error), AGAIN)
    hint = "`imaplus verify` says what is damaged; `imaplus backup --repair` fetches it again."
    return Failure(Exit.UNEXPECTED, f"the backup is damaged: {error}", hint)


def _system(error: OSError) -> Failure:
    where = f": {error.filename}" if error.filename is not None else ""
    what = f"{error.strerror or error}{where}"
    if error.errno in _FULL:
        return Failure(Exit.UNEXPECTED, f"the disk is full ({what})", f"Free some space. {AGAIN}")
    if error.errno in _DENIED:
        hint = "Check who owns the files and folders, and whether they may be written."
        return Failure(Exit.UNEXPECTED, f"access denied ({what})", hint)
    if isinstance(error, FileNotFoundError):
        return Failure(Exit.NOT_FOUND, what)
    return Failure(Exit.UNEXPECTED, what, "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it; at most eight, for a chain may have been tied into a loop."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
