"""The server for synchronous code: it runs an event loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from imaplus.testing.server import BaseServer


class Server(BaseServer):
    """An IMAP server in a thread: `with Server() as server:`.

    Its methods may be called from any thread; each returns when its change has been made.
    """

    _thread: threading.Thread | None = None
    _error: BaseException | None = None

    def start(self) -> None:
        """Start listening; afterwards `host` and `port` are set. Raises OSError."""
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imaplus.testing", daemon=True)
        self._thread.start()
        self._running.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._error = error
        finally:
            self._running.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await self._start()
        self._running.set()
        await self._stopping.wait()
        await self._stop()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
