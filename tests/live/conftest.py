"""Fixtures of the live tests: one for each server of the lab, started when first asked for.

A server that is not installed skips its tests and says so; with IMAPLUS_REQUIRE_SERVERS=1 in the
environment it fails them instead, so that no machine of ours can leave them out unseen.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaplus import Client

from .lab import Lab, LabServer, NotInstalledError, remove_orphans
from .sessions import log_in, prefix

SERVERS = ("dovecot", "dovecot_next", "cyrus", "cyrus_bpo", "courier")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    remove_orphans()
    lab = Lab()
    yield lab
    lab.close()


def start(lab: Lab, name: str) -> LabServer:
    try:
        return lab.up(name)
    except NotInstalledError as error:
        if os.environ.get("IMAPLUS_REQUIRE_SERVERS"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def dovecot(lab: Lab) -> LabServer:
    """Dovecot 2.3: IMAP4rev1 with LITERAL+ and most extensions."""
    return start(lab, "dovecot")


@pytest.fixture(scope="session")
def dovecot_next(lab: Lab) -> LabServer:
    """Dovecot 2.4: UTF8=ACCEPT and LITERAL-; Debian builds it without IMAP4rev2."""
    return start(lab, "dovecot-next")


@pytest.fixture(scope="session")
def cyrus(lab: Lab) -> LabServer:
    """Cyrus 3.6: IMAP4rev1 with LITERAL+, CONDSTORE and QRESYNC."""
    return start(lab, "cyrus")


@pytest.fixture(scope="session")
def cyrus_bpo(lab: Lab) -> LabServer:
    """Cyrus 3.10: IMAP4rev2, COMPRESS=DEFLATE."""
    return start(lab, "cyrus-bpo")


@pytest.fixture(scope="session")
def courier(lab: Lab) -> LabServer:
    """Courier 5.0: IMAP4rev1 without LITERAL+."""
    return start(lab, "courier")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> LabServer:
    """Each of them in turn."""
    found: LabServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def client(server: LabServer) -> Iterator[Client]:
    """A session on each server in turn."""
    with log_in(server) as client:
        yield client


@pytest.fixture
def fresh(server: LabServer, client: Client) -> Iterator[str]:
    """A mailbox with a name that is not ASCII, empty, and deleted afterwards."""
    name = f"{prefix(server)}Test & Übung 日本 {secrets.token_hex(4)}"
    client.create(name)
    yield name
    with log_in(server) as other:
        other.delete(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded as "live": which server has what."""
    reports = (each for reports in terminalreporter.stats.values() for each in reports)
    told = {
        str(value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "live"
    }
    if told:
        terminalreporter.section("on real servers")
        for line in sorted(told):
            terminalreporter.write_line(line)
