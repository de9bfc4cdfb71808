"""Every Python example of these pages runs as it stands, against the embedded server.

Where an example connects to imap.example.org, it gets the embedded server with the sample mailbox.
A block that defines a test is run as one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import imaplus
from imaplus import Security, Tcp
from imaplus.testing import Server, sample_mailbox

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "pipelining.md"]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
]
HOST = "imap.example.org"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        sample_mailbox(server)
        yield server


def redirected(connect: Callable[..., Any], server: Server) -> Callable[..., Any]:
    """The client's `connect`, for which the examples' host is the embedded server."""

    def to_the_server(cls: type, where: object, *args: object, **options: Any) -> Any:
        if where == HOST:
            where = Tcp(server.host, server.port, Security.PLAIN)
            options["security"] = Security.PLAIN
        return connect(cls, where, *args, **options)

    return to_the_server


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 3
    assert sum("Client.connect(" in block for block in BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_example(
    block: str,
    server: Server,
    imap_server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for client in (imaplus.Client, imaplus.AsyncClient):
        connect: Any = client.connect
        redirect = redirected(connect.__func__, server)
        monkeypatch.setattr(client, "connect", classmethod(redirect))
    names: dict[str, Any] = {"imaplus": imaplus, "__name__": "readme"}
    exec(compile(block, "example", "exec"), names)
    for name, value in names.items():
        if name.startswith("test_") and inspect.isfunction(value):
            value(imap_server)
    if server.sessions:
        assert server.commands[0][-1].endswith(" LOGOUT"), "the example ran to its end"
        assert capsys.readouterr().out
    for file in tmp_path.glob("*.eml"):
        assert file.stat().st_size > 0


def test_a_broken_example_would_fail() -> None:
    with pytest.raises(AttributeError):
        exec("import imaplus\nimaplus.Client.conect()", {})
    assert inspect.iscoroutinefunction(imaplus.AsyncClient.connect)
