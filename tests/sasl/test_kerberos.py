"""GSSAPI without Kerberos: the order of messages, with a library that only counts them.

tests/live/test_kerberos.py has the real one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from imaplus.errors import InvalidArgument, ProtocolError, UsageError
from imaplus.sasl import Gssapi, Kerberos, choose, kerberos


class GSSError(Exception):
    pass


class Context:
    """A security context that is complete when it has taken `rounds` tokens."""

    rounds = 1
    actual_flags = 2
    fails_at: int | None = None

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.taken: list[bytes | None] = []

    @property
    def complete(self) -> bool:
        return len(self.taken) > self.rounds

    def step(self, token: bytes | None) -> bytes | None:
        if self.fails_at == len(self.taken):
            raise GSSError("No credentials\n  were supplied")
        self.taken.append(token)
        return None if self.complete else b"token%d" % len(self.taken)

    def unwrap(self, data: bytes) -> Any:
        if not data.startswith(b"wrapped:"):
            raise GSSError("bad wrapping")
        return SimpleNamespace(message=data.removeprefix(b"wrapped:"))

    def wrap(self, data: bytes, encrypt: bool) -> Any:
        assert not encrypt
        return SimpleNamespace(message=b"wrapped:" + data)


class Library:
    MechType = SimpleNamespace(kerberos="krb5")
    NameType = SimpleNamespace(hostbased_service="service", user="user")
    RequirementFlag = SimpleNamespace(mutual_authentication=2, integrity=32)
    exceptions = SimpleNamespace(GSSError=GSSError)
    SecurityContext: Any = Context

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []

    def Name(self, text: str, kind: str) -> str:  # noqa: N802
        self.names.append((text, kind))
        return text

    def Credentials(self, **facts: Any) -> dict[str, Any]:  # noqa: N802
        if facts["name"] == "nobody":
            raise GSSError("no such principal")
        return facts


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    library.SecurityContext = type("Context", (Context,), {})
    monkeypatch.setattr(kerberos, "_library", lambda: library)
    return library


def test_a_login(library: Library) -> None:
    mechanism = Gssapi(Kerberos("ann@X.ORG", "bob"), host="imap.x.org")
    steps = mechanism.start()
    assert next(steps) is None
    assert steps.send(b"") == b"token1"
    assert steps.send(b"from the server") == b""
    with pytest.raises(ProtocolError, match="before it was complete"):
        mechanism.check()
    assert steps.send(b"wrapped:\x07\0\x10\0") == b"wrapped:\x01\0\0\0bob"
    mechanism.check()
    with pytest.raises(StopIteration):
        steps.send(b"")
    assert library.names == [("imap@imap.x.org", "service"), ("ann@X.ORG", "user")]


def test_the_host_of_the_principal_may_be_another(library: Library) -> None:
    steps = Gssapi(Kerberos(host="cluster.x.org"), host="node1.x.org").start()
    next(steps)
    steps.send(b"")
    assert library.names == [("imap@cluster.x.org", "service")]


@pytest.mark.parametrize(
    ("facts", "challenges", "error", "match"),
    [
        ({}, [b"hello"], ProtocolError, "speaks first"),
        ({"fails_at": 0}, [b""], UsageError, "no Kerberos ticket for imap@h: No credentials were"),
        ({"fails_at": 1}, [b"", b"x"], ProtocolError, "token is not accepted"),
        ({"actual_flags": 0}, [b"", b"x"], ProtocolError, "does not prove who it is"),
        ({}, [b"", b"x", b"junk"], ProtocolError, "offer is not accepted"),
        ({}, [b"", b"x", b"wrapped:\x06\0\0\0"], ProtocolError, "insists on a security layer"),
        ({}, [b"", b"x", b"wrapped:\x01"], ProtocolError, "insists on a security layer"),
    ],
)
def test_what_goes_wrong(
    library: Library,
    facts: dict[str, object],
    challenges: list[bytes],
    error: type[Exception],
    match: str,
) -> None:
    for name, value in facts.items():
        setattr(library.SecurityContext, name, value)
    mechanism = Gssapi(Kerberos(), host="h")
    steps = mechanism.start()
    next(steps)
    for challenge in challenges[:-1]:
        steps.send(challenge)
    with pytest.raises(error, match=match):
        steps.send(challenges[-1])
    assert not mechanism.done


def test_a_principal_without_credentials(library: Library) -> None:
    steps = Gssapi(Kerberos("nobody"), host="h").start()
    next(steps)
    with pytest.raises(UsageError, match="no Kerberos ticket: no such principal"):
        steps.send(b"")


def test_without_the_package_it_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise ModuleNotFoundError("gssapi")

    monkeypatch.setattr(kerberos, "_library", missing)
    assert choose(Kerberos(), ["GSSAPI"], secure=True) == []
    monkeypatch.setattr(kerberos, "_library", Library)
    assert [each.name for each in choose(Kerberos(), ["GSSAPI"], secure=False)] == ["GSSAPI"]


@pytest.mark.parametrize("make", [lambda: Kerberos("a\0"), lambda: Kerberos(host="a b")])
def test_what_cannot_be_a_principal(make: Any) -> None:
    with pytest.raises(InvalidArgument):
        make()
