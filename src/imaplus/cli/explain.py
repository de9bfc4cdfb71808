"""Explain an exception to the user: an exit code, what happened, and what to do next.

The explanations contain no secrets.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator

import imaplus.mirror.errors as mirror  # alone: the rest needs POSIX
from imaplus import errors
from imaplus.cli.errors import AGAIN, Exit, Failure, Stop

REPORT = "Run it again with --debug and --trace FILE, and report what they show (no secrets)."

# Why a certificate is not accepted: OpenSSL's verify codes, and what the user can do.
_CERTIFICATE = {
    10: "The certificate has expired, or this computer's clock is wrong: if it is right, tell "
    "whoever runs the server.",
    9: "The certificate is not valid yet: check this computer's clock.",
    18: "The server signed its certificate itself: give that certificate with --ca-file.",
    19: "Its authority is not trusted here: give the authority's certificate with --ca-file.",
    20: "Its authority is not trusted here: give the authority's certificate with --ca-file.",
    62: "The certificate is for another host: use the name that it is for, see --host.",
    64: "The certificate is not for this IP address: use the server's name.",
}

_AUTHENTICATION = {
    "EXPIRED": "The password or the account has expired: ask your provider.",
    "AUTHORIZATIONFAILED": "The password is right, but this user may not act for that account.",
    "PRIVACYREQUIRED": "The server wants TLS before it takes a password: --security tls.",
    "CONTACTADMIN": "The server wants you to ask whoever runs it.",
    "WEBALERT": "The provider wants you to log in with a browser first; see the address above.",
}

# quirk 26: Exchange says so to a right password, too
_NOT_CONNECTED = "authenticated but not connected"
_NO_MAILBOX_YET = (
    "Exchange says so when the user or password is wrong, but also when there were many logins, "
    "IMAP is switched off for the mailbox, or the user has no right to it. Wait a few minutes and "
    "try once more before you change the password."
)

_NETWORK = {
    errno.ECONNREFUSED: "No server takes connections there: check --host, --port and --security.",
    errno.EHOSTUNREACH: "That host cannot be reached: check the network, or --host.",
    errno.ENETUNREACH: "That network cannot be reached: check this computer's connection.",
}

_LATER = re.compile(r"\btry (?:again )?later\b|\btemporar(?:y|ily)\b", re.IGNORECASE)
_ABOUT_ARGUMENTS = frozenset({"APPEND", "STORE"})
"""Commands for which LIMIT may mean that the arguments are too large, now and later."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explain(error: BaseException, *, verb: str = "backup") -> Failure:
    """Explain any exception to the user of `verb`; an unknown one is "unexpected"."""
    again = AGAIN if verb == "backup" else "Run the same command again."
    match error:
        case Stop():
            return error.failure
        case KeyboardInterrupt():
            return Failure(Exit.INTERRUPTED, "interrupted", again)
        case errors.ConnectionLost():
            return _connection(error, again)
        case errors.CommandError():
            return _refusal(error)
        case errors.MechanismWithdrawn():
            hint = "If the server has changed, start again; or name what to use: --mechanism."
            return Failure(Exit.REFUSED, str(error), hint)
        case errors.NoMechanism():
            hint = (
                "Check --mechanism and --security; a token is given by --token-command and others."
            )
            return Failure(Exit.REFUSED, str(error), hint)
        case errors.CapabilityMissing():
            return Failure(Exit.REFUSED, str(error), "Another --security or server may offer it.")
        case errors.InvalidArgument():
            return Failure(Exit.USAGE, str(error))
        case mirror.NothingMatches():
            hint = "`imaplus ls` shows the mailboxes that exist."
            return Failure(Exit.NOT_FOUND, str(error), hint)
        case errors.UidValidityChanged():
            return Failure(Exit.TEMPORARY, str(error), f"It was created again. {again}")
        case errors.NoSuchMessage():
            return Failure(Exit.NOT_FOUND, str(error))
        case mirror.StoreError():
            return _store(error, verb)
        case errors.ProtocolError():
            what = f"the server's answer is not valid IMAP: {error}"
            return Failure(Exit.UNEXPECTED, what, f"Is it an IMAP server? {REPORT}")
        case OSError():
            return _system(error, again)
    return Failure(Exit.UNEXPECTED, f"unexpected {type(error).__name__}: {error}", REPORT)


def _refusal(error: errors.CommandError) -> Failure:
    server = error.line or None
    at_login = error.command.upper() in ("LOGIN", "AUTHENTICATE")
    if isinstance(error, errors.Throttled):
        seconds = error.retry_after
        wait = f"Try again in {seconds:.0f} seconds." if seconds else "Try again later."
        if "connections" in error.text.lower():
            wait += " Connections of other programs (mail programs, phones) count, too."
        return Failure(Exit.TEMPORARY, "the server is busy, or limits requests", wait, server)
    if _is_temporary(error):
        what = f"the server refused {error.command} for now"
        return Failure(Exit.TEMPORARY, what, "Try again later.", server)
    if isinstance(error, errors.AuthenticationFailed) or at_login:
        hint = _AUTHENTICATION.get(
            error.code or "",
            "Check the user (--user) and the password. Many providers want an app password here."
            + _other_mechanism(error),
        )
        if _NOT_CONNECTED in error.text:
            hint = _NO_MAILBOX_YET
        return Failure(Exit.AUTHENTICATION, "the server refused the login", hint, server)
    match error:
        case errors.NoSuchMailbox():
            hint = "`imaplus ls` shows the mailboxes that exist."
            return Failure(Exit.NOT_FOUND, "there is no such mailbox", hint, server)
        case errors.OverQuota():
            return Failure(
                Exit.REFUSED,
                "the mailbox is full",
                "Delete messages there, or ask for more space.",
                server,
            )
        case errors.NotPermitted():
            hint = "Ask whoever owns the mailbox for the right to do so."
            return Failure(Exit.REFUSED, f"{error.command} is not permitted", hint, server)
        case errors.Rejected():
            what = f"the server did not understand {error.command}"
            return Failure(Exit.REFUSED, what, REPORT, server)
    return Failure(Exit.REFUSED, f"the server refused {error.command}", "", server)


def _is_temporary(error: errors.CommandError) -> bool:
    """Whether a refused command, other than a login, may succeed later."""
    if isinstance(error, errors.AuthenticationFailed) or error.status != "NO":
        return False
    if error.code == "LIMIT":
        return error.command.upper() not in _ABOUT_ARGUMENTS
    return error.code == "SERVERBUG" or (error.code is None and bool(_LATER.search(error.text)))


def _other_mechanism(error: errors.CommandError) -> str:
    """A hint: servers may offer SCRAM although they store a user's password for PLAIN only."""
    if not isinstance(error, errors.AuthenticationFailed) or not error.others:
        return ""
    simplest = next((name for name in ("PLAIN", "LOGIN") if name in error.others), error.others[0])
    return (
        f" If both are right, the server may not take {error.mechanism} for this user: try "
        f"--mechanism {simplest}."
    )


def _connection(error: errors.ConnectionLost, again: str) -> Failure:
    causes = list(_chain(error))
    if isinstance(error, errors.TlsFailed):
        code = next(
            (c.verify_code for c in causes if isinstance(c, ssl.SSLCertVerificationError)), 0
        )
        hint = _CERTIFICATE.get(code, "Check --port and --security: is TLS spoken there?")
        return Failure(Exit.REFUSED, str(error), hint, error.bye)
    if isinstance(error, errors.ProxyFailed):
        hint = f"Check --proxy, ALL_PROXY and NO_PROXY. {again}"
        return Failure(Exit.TEMPORARY, str(error), hint)
    if isinstance(error, errors.TimedOut):
        hint = f"Check the network, --host and --port, or give more time with --timeout. {again}"
        return Failure(Exit.TEMPORARY, str(error), hint, error.bye)
    if error.bye is not None:
        return Failure(Exit.TEMPORARY, str(error), f"Wait a little. {again}", error.bye)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            hint = "Check the name for typing errors, or say which server it is with --host."
            if cause.errno == socket.EAI_AGAIN:
                hint = f"The name cannot be looked up now: check the network. {again}"
            return Failure(Exit.TEMPORARY, str(error), hint)
    numbers = (cause.errno for cause in causes if isinstance(cause, OSError))
    hint = next((_NETWORK[number] for number in numbers if number in _NETWORK), again)
    return Failure(Exit.TEMPORARY, str(error), hint)


def _store(error: mirror.StoreError, verb: str) -> Failure:
    match error:
        case mirror.NotAStore():
            hint = "To make a backup: `imaplus backup ACCOUNT DIR`."
            what = f"no backup in {error.path}: {error.problem}"
            if verb == "backup":
                what = f"cannot make a backup in {error.path}: {error.problem}"
                hint = "Name an empty or new folder, or one that holds a backup."
            elif "@" in error.path or ":" in error.path:
                hint += " If that is the account: write the folder first, then the account."
            return Failure(Exit.NOT_FOUND, what, hint)
        case mirror.WrongAccount():
            option = "--adopt" if verb == "backup" else "`imaplus backup --adopt`"
            hint = (
                "Use another folder: each holds one account. If it is the same account under "
                f"another name, use {option}."
            )
            return Failure(Exit.USAGE, str(error), hint)
        case mirror.StoreLocked():
            return Failure(Exit.TEMPORARY, str(error), "Only one run at a time writes to a backup.")
        case mirror.WrongFormat():
            return Failure(Exit.UNEXPECTED, str(error), "A newer imaplus may know it.")
        case mirror.StoreFailed():
            return Failure(Exit.UNEXPECTED, str(error), AGAIN)
        case _ if error.path.endswith("/index.sqlite") and not isinstance(error, mirror.UnsafePath):
            hint = (
                "`search` keeps its index there: the folder must be writable, the disk not full. "
                "The index may be deleted; it is made again."
            )
            return Failure(Exit.UNEXPECTED, f"cannot search the backup: {error}", hint)
        case mirror.UnsafePath():
            hint = "A backup holds plain files and folders only: move what stands there elsewhere."
            return Failure(Exit.UNEXPECTED, f"the backup is damaged: {error}", hint)
    hint = (
        "`imaplus verify` says what is damaged, `imaplus backup --repair` fetches again what the "
        "server still has."
    )
    if error.path.endswith("/store.json"):
        hint = "It says whose backup this is, and is needed: put it back from a copy of the folder."
    return Failure(Exit.UNEXPECTED, f"the backup is damaged: {error}", hint)


def _system(error: OSError, again: str) -> Failure:
    where = f": {error.filename}" if error.filename is not None else ""
    what = f"{error.strerror or error}{where}"
    if error.errno in _FULL:
        return Failure(Exit.UNEXPECTED, f"the disk is full ({what})", f"Free some space. {again}")
    if error.errno in _DENIED:
        hint = "Check who owns the files and folders, and whether they may be written."
        return Failure(Exit.UNEXPECTED, f"access denied ({what})", hint)
    if isinstance(error, FileNotFoundError):
        return Failure(Exit.NOT_FOUND, what)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return Failure(Exit.USAGE, f"{error.filename} is not a folder", "Name another folder.")
    return Failure(Exit.UNEXPECTED, what, "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes; at most eight, because a chain may be a loop."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
