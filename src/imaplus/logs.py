"""Records for the standard `logging`: loggers below `imaplus`, off by default.

`imaplus.connection` logs at DEBUG which commands are sent, their results and durations, and the
states of the connection. It logs names of commands and response codes only: no argument, no text
of the server's, no message and no secret. `imaplus.mirror` logs names of mailboxes, and counts.

`logging` is not imported here, since that takes as long as importing all of imaplus: a program that
wants records has imported it.
"""

from __future__ import annotations

import sys
from time import monotonic as now
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from logging import Logger

CONNECTION: Final = "imaplus.connection"
MIRROR: Final = "imaplus.mirror"

_DEBUG: Final = 10
_known: Final[dict[str, Logger]] = {}


def logger(name: str, level: int = _DEBUG) -> Logger | None:
    """A logger, if the program has imported `logging` and this level is enabled; else None."""
    found = _known.get(name) or _make(name)
    return found if found is not None and found.isEnabledFor(level) else None


def _make(name: str) -> Logger | None:
    logging: Any = sys.modules.get("logging")
    if not hasattr(logging, "basicConfig"):  # not imported, or not wholly yet
        return None
    top = logging.getLogger("imaplus")
    if not top.handlers:
        top.addHandler(logging.NullHandler())
    made: Logger = logging.getLogger(name)
    _known[name] = made
    return made


class ConnectionLog:
    """Logs one connection, while the level DEBUG is enabled."""

    __slots__ = ("_began", "_logger", "_state")

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._began: dict[str | bytes, float] = {}
        self._state = ""

    def log_command(self, connection: str, tag: str | bytes, command: str) -> None:
        """Log that a command was sent."""
        self._began[tag] = now()
        self._logger.debug("%s: %s sent", connection, command)

    def log_status(
        self, connection: str, tag: str | bytes, command: str, status: str, state: str
    ) -> None:
        """Log the end of a command. `status` may have the response code, and nothing else."""
        began = self._began.pop(tag, None)
        if began is None:  # it was sent before the level was enabled
            self._logger.debug("%s: %s %s", connection, command, status)
        else:
            seconds = now() - began
            self._logger.debug("%s: %s %s after %.3f s", connection, command, status, seconds)
        self.log_state(connection, state)

    def log_state(self, connection: str, state: str) -> None:
        """Log the state of the connection, if it has changed."""
        if state != self._state:
            self._state = state
            self._logger.debug("%s: %s", connection, state)

    def log_end(self, connection: str, error: BaseException) -> None:
        """Log that the connection has ended."""
        self._began.clear()
        self._logger.debug("%s: over: %s", connection, type(error).__name__)


def connection_log(latest: ConnectionLog | None) -> ConnectionLog | None:
    """The log for a connection, which is `latest` if there is one; None if DEBUG is off."""
    found = logger(CONNECTION)
    if found is None:
        return None
    return ConnectionLog(found) if latest is None else latest
