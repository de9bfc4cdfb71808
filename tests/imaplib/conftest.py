"""A client of the facade over a scripted server, for tests of what goes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from imaplus import imaplib

from .scripted import Answer, ScriptedServer

Talk = Callable[..., tuple[imaplib.IMAP4, ScriptedServer]]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """`talk(b"* SEARCH 1", ...)` gives a client in state SELECTED, and what its server hears.

    The lines are what the first command is answered; `answers` and all else are the server's.
    """
    with ExitStack() as stack:

        def begin(
            *untagged: bytes, state: str = "SELECTED", **options: Any
        ) -> tuple[imaplib.IMAP4, ScriptedServer]:
            options.setdefault("answers", [Answer(untagged)])
            server = ScriptedServer(**options)
            client = server.client(imaplib.IMAP4, stack.enter_context(server.connected()))
            client.state = state
            server.heard.clear()
            return client, server

        yield begin


@pytest.fixture(autouse=True)
def same_commands_for_everyone() -> Iterator[None]:
    """`xatom()` adds what it sends to the module's Commands, as the standard one does."""
    before = dict(imaplib.Commands)
    yield
    imaplib.Commands.clear()
    imaplib.Commands.update(before)
