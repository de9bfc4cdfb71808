"""Every name of the standard module is there, on whichever Python this is."""

from __future__ import annotations

import imaplib as standard
from types import ModuleType

import pytest

from imaplus import imaplib

# What the standard module has imported for itself, and nobody takes from there.
IMPORTED = {"DEFAULT_BUFFER_SIZE", "datetime", "timedelta", "timezone"}
OWN = [
    name
    for name in dir(standard)
    if name not in IMPORTED and not isinstance(getattr(standard, name), ModuleType)
]


@pytest.mark.parametrize("name", [name for name in OWN if not name.startswith("__")])
def test_a_name_of_the_module(name: str) -> None:
    ours = getattr(imaplib, name)
    if name != "_MAXLINE":  # None here: it must not break a SEARCH with a million results
        assert type(ours) is type(getattr(standard, name))


@pytest.mark.parametrize("kind", ["IMAP4", "IMAP4_SSL", "IMAP4_stream"])
def test_the_names_of_a_class(kind: str) -> None:
    theirs, ours = getattr(standard, kind), getattr(imaplib, kind)
    assert [name for name in dir(theirs) if not hasattr(ours, name)] == []
