"""What is loaded when: starting up is most of what a short session takes."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import imaplus
from imaplus.testing import Server, sample_mailbox

SOURCE = Path(__file__).parents[1] / "src"
COSTLY = {
    "asyncio",
    "dataclasses",
    "datetime",
    "email",
    "encodings.idna",
    "hashlib",
    "inspect",
    "json",
    "logging",
    "ssl",
    "subprocess",
}
"""Modules of the standard library that no plain session needs."""
TO_CONNECT = {"select", "socket", "threading"}
"""Those that are for those who connect to something."""
FOR_MESSAGES = {
    "imaplus.core.append",
    "imaplus.core.bodystructure",
    "imaplus.core.envelope",
    "imaplus.core.fetched",
    "imaplus.core.search",
    "imaplus.core.search_query",
    "imaplus.flows.messages",
}
"""Modules of ours that are for those who open a mailbox."""
CONNECT = """
from imaplus import Client, Security
host, port, user, password = sys.argv[1:]
options = {"user": user, "password": password, "mechanisms": ["PLAIN"]}  # SCRAM needs hashlib
client = Client.connect(host, int(port), security=Security.PLAIN, **options)
"""


def loaded(code: str, *words: str) -> set[str]:
    """The modules that a program has loaded at its end, which writes something first."""
    # -S: what site-packages load as Python starts is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys\n{code}\nprint(*sys.modules)", *words],
        env={"PYTHONPATH": str(SOURCE)},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def session(code: str) -> set[str]:
    """The modules that a session with the embedded server has loaded."""
    with Server() as server:
        sample_mailbox(server)
        words = server.host, str(server.port), server.user, server.password
        return loaded(CONNECT + code, *words)


def test_the_package_loads_nothing_of_its_own() -> None:
    ours = {name for name in loaded("import imaplus") if name.startswith("imaplus.")}
    assert ours == {"imaplus.version"}


def test_the_client_loads_what_every_session_needs() -> None:
    modules = loaded("from imaplus import Client")
    assert "imaplus.client._sync" in modules
    assert sorted(modules & (COSTLY | FOR_MESSAGES | TO_CONNECT)) == []


def test_so_does_the_async_client() -> None:
    modules = loaded("from imaplus import AsyncClient")
    assert sorted(modules & (COSTLY | FOR_MESSAGES | TO_CONNECT)) == []


def test_a_session_without_a_mailbox_needs_nothing_that_is_for_messages() -> None:
    modules = session("client.list(status=['MESSAGES']); client.status('INBOX'); client.logout()")
    assert sorted(modules & (COSTLY | FOR_MESSAGES)) == []


def test_an_open_mailbox_loads_what_reads_its_messages() -> None:
    modules = session("client.select('INBOX')")
    assert modules >= {"imaplus.core.fetched", "imaplus.core.items"}
    assert sorted(modules & {"asyncio", "dataclasses", "email", "ssl"}) == []


def test_whoever_runs_the_command_alone_can_read_what_comes_unasked() -> None:
    """The parsers of FETCH are there without the client's mailbox, too."""
    modules = loaded(
        "from imaplus.core.mailboxes import Select\n"
        "from imaplus.protocol.connection import Connection\n"
        "connection = Connection(secure=True)\n"
        "connection.receive_data(b'* PREAUTH ready\\r\\n')\n"
        "connection.send(Select('INBOX'))\n"
        "connection.receive_data(b'* 1 EXISTS\\r\\n')\n"
        "heard = connection.receive_data(b'* 1 FETCH (FLAGS (a))\\r\\n')\n"
        "assert 'imaplus.core.fetched' in sys.modules"
    )
    assert "imaplus.client._sync" not in modules


# -- the public names ------------------------------------------------------------------------------


def declared() -> dict[str, tuple[str, str]]:
    """What type checkers see in `imaplus`: a module and the name there, by public name."""
    tree = ast.parse((SOURCE / "imaplus" / "__init__.py").read_text())
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("imaplus.")
        for alias in node.names
        if alias.name != "__version__"
    }


def test_all_public_names_are_declared() -> None:
    assert sorted(declared()) == sorted(imaplus.__all__)
    assert set(imaplus.__all__) <= set(dir(imaplus))


@pytest.mark.parametrize("name", imaplus.__all__)
def test_a_public_name_is_what_type_checkers_take_it_for(name: str) -> None:
    module, there = declared()[name]
    assert getattr(imaplus, name) is getattr(import_module(module), there)


def test_other_names_are_none() -> None:
    for name in ("Nothing", "nothing", "From"):
        with pytest.raises(AttributeError, match=name):
            getattr(imaplus, name)


def test_public_modules_are_there_without_further_imports() -> None:
    modules = loaded("import imaplus\nimaplus.search.From, imaplus.errors.Rejected")
    assert "imaplus.search" in modules
    assert "imaplus.sansio" not in modules


def test_no_public_name_is_that_of_a_builtin() -> None:
    assert set(vars(builtins)).isdisjoint(imaplus.__all__)
    assert set(vars(builtins)).isdisjoint(map(str.lower, imaplus.__all__))


def test_there_are_few_public_names() -> None:
    assert len(imaplus.__all__) <= 60
