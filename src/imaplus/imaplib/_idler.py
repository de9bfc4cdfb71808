"""IDLE (RFC 2177): what the server says unasked, one response at a time.

It knows how to wait for so long and no longer; reading is the `IMAP4`'s own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from imaplus.imaplib._public import public

if TYPE_CHECKING:
    from imaplus.imaplib._messages import Messages

Response: TypeAlias = "tuple[str, list[Any]]"


class Idler:
    """What `IMAP4.idle` returns: a context, and inside it an iterator over responses.

    It ends when its duration has passed. What was not taken waits in `IMAP4.response` afterwards.
    """

    def __init__(self, imap: Messages, duration: float | None = None) -> None:
        if "IDLE" not in imap.capabilities:
            raise imap.error("Server does not support IMAP4 IDLE")
        if duration is not None and getattr(imap, "sock", None) is None:
            raise imap.error("a duration needs a socket to wait on, and this is a stream")
        self._imap = imap
        self._duration = duration
        self._deadline: float | None = None
        self._tag: bytes | None = None
        self._saved_state = ""
        self._ready: deque[Response] = deque()  # taken from the IMAP4, and not given yet

    def __enter__(self) -> Self:
        imap = self._imap
        imap._check_state("IDLE")  # before anything of another Idler's is touched
        imap._idle_responses = []
        imap._idle_capture = True
        try:
            self._tag = imap._command("IDLE")
            while line := imap._get_response():  # until the server says +
                if imap.tagged_commands[self._tag]:
                    typ, data = imap._get_tagged_response(self._tag)
                    if typ == "NO":
                        raise imap._refused(f"idle denied: {imap._quotable(data)}")
                    raise imap._aborted(f"IDLE: unexpected status response: {imap._quoted(line)}")
        except BaseException:
            imap._idle_capture = False
            raise
        if self._duration is not None:
            self._deadline = public.time.monotonic() + self._duration
        self._saved_state, imap.state = imap.state, "IDLING"
        return self

    def __exit__(self, exc_type: object, exc_val: object, exc_tb: object) -> Literal[False]:
        imap, tag = self._imap, self._tag
        assert tag is not None
        self._tag = None
        imap.state = self._saved_state
        imap._idle_capture = False
        leftover, imap._idle_responses = imap._idle_responses, []
        for typ, data in (*self._ready, *leftover):
            for each in data:
                imap._append_untagged(typ, each)
        self._ready.clear()
        try:
            if imap.tagged_commands[tag] is None:
                imap.send(b"DONE" + public.CRLF)
            imap._command_complete("IDLE", tag)
        except (OSError, imap.error):
            if exc_type is None:  # else that is what matters, and the connection is lost anyway
                raise
        return False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Response:
        patience = None
        if self._deadline is not None:
            patience = self._deadline - public.time.monotonic()
        response: Response | None = self._pop(patience, None)
        if response is None:
            raise StopIteration
        return response

    def burst(self, interval: float = 0.1) -> Generator[Response]:
        """The next response, and all that follow it no more than `interval` seconds apart."""
        if getattr(self._imap, "sock", None) is None:
            raise self._imap.error("burst() needs a socket to wait on, and this is a stream")
        response = next(self, None)
        while response is not None:
            yield response
            response = self._pop(interval, None)

    def _pop(self, timeout: float | None, default: Any = ("", None)) -> Any:
        """The next response, or `default` if none begins in so many seconds, or IDLE is over.

        A part of a line stays where it is until the rest comes.
        """
        imap = self._imap
        if imap.state != "IDLING" or self._tag is None:
            raise imap.error("an Idler is of use inside its with statement only")
        while True:
            self._ready += imap._idle_responses
            imap._idle_responses.clear()
            if self._ready:
                return self._ready.popleft()
            if imap.tagged_commands[self._tag] or (timeout is not None and timeout <= 0):
                return default
            imap._responses = 0  # this may go on for days
            try:
                imap._get_response(timeout)
            except imap._responsetimeout:
                return default
