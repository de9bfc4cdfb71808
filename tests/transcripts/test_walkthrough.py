"""CONTRIBUTING.md adds an extension step by step: what it shows, put together, works.

The extension's module is made of the blocks before the tests, and is allowed what the layers allow
one of `imaplus.extensions`; its tests are the transcript and the table that the page shows.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imaplus import Client, NoSuchMailbox, Security
from imaplus.protocol import response
from imaplus.testing import Server

from ..examples.finding import WALKTHROUGH, fenced
from ..test_layers import fault, imports
from .dialogue import FIVE_WAYS, Cases, Fails, Way, each_way

BLOCKS = fenced(WALKTHROUGH)
SOURCE = "\n\n".join(block for block in BLOCKS if "CASES" not in block)
(TABLE,) = (block for block in BLOCKS if "CASES" in block)
(TRANSCRIPT,) = (block for block in fenced(WALKTHROUGH, "") if "S: * " in block)


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """The module, loaded; its parsers are registered for as long as the test runs.

    Should imaplus have parsers of these names by now, the page's take their place meanwhile.
    """
    module = types.ModuleType("walkthrough")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registry = response._responses
    before = {name: registry.pop(name) for name in ("QUOTA",) if name in registry}
    exec(compile(SOURCE, str(WALKTHROUGH), "exec"), module.__dict__)
    yield module
    for name in [name for name, each in registry.items() if each.__module__ == module.__name__]:
        del registry[name]
    registry.update(before)


@pytest.mark.parametrize("way", FIVE_WAYS, ids=lambda way: way.__name__)
def test_the_transcript_and_its_table(
    way: Way, extension: types.ModuleType, tmp_path: Path
) -> None:
    names: dict[str, Any] = {
        **vars(extension),
        "Cases": Cases,
        "Fails": Fails,
        "NoSuchMailbox": NoSuchMailbox,
        "each_way": partial(each_way, folder=tmp_path),
    }
    exec(compile(TABLE, str(WALKTHROUGH), "exec"), names)
    (name,) = names["CASES"]
    (tmp_path / f"{name}.txt").write_text(TRANSCRIPT)
    names[f"test_{name}"](name, way)


def test_a_wrong_row_would_fail(extension: types.ModuleType, tmp_path: Path) -> None:
    (tmp_path / "quota.txt").write_text(TRANSCRIPT)
    rows = [(extension.GetQuota(""), extension.Quota("", {}))]
    test: Any = each_way({"quota": rows}, tmp_path)
    with pytest.raises(AssertionError, match="row 1"):
        test("quota", FIVE_WAYS[0])


def test_the_module_is_inside_the_layers() -> None:
    found = imports("imaplus.extensions.walkthrough", SOURCE)
    assert [wrong for each in found if (wrong := fault(each))] == []


def test_its_values_and_its_command_are_data_classes(extension: types.ModuleType) -> None:
    command = extension.GetQuota("user")
    assert dataclasses.replace(command, root="other") == extension.GetQuota("other")
    assert dataclasses.asdict(command) == {"root": "user"}
    assert "GetQuota(root='user')" in repr(command)
    with pytest.raises(dataclasses.FrozenInstanceError):
        command.root = "other"


def test_any_client_runs_the_command(extension: types.ModuleType, imap_server: Server) -> None:
    """As the page says: `client.run(GetQuota(""))`. This server does not offer QUOTA."""
    with (
        Client.connect(
            imap_server.host,
            imap_server.port,
            user=imap_server.user,
            password=imap_server.password,
            security=Security.PLAIN,
        ) as client,
        pytest.raises(Exception, match="QUOTA"),
    ):
        client.run(extension.GetQuota(""))
