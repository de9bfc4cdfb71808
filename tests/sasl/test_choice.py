"""Which mechanism is chosen, and that the page on logging in says so."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from imaplus.sasl import (
    Anonymous,
    BearerToken,
    ChannelBinding,
    Credentials,
    External,
    Kerberos,
    Mechanism,
    Password,
    choose,
)
from imaplus.sasl.scram import Scram

from .documented import rows

ADA = Password("ada", "hunter2")
UNIQUE = ChannelBinding("tls-unique", b"finished")
EXPORTER = ChannelBinding("tls-exporter", b"exported")
END_POINT = ChannelBinding("tls-server-end-point", b"hash")
TLS_1_2, TLS_1_3, NEWER_PYTHON = [UNIQUE, END_POINT], [END_POINT], [EXPORTER, END_POINT]
PLUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
BARE = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]


class Own(Mechanism):
    name = "X-OWN"
    plain_text = True

    def start(self) -> Generator[bytes | None, bytes, None]:
        yield b""


def flag(mechanism: Mechanism) -> str:
    """The gs2-cb-flag that SCRAM begins with."""
    first = next(mechanism.start())
    return (first or b"").split(b",")[0].decode()


@pytest.mark.parametrize(
    ("bindings", "offered", "allowed", "name", "gs2"),
    [
        (TLS_1_2, PLUS, None, "SCRAM-SHA-256-PLUS", "p=tls-unique"),
        (NEWER_PYTHON, PLUS, None, "SCRAM-SHA-256-PLUS", "p=tls-exporter"),
        (TLS_1_3, PLUS, None, "SCRAM-SHA-256", "n"),  # servers hang up on tls-server-end-point
        (TLS_1_3, PLUS, ["scram-sha-256-plus"], "SCRAM-SHA-256-PLUS", "p=tls-server-end-point"),
        ([], PLUS, None, "SCRAM-SHA-256", "n"),
        (TLS_1_2, BARE, None, "SCRAM-SHA-256", "y"),
        (NEWER_PYTHON, BARE, None, "SCRAM-SHA-256", "y"),
        (TLS_1_3, BARE, None, "SCRAM-SHA-256", "n"),
        (TLS_1_3, BARE, PLUS, "SCRAM-SHA-256", "y"),
        ([], BARE, None, "SCRAM-SHA-256", "n"),
        (TLS_1_2, PLUS, BARE, "SCRAM-SHA-256", "n"),  # the caller does not want to
        (TLS_1_2, [*PLUS, "SCRAM-SHA-512"], None, "SCRAM-SHA-256-PLUS", "p=tls-unique"),
        (TLS_1_2, ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256"], BARE, "SCRAM-SHA-256", "n"),
    ],
)
def test_binding_comes_first_and_the_server_is_told(
    bindings: list[ChannelBinding],
    offered: list[str],
    allowed: list[str] | None,
    name: str,
    gs2: str,
) -> None:
    first = choose(ADA, offered, secure=True, allowed=allowed, bindings=lambda: bindings)[0]
    assert isinstance(first, Scram)
    assert (first.name, flag(first)) == (name, gs2)


@pytest.mark.parametrize(
    ("secure", "in_clear", "names"),
    [
        (True, False, "PLAIN CRAM-MD5 LOGIN"),  # RFC 8314
        (False, False, "CRAM-MD5"),
        (False, True, "CRAM-MD5 PLAIN LOGIN"),
    ],
)
def test_a_readable_password_is_for_tls(secure: bool, in_clear: bool, names: str) -> None:
    found = choose(ADA, [*names.split(), "PLAIN"], secure=secure, in_clear=in_clear)
    assert [mechanism.name for mechanism in found] == names.split()


def test_a_mechanism_of_ones_own_is_the_credentials() -> None:
    own = Own()
    assert choose(own, ["x-own", "PLAIN"], secure=True) == [own]
    assert choose(own, ["X-OWN"], secure=False) == []
    assert choose(own, ["X-OWN"], secure=False, in_clear=True) == [own]
    assert choose(own, ["PLAIN"], secure=True) == []
    assert choose(own, ["X-OWN"], secure=True, allowed=["PLAIN"]) == []


def test_the_page_has_every_mechanism_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from imaplus.sasl import Gssapi

    monkeypatch.setattr(Gssapi, "available", staticmethod(lambda: True))
    table = rows()
    names = [row.mechanism for row in table]
    who: list[Credentials] = [ADA, BearerToken("ada", "t"), External(), Anonymous(), Kerberos()]
    found: list[tuple[str, str]] = []
    for each in who:
        chosen = choose(each, names, secure=True, bindings=lambda: TLS_1_2)
        found += [(mechanism.name, f"`{type(each).__name__}`") for mechanism in chosen]
    assert found == [(row.mechanism, row.credentials) for row in table]


def test_the_page_says_which_need_tls() -> None:
    for row in rows():
        who = BearerToken("ada", "t") if row.credentials == "`BearerToken`" else ADA
        if row.credentials in ("`BearerToken`", "`Password`") and "-PLUS" not in row.mechanism:
            in_clear = choose(who, [row.mechanism], secure=False)
            assert ("under TLS" in row.chosen) == (not in_clear), row
