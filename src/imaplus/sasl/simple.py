"""Mechanisms of one message without a secret: EXTERNAL and ANONYMOUS."""

from __future__ import annotations

from collections.abc import Generator

from imaplus.sasl.credentials import Anonymous, External
from imaplus.sasl.mechanism import Mechanism


class ExternalMechanism(Mechanism):
    """The server already knows (RFC 4422, appendix A)."""

    name = "EXTERNAL"

    def __init__(self, credentials: External) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = True
        yield self._who.authzid.encode()


class AnonymousMechanism(Mechanism):
    """Nothing to prove (RFC 4505)."""

    name = "ANONYMOUS"

    def __init__(self, credentials: Anonymous) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = True
        yield self._who.trace.encode()
