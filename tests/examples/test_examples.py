"""Every Python example, of every page and every docstring, runs as it stands.

It imports public names only, and it runs against the embedded server with the sample mailbox; on
the page for users of imaplib, with three letters. A block that defines a test is run as one.
"""

from __future__ import annotations

import imaplib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaplus.testing import Server, sample_mailbox

from .finding import (
    PAGES,
    Example,
    docstrings,
    fenced,
    indented,
    looks_like_code,
    not_public,
    of_docstrings,
    of_pages,
)
from .running import HOST, run, three_letters

ON_PAGES = of_pages()
IN_DOCSTRINGS = of_docstrings()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    callspec = getattr(request.node, "callspec", None)
    example = callspec.params.get("example") if callspec is not None else None
    with Server() as server:
        if example is not None and "from-imaplib" in example.where:
            three_letters(server)
        else:
            sample_mailbox(server)
        yield server


def test_there_are_examples() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "pipelining.md", "from-imaplib.md"}
    assert sum("Client.connect(" in example.code for example in ON_PAGES) >= 4
    assert {example.where for example in IN_DOCSTRINGS} >= {
        "imaplus.__init__",
        "imaplus.client._async.pipeline",
        "imaplus.client._sync.pipeline",
        "imaplus.testing.__init__",
    }


@pytest.mark.parametrize("example", ON_PAGES + IN_DOCSTRINGS, ids=lambda example: example.where)
def test_an_example_imports_public_names_only(example: Example) -> None:
    assert not_public(example.code) == []


@pytest.mark.parametrize("example", ON_PAGES, ids=lambda example: example.where)
def test_the_example_of_a_page_runs(
    example: Example,
    server: Server,
    imap_server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "imaplib", imaplib)  # an example puts another there
    names = run(example.code, server)
    for name, value in names.items():
        if name.startswith("test_") and inspect.isfunction(value):
            value(imap_server)
    ran_to_its_end(example, server, capsys.readouterr().out)
    for file in tmp_path.glob("*.eml"):
        assert file.stat().st_size > 0


@pytest.mark.parametrize("example", IN_DOCSTRINGS, ids=lambda example: example.where)
def test_the_example_of_a_docstring_runs(
    example: Example, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    run(example.code, server, everything=True)
    ran_to_its_end(example, server, capsys.readouterr().out)


def ran_to_its_end(example: Example, server: Server, printed: str) -> None:
    if HOST in example.code:
        assert server.commands
        assert server.commands[0][-1].endswith(" LOGOUT")
    if "print(" in example.code and "def test_" not in example.code:
        assert printed


def test_no_example_of_a_docstring_is_overlooked() -> None:
    """What is indented and looks like Python stands below a line that ends in `::`."""
    overlooked = [
        where
        for where, text in docstrings()
        for is_code, block in indented(text)
        if not is_code and looks_like_code(block)
    ]
    assert overlooked == []


def test_no_example_of_a_page_is_overlooked() -> None:
    """What is fenced and looks like Python says so."""
    overlooked = [
        page.name for page in PAGES for block in fenced(page, "") if looks_like_code(block)
    ]
    assert overlooked == []


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("from imaplus.wire.sources import Octets", ["imaplus.wire.sources.Octets"]),
        ("import imaplus.client", ["imaplus.client"]),
        ("import imaplus\nimaplus.wire.sets.STAR", ["imaplus.wire"]),
        ("from imaplus import Client, Hidden", ["imaplus.Hidden"]),
        ("from imaplus.testing import _HOMES", ["imaplus.testing._HOMES"]),
        ("import asyncio\nfrom imaplus import imaplib\nimport imaplus\nimaplus.errors", []),
    ],
)
def test_what_is_not_public_is_found(code: str, wrong: list[str]) -> None:
    assert not_public(code) == wrong


def test_a_broken_example_would_fail(server: Server) -> None:
    with pytest.raises(AttributeError):
        run("import imaplus\nimaplus.Client.conect()", server)
    with pytest.raises(NameError):
        run("print(nothing)", server)
    with pytest.raises(AssertionError):
        run("await client.noop()\nassert (await client.status('INBOX')).messages == 0", server)
