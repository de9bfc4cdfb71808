"""A drop-in replacement for the standard `imaplib`: `from imaplus import imaplib`.

It has the names, hooks and results of the standard module as of Python 3.16, on every Python
from 3.11. Programs may assign the attributes of an `IMAP4` and patch the globals of this module:
both are read each time they are used. The private modules of this package read the globals
through `public`. The package imports only `wire` and `sasl` of `imaplus`; `IMAP4.typed` loads the
typed client. Example::

    with imaplib.IMAP4_SSL("imap.example.org") as imap:
        imap.login("ada", "correct horse")
        imap.select("INBOX", readonly=True)
        typ, data = imap.search(None, "UNSEEN")
"""

from __future__ import annotations

import random as random
import re
import socket as socket
import ssl as ssl
import subprocess as subprocess
import sys as sys
import time as time
from typing import TYPE_CHECKING, Final

CRLF: Final = b"\r\n"
Debug: int = 0
"""Initial value of `IMAP4.debug`: from 0 (silent) to 5 (everything except secrets)."""
HAVE_SSL: Final = True
IMAP4_PORT: Final = 143
IMAP4_SSL_PORT: Final = 993
AllowedVersions: tuple[str, ...] = ("IMAP4REV1", "IMAP4")
"""Accepted protocol versions, in order of preference; the server must announce one of them."""

_MAXLINE: int | None = None
"""Maximum length of a response line, in bytes; None applies `IMAP4.limits` instead."""

_ANY: Final = ("NONAUTH", "AUTH", "SELECTED", "LOGOUT")
_LOGGED_IN: Final = ("AUTH", "SELECTED")
_OPEN: Final = ("SELECTED",)

Commands: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("CAPABILITY", "ID", "LOGOUT", "NOOP"), _ANY),
    **dict.fromkeys(("AUTHENTICATE", "LOGIN", "STARTTLS"), ("NONAUTH",)),
    **dict.fromkeys(("ENABLE", "PROXYAUTH"), ("AUTH",)),
    **dict.fromkeys(
        "APPEND CREATE DELETE EXAMINE IDLE LIST LSUB NAMESPACE RENAME SELECT STATUS SUBSCRIBE "
        "UNSUBSCRIBE DELETEACL GETACL MYRIGHTS SETACL GETANNOTATION SETANNOTATION GETQUOTA "
        "GETQUOTAROOT SETQUOTA".split(),
        _LOGGED_IN,
    ),
    **dict.fromkeys(
        "CHECK CLOSE COPY EXPUNGE FETCH MOVE PARTIAL SEARCH SORT STORE THREAD UID UNSELECT".split(),
        _OPEN,
    ),
}
"""The states in which each command may be sent. Each name is also a method name, in capitals."""

# Patterns of response lines. Their groups are part of the interface, by name and number.
# Keywords match in any case: some servers send them in lower case.
Continuation: re.Pattern[bytes] = re.compile(rb"\+( (?P<data>.*))?")
Flags: re.Pattern[bytes] = re.compile(rb".*[Ff][Ll][Aa][Gg][Ss] \((?P<flags>[^()]*)\)")
InternalDate: re.Pattern[bytes] = re.compile(
    rb'.*INTERNALDATE "(?P<day>[ 0-3][0-9])-(?P<mon>[A-Z][a-z]{2})-(?P<year>[0-9]{4})'
    rb" (?P<hour>[0-9]{2}):(?P<min>[0-9]{2}):(?P<sec>[0-9]{2})"
    rb' (?P<zonen>[+-])(?P<zoneh>[0-9]{2})(?P<zonem>[0-9]{2})"'
)
Literal: re.Pattern[bytes] = re.compile(rb".*\{(?P<size>[0-9]+)\}$")
MapCRLF: re.Pattern[bytes] = re.compile(rb"\r\n|\r|\n")
# Some servers send flags that contain "]": the code ends at the last "]" of the line.
Response_code: re.Pattern[bytes] = re.compile(rb"\[(?P<type>[A-Za-z-]+)( (?P<data>.*))?\]")
Untagged_response: re.Pattern[bytes] = re.compile(rb"\* (?P<type>[A-Za-z-]+)( (?P<data>.*))?")
Untagged_status: re.Pattern[bytes] = re.compile(
    rb"\* (?P<data>[0-9]+) (?P<type>[A-Za-z-]+)( (?P<data2>.*))?"
)
# Private patterns of the standard module, compiled on first access; unused in this package.
_PATTERNS: Final = {
    "_control_chars": rb"[\0\r\n]",
    "_non_astring_char": rb'[(){ \x00-\x1f\x7f-\xff%*\\"]',
    "_non_list_char": rb'[(){ \x00-\x1f\x7f-\xff\\"]',
    "_quoted": rb'"(?:[^"\\]|\\.)*+"',
}
_SAFE_BUF_SIZE: Final = 1 << 20  # unused: announced sizes are never allocated in advance
_Literal: Final = Literal.pattern
_Untagged_status: Final = Untagged_status.pattern
Months: Final = ["", *"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()]

# These modules use the names above, so the imports come last. "as" exports to type checkers.
from imaplus.imaplib import _codec as _codec  # noqa: E402
from imaplus.imaplib._classes import IMAP4, IMAP4_SSL, IMAP4_stream  # noqa: E402
from imaplus.imaplib._functions import Int2AP as Int2AP  # noqa: E402
from imaplus.imaplib._functions import Internaldate2tuple as Internaldate2tuple  # noqa: E402
from imaplus.imaplib._functions import Mon2num as Mon2num  # noqa: E402
from imaplus.imaplib._functions import ParseFlags as ParseFlags  # noqa: E402
from imaplus.imaplib._functions import Time2Internaldate as Time2Internaldate  # noqa: E402
from imaplus.imaplib._functions import _Authenticator as _Authenticator  # noqa: E402
from imaplus.imaplib._functions import _paren_depth as _paren_depth  # noqa: E402
from imaplus.imaplib._idler import Idler as Idler  # noqa: E402
from imaplus.imaplib._parameters import _substitute as _substitute  # noqa: E402

__all__ = [
    "IMAP4",
    "IMAP4_SSL",
    "IMAP4_stream",
    "Int2AP",
    "Internaldate2tuple",
    "ParseFlags",
    "Time2Internaldate",
]

if TYPE_CHECKING:
    _control_chars: re.Pattern[bytes]
    _non_astring_char: re.Pattern[bytes]
    _non_list_char: re.Pattern[bytes]
    _quoted: re.Pattern[bytes]
    __version__: str
else:
    if sys.version_info < (3, 15):
        __version__ = "2.60"  # of the standard module in Python 3.14

    def __getattr__(name):
        if (pattern := _PATTERNS.get(name)) is not None:
            found = globals()[name] = re.compile(pattern)
            return found
        if name != "__version__" or sys.version_info < (3, 15):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import warnings

        text = "'__version__' is deprecated and slated for removal in Python 3.20"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return "2.60"

    def __dir__():
        return sorted({*globals(), *_PATTERNS})
