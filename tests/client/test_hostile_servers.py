"""A hundred ways in which servers misbehave, and what each of the three clients makes of them.

Each ends in a typed error or in an answer that does no harm. Limits are a thousandth of the
defaults, so that no flood has to be long; slowness is in `test_progress.py`, `test_patience.py` and
the facade's `test_pace.py`, what goes wrong with TLS in `test_starttls.py` and `test_tls.py`.
"""

from __future__ import annotations

import re
import tracemalloc

import pytest

from imaplus import ImapError, imaplib
from imaplus.wire.frames import DEFAULT_LIMITS

from .hostile import KIB, server, with_client, with_facade
from .hostile_answers import ANSWERS
from .hostile_talk import TALK

MOST_MEMORY = 4096 * KIB
CASES = {**TALK, **ANSWERS}


@pytest.mark.parametrize("kind", ["sync", "async", "facade"])
@pytest.mark.parametrize("name", CASES)
async def test_ends_in_a_typed_error_or_harmlessly(kind: str, name: str) -> None:
    do, at, script, typed, facade = CASES[name]
    expected = facade if kind == "facade" else typed
    tracemalloc.start()
    try:
        with server(at, script) as sock:
            try:
                result = (
                    with_facade(sock, do) if kind == "facade" else await with_client(kind, sock, do)
                )
                outcome = f"gave {re.sub('[0-9A-F]{4}-[0-9]+', 'TAG', repr(result))}"
            except (ImapError, imaplib.IMAP4.error) as error:
                outcome = f"{type(error).__name__}: {error}"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    what, _, text = (
        expected.partition(": ") if not expected.startswith("gave") else (expected, "", "")
    )
    assert outcome.startswith(what)
    assert text in outcome
    assert peak < MOST_MEMORY


def test_the_defaults_bound_all_of_it() -> None:
    """What an honest server may send is far below these; what a machine has is above."""
    for limit in (DEFAULT_LIMITS, imaplib.IMAP4.limits):
        assert limit.text <= 16 << 20
        assert limit.literal <= 256 << 20
        assert limit.unasked <= 64 << 20
        assert limit.held <= 1 << 30
        assert limit.depth <= 128
