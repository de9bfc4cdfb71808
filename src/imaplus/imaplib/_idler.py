"""IDLE (RFC 2177): iterate over untagged responses as the server sends them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from imaplus.imaplib._public import public

if TYPE_CHECKING:
    from imaplus.imaplib._messages import Messages

Response: TypeAlias = "tuple[str, list[Any]]"


class Idler:
    """The result of `IMAP4.idle`: a context manager, and within it an iterator over responses.

    Each item is `(typ, [data, ...])`. Iteration ends when the duration has passed. Responses that
    were not consumed are available from `IMAP4.response` after the `with` statement.
    """

    def __init__(self, imap: Messages, duration: float | None = None) -> None:
        if "IDLE" not in imap.capabilities:
            raise imap.error("Server does not support IMAP4 IDLE")
        if duration is not None and getattr(imap, "sock", None) is None:
            raise imap.error("idle(duration) requires a socket; IMAP4_stream has none")
        self._imap = imap
        self._duration = duration
        self._deadline: float | None = None
        self._tag: bytes | None = None
        self._saved_state = ""
        self._ready: deque[Response] = deque()  # received and not yet consumed

    def __enter__(self) -> Self:
        imap = self._imap
        imap._check_state("IDLE")  # first, so that an active Idler is not disturbed
        imap._idle_responses = []
        imap._idle_capture = True
        try:
            self._tag = imap._command("IDLE")
            while line := imap._get_response():  # until the server sends "+"
                if imap.tagged_commands[self._tag]:
                    typ, data = imap._get_tagged_response(self._tag)
                    if typ == "NO":
                        raise imap._make_error(f"idle denied: {imap._quote_texts(data)}")
                    raise imap._make_abort(
                        f"IDLE: unexpected status response: {imap._quote_line(line)}"
                    )
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
            if exc_type is None:  # otherwise keep the original exception
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
        """Yield the next response, and all that follow it at most `interval` seconds apart."""
        if getattr(self._imap, "sock", None) is None:
            raise self._imap.error("burst() requires a socket; IMAP4_stream has none")
        response = next(self, None)
        while response is not None:
            yield response
            response = self._pop(interval, None)

    def _pop(self, timeout: float | None, default: Any = ("", None)) -> Any:
        """Return the next response; `default` after `timeout` seconds, or if IDLE has ended.

        An incomplete line stays in the buffer.
        """
        imap = self._imap
        if imap.state != "IDLING" or self._tag is None:
            raise imap.error("an Idler can only be used inside its with statement")
        while True:
            self._ready += imap._idle_responses
            imap._idle_responses.clear()
            if self._ready:
                return self._ready.popleft()
            if imap.tagged_commands[self._tag] or (timeout is not None and timeout <= 0):
                return default
            imap._responses = 0  # IDLE may last for days: limit bursts, not the total
            try:
                imap._get_response(timeout)
            except imap._responsetimeout:
                return default
