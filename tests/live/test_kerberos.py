"""GSSAPI (RFC 4752) against a key distribution centre that these tests start."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import pytest

from imaplus import AsyncClient, AuthenticationFailed, Client, Security, UsageError
from imaplus.credentials import Kerberos

from .kerberos import Missing, Realm
from .lab import LabServer


@pytest.fixture(scope="module")
def realm(dovecot: LabServer) -> Iterator[Realm]:
    if importlib.util.find_spec("gssapi") is None:
        pytest.skip("Kerberos needs the package gssapi: pip install imaplus[kerberos]")
    try:
        realm = Realm(dovecot)
    except Missing as error:
        pytest.skip(str(error))
    yield realm
    realm.close()


@pytest.fixture
def as_user(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives the test process the ticket of a user."""
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)

    def become(user: str) -> None:
        monkeypatch.setenv("KRB5CCNAME", realm.ticket(user))

    return become


def test_a_ticket_logs_in(realm: Realm, as_user: Callable[[str], None]) -> None:
    as_user("alice")
    with Client.connect(
        "localhost", realm.port, security=Security.PLAIN, credentials=Kerberos()
    ) as client:
        client.create("Only Alice's")
    as_user("bob")
    with Client.connect(
        "localhost", realm.port, security=Security.PLAIN, credentials=Kerberos("bob")
    ) as client:
        assert "Only Alice's" not in [entry.name for entry in client.list()]
    assert "method=GSSAPI" in realm.log()


async def test_so_it_does_in_the_async_client(realm: Realm, as_user: Callable[[str], None]) -> None:
    as_user("alice")
    async with await AsyncClient.connect(
        "localhost", realm.port, security=Security.PLAIN, credentials=Kerberos()
    ) as client:
        assert (await client.select("INBOX")).exists == 0


def test_one_may_not_act_as_another(realm: Realm, as_user: Callable[[str], None]) -> None:
    as_user("alice")
    with pytest.raises(AuthenticationFailed) as caught:
        Client.connect(
            "localhost", realm.port, security=Security.PLAIN, credentials=Kerberos(authzid="bob")
        )
    assert caught.value.mechanism == "GSSAPI"


@pytest.mark.usefixtures("as_user")
def test_without_a_ticket_nothing_is_sent(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.directory}/none")
    with pytest.raises(UsageError, match="no Kerberos ticket"):
        Client.connect("localhost", realm.port, security=Security.PLAIN, credentials=Kerberos())


def test_a_server_that_the_realm_does_not_know(
    realm: Realm, as_user: Callable[[str], None]
) -> None:
    as_user("alice")
    with pytest.raises(UsageError, match="no Kerberos ticket for imap@elsewhere"):
        Client.connect(
            "localhost", realm.port, security=Security.PLAIN, credentials=Kerberos(host="elsewhere")
        )
