"""What goes to the standard `logging`: loggers below `imaplus`, silent until somebody listens.

`imaplus.connection` tells at DEBUG which commands were sent, what they came to and how long that
took, and the states of the connection. Commands stand there by their names alone: no argument, no
text of the server's, no message and no secret. `imaplus.mirror` tells of backups: the names of
mailboxes, and counts.

`logging` is not imported here, since that takes as long as all of imaplus: whoever wants to see
what is logged has imported it.
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
    """A logger, if the program uses `logging` and wants this level of it; else None."""
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
    """The log of one connection, while somebody wants it."""

    __slots__ = ("_began", "_logger", "_state")

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._began: dict[str | bytes, float] = {}
        self._state = ""

    def sent(self, connection: str, tag: str | bytes, command: str) -> None:
        """A command is on its way."""
        self._began[tag] = now()
        self._logger.debug("%s: %s sent", connection, command)

    def answered(
        self, connection: str, tag: str | bytes, command: str, status: str, state: str
    ) -> None:
        """A command is over. `status` may have the response code, and nothing else."""
        began = self._began.pop(tag, None)
        if began is None:  # it was sent before anybody listened
            self._logger.debug("%s: %s %s", connection, command, status)
        else:
            seconds = now() - began
            self._logger.debug("%s: %s %s after %.3f s", connection, command, status, seconds)
        self.state(connection, state)

    def state(self, connection: str, state: str) -> None:
        """Where the connection stands now."""
        if state != self._state:
            self._state = state
            self._logger.debug("%s: %s", connection, state)

    def over(self, connection: str, error: BaseException) -> None:
        """The connection is of no use any more."""
        self._began.clear()
        self._logger.debug("%s: over: %s", connection, type(error).__name__)


def connection_log(latest: ConnectionLog | None) -> ConnectionLog | None:
    """The log for a connection, None if nobody wants it; the latest one if there is one."""
    found = logger(CONNECTION)
    if found is None:
        return None
    return ConnectionLog(found) if latest is None else latest
