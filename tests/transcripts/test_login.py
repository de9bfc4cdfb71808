"""Each SASL mechanism, with the examples of its RFC where there are some, and how it can fail."""

from __future__ import annotations

from collections.abc import Callable

from imaplus.core.session import Authenticate, Noop
from imaplus.errors import AuthenticationFailed, ProtocolError
from imaplus.flows import login as login_flow
from imaplus.flows.login import LoginOptions
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.protocol.state import State
from imaplus.sasl import (
    Anonymous,
    BearerToken,
    Credentials,
    External,
    OAuthBearer,
    Password,
    ScramSha1,
    ScramSha256,
)
from imaplus.sasl.scram import Scram

from .dialogue import Cases, Fails, each_way

TIM = Password("tim", "tanstaaf")
TIM_OF_RFC_2195 = Password("tim", "tanstaaftanstaaf")
ANN = BearerToken("ann@x.org", "vF9dft4qmT")
RFC_7628 = BearerToken("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")
USER = Password("user", "pencil")


def login(credentials: Credentials) -> Callable[[Connection], Flow[None]]:
    return lambda c: login_flow.authenticate(c, credentials, LoginOptions(in_clear=True))


def scram(
    kind: type[Scram], nonce: str, *, at_once: bool = False
) -> Callable[[Connection], Authenticate]:
    return lambda c: Authenticate(kind(USER, nonce=nonce), at_once)


def is_in(connection: Connection) -> object:
    return connection.state is State.AUTHENTICATED


SCRAM_256 = scram(ScramSha256, "rOprNGfwEbeRWgbNEkqO")

CASES: Cases = {
    "sasl-plain": [(login(TIM), None), (is_in, True)],
    "sasl-plain-at-once": [(login(Password("Kurt", "xipj3plmq", "Ursel")), None), (is_in, True)],
    "sasl-login": [(login(TIM), None), (is_in, True)],
    "sasl-cram-md5": [(login(TIM_OF_RFC_2195), None), (is_in, True)],
    "sasl-scram-sha-1": [(scram(ScramSha1, "fyko+d2lbbFgONRv9qkxdawL"), None), (is_in, True)],
    "sasl-scram-sha-256": [
        (scram(ScramSha256, "rOprNGfwEbeRWgbNEkqO", at_once=True), None),
        (is_in, True),
    ],
    "sasl-scram-wrong-signature": [
        (SCRAM_256, Fails(ProtocolError, "does not prove")),
        (is_in, False),
    ],
    "sasl-scram-cut-short": [(SCRAM_256, Fails(ProtocolError, "before it was complete"))],
    "sasl-scram-wrong-password": [
        (SCRAM_256, Fails(AuthenticationFailed)),
        (is_in, False),
    ],
    "sasl-xoauth2": [(login(ANN), None), (is_in, True)],
    "sasl-oauthbearer": [
        (
            lambda c: login_flow.authenticate(
                c, RFC_7628, LoginOptions(in_clear=True, host="server.example.com", port=143)
            ),
            None,
        ),
        (is_in, True),
    ],
    "sasl-oauthbearer-refused": [
        (login(ANN), Fails(AuthenticationFailed, "status: invalid_token, scope: example_scope")),
        (is_in, False),
    ],
    "sasl-external": [(login(External()), None), (is_in, True)],
    "sasl-anonymous": [(login(Anonymous("sirhc")), None), (is_in, True)],
    "sasl-refused": [
        (login(Password("tim", "wrong")), Fails(AuthenticationFailed, code="EXPIRED")),
        (Noop(), None),
        (is_in, False),
    ],
    "sasl-not-base64": [
        (login(TIM), Fails(ProtocolError, "not base64")),
        (Noop(), None),
    ],
    "sasl-endless": [
        (
            lambda c: login_flow.authenticate(c, ANN, LoginOptions(in_clear=True)),
            Fails(ProtocolError, "after the mechanism's last response"),
        ),
        (is_in, False),
    ],
    "sasl-strongest-first": [
        (login(TIM_OF_RFC_2195), Fails(AuthenticationFailed)),
        (Noop(), None),
    ],
}

test_login = each_way(CASES)


def test_a_token_is_in_no_error() -> None:
    assert "vF9dft" not in repr(OAuthBearer(ANN)) + repr(ANN)
