"""SASL: the RFCs' own exchanges, hostile servers, and secrets that stay secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaplus.errors import ImapError, InvalidArgument, ProtocolError, UsageError
from imaplus.sasl import (
    Anonymous,
    AnonymousMechanism,
    BearerToken,
    CramMd5,
    Credentials,
    External,
    ExternalMechanism,
    Login,
    Mechanism,
    OAuthBearer,
    Password,
    Plain,
    ScramSha1,
    ScramSha256,
    XOAuth2,
    choose,
)
from imaplus.sasl.mechanism import MAX_ERROR_DETAILS
from imaplus.wire.saslprep import saslprep
from imaplus.wire.secret import Secret

SCRAM_1 = (  # RFC 5802, 5
    b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
)
SCRAM_256 = (  # RFC 7677, 3
    b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    ),
    b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
)
ADA = Password("ada", "hunter2")


def run(mechanism: Mechanism, *challenges: bytes) -> list[bytes | None]:
    """Everything the client says; it must have said all it has after the last challenge."""
    steps = mechanism.start()
    said = [next(steps), *(steps.send(challenge) for challenge in challenges)]
    with pytest.raises(StopIteration):
        steps.send(b"one more")
    return said


def rfc5802() -> ScramSha1:
    return ScramSha1(Password("user", "pencil"), nonce="fyko+d2lbbFgONRv9qkxdawL")


def rfc7677() -> ScramSha256:
    return ScramSha256(Password("user", "pencil"), nonce="rOprNGfwEbeRWgbNEkqO")


# The RFCs' exchanges


@pytest.mark.parametrize(("mechanism", "lines"), [(rfc5802(), SCRAM_1), (rfc7677(), SCRAM_256)])
def test_scram_as_in_the_rfcs(mechanism: Mechanism, lines: tuple[bytes, ...]) -> None:
    client_first, server_first, client_final, server_final = lines
    assert run(mechanism, server_first, server_final) == [client_first, client_final, b""]
    mechanism.check()


def test_cram_md5_as_in_rfc_2195() -> None:
    mechanism = CramMd5(Password("tim", "tanstaaftanstaaf"))
    assert run(mechanism, b"<1896.697170952@postoffice.reston.mci.net>") == [
        None,
        b"tim b913a602c7eda7a495b4e6e7334d3890",
    ]
    mechanism.check()


def test_oauthbearer_as_in_rfc_7628() -> None:
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    mechanism = OAuthBearer(
        BearerToken("user@example.com", token), host="server.example.com", port=143
    )
    steps = mechanism.start()
    first = next(steps)
    assert first is not None
    assert base64.b64encode(first) == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVy"
        b"IHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    mechanism.check()
    error = base64.b64decode(  # 4.3
        "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3Vy"
        "YXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
    )
    assert steps.send(error) == b"\1"
    assert mechanism.error_details == (
        "status: invalid_token, scope: example_scope, "
        "openid-configuration: https://example.com/.well-known/openid-configuration"
    )
    with pytest.raises(ProtocolError):
        mechanism.check()


# The simple ones


@pytest.mark.parametrize(
    ("mechanism", "first"),
    [
        (Plain(Password("tim", "tanstaaftanstaaf")), b"\0tim\0tanstaaftanstaaf"),  # RFC 4616, 4
        (Plain(Password("Kurt", "xipj3plmq", "Ursel")), b"Ursel\0Kurt\0xipj3plmq"),
        (Plain(Password("ä", "ß")), b"\0\xc3\xa4\0\xc3\x9f"),
        (ExternalMechanism(External()), b""),
        (ExternalMechanism(External("fred@example.com")), b"fred@example.com"),
        (AnonymousMechanism(Anonymous("sirhc")), b"sirhc"),  # RFC 4505, 4
    ],
)
def test_mechanisms_of_one_message(mechanism: Mechanism, first: bytes) -> None:
    assert mechanism.client_first
    with pytest.raises(ProtocolError):
        mechanism.check()
    assert run(mechanism) == [first]
    mechanism.check()


@pytest.mark.parametrize(
    ("prompts", "answers"),
    [
        ((b"Username:", b"Password:"), (b"ada", b"hunter2")),
        ((b"User Name\0", b"Password\0"), (b"ada", b"hunter2")),  # quirk 82
        ((b"", b""), (b"ada", b"hunter2")),
        ((b"Benutzer:", b"Kennwort:"), (b"ada", b"hunter2")),
        ((b"PASSWORD:", b"USERNAME:"), (b"hunter2", b"ada")),
    ],
)
def test_login_answers_what_is_asked(
    prompts: tuple[bytes, bytes], answers: tuple[bytes, bytes]
) -> None:
    mechanism = Login(ADA)
    assert run(mechanism, *prompts) == [None, *answers]
    mechanism.check()


def test_xoauth2_explains_its_failure() -> None:
    mechanism = XOAuth2(BearerToken("ada@example.org", "ya29.secret-token"))
    steps = mechanism.start()
    assert next(steps) == b"user=ada@example.org\1auth=Bearer ya29.secret-token\1\1"
    mechanism.check()
    assert steps.send(b'{"status":"400","scope":"https://mail.google.com/"}') == b""
    assert mechanism.error_details == "status: 400, scope: https://mail.google.com/"
    assert run(mechanism, b"")[-1] == b""  # another attempt starts afresh
    assert mechanism.error_details == ""


@pytest.mark.parametrize(
    "challenge",
    [
        b"ya29.token expired",
        b'{"status": "ya29.token expired"}',
        b'["ya29.token"]',
        b"\xffya29.token",
        b"[" * 100_000,
        b'{"a":' + b"9" * 10_000 + b"}",
        b"x" * 490 + b"ya29.token",  # cut only once it is redacted
        b"null",
    ],
)
def test_what_a_server_explains_is_bounded_and_holds_no_token(challenge: bytes) -> None:
    mechanism = XOAuth2(BearerToken("ada", "ya29.token"))
    run(mechanism, challenge)
    assert mechanism.error_details is not None
    assert len(mechanism.error_details) <= MAX_ERROR_DETAILS
    assert "ya29" not in mechanism.error_details


def test_oauthbearer_escapes_the_user() -> None:
    assert run(OAuthBearer(BearerToken("a=b,c", "t")), b"{}")[0] == (
        b"n,a=a=3Db=2Cc,\1auth=Bearer t\1\1"
    )


def test_md5_may_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> bytes:
        raise ValueError("unsupported hash type")

    monkeypatch.setattr(hmac, "digest", refuse)
    with pytest.raises(UsageError, match="MD5"):
        next(CramMd5(ADA).start())
    assert [m.name for m in choose(ADA, ["CRAM-MD5", "PLAIN"], secure=True)] == ["PLAIN"]


# SCRAM against servers that cannot be trusted


def serve_scram(
    first: bytes | None, password: str, *, salt: bytes = b"salt", iterations: int = 4096
) -> tuple[bytes, Callable[[bytes | None], bytes]]:
    """A server's side of SCRAM-SHA-256, written down separately from the client's."""
    assert first is not None
    _, _, bare = first.split(b",", 2)
    nonce = bare.split(b",r=")[1] + b"server"
    server_first = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), iterations)

    def finish(final: bytes | None) -> bytes:
        assert final is not None
        without_proof, proof = final.rsplit(b",p=", 1)
        auth = b",".join((bare, server_first, without_proof))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
        client_key = hmac.new(salted, b"Client Key", "sha256").digest()
        signature = hmac.new(hashlib.sha256(client_key).digest(), auth, "sha256").digest()
        recovered = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if recovered != client_key:
            return b"e=invalid-proof"
        server_key = hmac.new(salted, b"Server Key", "sha256").digest()
        return b"v=" + base64.b64encode(hmac.new(server_key, auth, "sha256").digest())

    return server_first, finish


def scram_with(mechanism: Mechanism, password: str) -> list[bytes | None]:
    steps = mechanism.start()
    first = next(steps)
    server_first, finish = serve_scram(first, password)
    final = steps.send(server_first)
    return [first, final, steps.send(finish(final))]


def test_scram_with_a_random_nonce_and_an_authzid() -> None:
    mechanism = ScramSha256(Password("a=da,", "p\u00aass", "b=ob,"))
    first, final, last = scram_with(mechanism, "pass")  # SASLprep makes U+00AA an "a"
    assert first is not None
    assert first.startswith(b"n,a=b=3Dob=2C,n=a=3Dda=2C,r=")
    assert final is not None
    assert final.startswith(b"c=" + base64.b64encode(b"n,a=b=3Dob=2C,") + b",r=")
    assert last == b""
    mechanism.check()
    again = next(mechanism.start())
    assert again != first  # a nonce is for one attempt
    with pytest.raises(ProtocolError):
        mechanism.check()


def test_scram_notes_the_servers_error_and_is_not_done() -> None:
    mechanism = ScramSha256(ADA)
    assert scram_with(mechanism, "another")[-1] == b""
    assert mechanism.error_details == "invalid-proof"
    with pytest.raises(ProtocolError):
        mechanism.check()


NONCE = "rOprNGfwEbeRWgbNEkqO"


@pytest.mark.parametrize(
    "server_first",
    [
        b"",
        b"\xff",
        b"r=" + NONCE.encode() + b",s=c2FsdA==,i=4096",  # nothing of the server's own
        b"r=somebodyelse,s=c2FsdA==,i=4096",
        f"r={NONCE}x,s=c2FsdA==,i=4095".encode(),
        f"r={NONCE}x,s=c2FsdA==,i=1000001".encode(),
        f"r={NONCE}x,s=c2FsdA==,i=1".encode(),
        f"r={NONCE}x,s=c2FsdA==,i=-4096".encode(),
        f"r={NONCE}x,s=c2FsdA==,i={'9' * 5000}".encode(),
        f"r={NONCE}x,s=c2FsdA==".encode(),
        f"r={NONCE}x,s=c2F,i=4096".encode(),
        f"r={NONCE}x,s=,i=4096".encode(),
        f"r={NONCE} x,s=c2FsdA==,i=4096".encode(),
        f"r={NONCE}\xff,s=c2FsdA==,i=4096".encode(),
        f"m=must-understand,r={NONCE}x,s=c2FsdA==,i=4096".encode(),
    ],
)
def test_scram_refuses_a_bad_server_first(server_first: bytes) -> None:
    mechanism = rfc7677()
    steps = mechanism.start()
    next(steps)
    with pytest.raises(ProtocolError):
        steps.send(server_first)
    with pytest.raises(ProtocolError):
        mechanism.check()


def test_scram_ignores_optional_extensions() -> None:
    steps = rfc7677().start()
    next(steps)
    assert steps.send(SCRAM_256[1] + b",x=optional") is not None


@pytest.mark.parametrize(
    "server_final", [b"", b"v=", SCRAM_1[3], SCRAM_256[3][:-2], b"v=AAAA", b"\xff", b"x=1"]
)
def test_scram_refuses_a_server_that_does_not_know_the_password(server_final: bytes) -> None:
    mechanism = rfc7677()
    steps = mechanism.start()
    next(steps)
    steps.send(SCRAM_256[1])
    with pytest.raises(ProtocolError, match="does not prove"):
        steps.send(server_final)
    with pytest.raises(ProtocolError):
        mechanism.check()


def test_success_before_the_signature_is_no_success() -> None:
    mechanism = rfc7677()
    steps = mechanism.start()
    next(steps)
    steps.send(SCRAM_256[1])
    with pytest.raises(ProtocolError, match="before it was complete"):
        mechanism.check()


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_challenge_does_more_than_fail(one: bytes, other: bytes) -> None:
    token = BearerToken("ada", "token")
    everything: list[Mechanism] = [Login(ADA), CramMd5(ADA), ScramSha256(ADA), XOAuth2(token)]
    for mechanism in everything:
        steps = mechanism.start()
        next(steps)
        try:
            for challenge in (one, other):
                assert isinstance(steps.send(challenge), bytes)
        except (ProtocolError, StopIteration):
            pass


# Credentials


@pytest.mark.parametrize(
    "make",
    [
        lambda: Password("", "x"),
        lambda: Password("a\0b", "x"),
        lambda: Password("a", "hunter2\0"),
        lambda: Password("a", "hunter2\ud800"),
        lambda: Password("a", "x", "b\0"),
        lambda: BearerToken("", "x"),
        lambda: BearerToken("a\1", "x"),
        lambda: BearerToken("a", ""),
        lambda: BearerToken("a", "hunter2\1auth=other"),
        lambda: BearerToken("a", "hunter2\r\n"),
        lambda: BearerToken("a", "hunter2é"),
        lambda: External("a\0"),
        lambda: Anonymous("a\0"),
        lambda: Anonymous("a" * 256),
        lambda: OAuthBearer(BearerToken("a", "hunter2"), host="a\1b"),
        lambda: next(ScramSha256(Password("a\7", "hunter2")).start()),
        lambda: next(ScramSha256(Password("\u00ad", "hunter2")).start()),
        lambda: next(ScramSha256(Password("a", "hunter2\7")).start()),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_shown(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert "hunter2" not in told(caught.value)


def told(error: BaseException) -> str:
    """All that the frames of `imaplus` would tell a reporter of crashes that shows locals."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [f"{f.name} {f.locals}" for f in report.stack if f.filename != __file__]
    assert error.__context__ is None
    return "\n".join([*report.format_exception_only(), repr(error), *frames])


def run_and_break(mechanism: Mechanism, *challenges: bytes) -> None:
    steps = mechanism.start()
    next(steps)
    for challenge in challenges:
        steps.send(challenge)
    steps.throw(RuntimeError("the connection was lost"))


@pytest.mark.parametrize(
    ("mechanism", "challenges"),
    [
        (rfc5802(), (b"r=bad,s=AAAA,i=4096",)),
        (rfc5802(), (SCRAM_1[1], b"v=AAAA")),
        (rfc7677(), (SCRAM_256[1], b"v=AAAA")),
        (Plain(Password("user", "pencil")), ()),
        (Login(Password("user", "pencil")), (b"User", b"Password")),
        (CramMd5(Password("user", "pencil")), (b"<1@example.org>",)),
        (XOAuth2(BearerToken("user", "pencil")), (b"pencil is wrong",)),
    ],
)
def test_secrets_are_in_no_repr_and_no_traceback(
    mechanism: Mechanism, challenges: tuple[bytes, ...]
) -> None:
    assert "pencil" not in repr(mechanism)
    with pytest.raises((ImapError, RuntimeError)) as caught:
        run_and_break(mechanism, *challenges)
    text = told(caught.value)
    assert "start" in text  # the frames were looked at
    for secret in (b"pencil", SCRAM_1[2][-28:], SCRAM_1[3][2:], SCRAM_256[3][2:]):
        assert secret.decode() not in text


def test_credentials_show_who_but_not_how() -> None:
    assert repr(ADA) == "Password(user='ada', password=***, authzid='')"
    assert repr(BearerToken("ada", "t0ken")) == "BearerToken(user='ada', token=***)"
    assert Password("ada", Secret("hunter2")) == ADA
    assert hash(Password("ada", "hunter2")) == hash(ADA)


# The choice

ALL = [
    "PLAIN",
    "login",
    "CRAM-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "XOAUTH2",
    "OAUTHBEARER",
]
ALL += ["EXTERNAL", "ANONYMOUS", "GSSAPI"]


@pytest.mark.parametrize(
    ("credentials", "secure", "allowed", "names"),
    [
        (ADA, True, None, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN CRAM-MD5 LOGIN"),
        (ADA, False, None, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5"),
        (ADA, True, ["SCRAM-SHA-256"], "SCRAM-SHA-256"),
        (ADA, False, ["plain", "SCRAM-SHA-1", "PLAIN", "GSSAPI"], "SCRAM-SHA-1"),
        (ADA, True, ["plain", "SCRAM-SHA-1", "PLAIN", "GSSAPI"], "PLAIN SCRAM-SHA-1"),
        (ADA, True, [], ""),
        (Password("ada", "x", "bob"), True, None, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN"),
        (
            Password("DOMAIN\\ada/shared", "x"),
            True,
            None,
            "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 LOGIN CRAM-MD5 PLAIN",
        ),
        (BearerToken("ada", "x"), True, None, "OAUTHBEARER XOAUTH2"),
        (BearerToken("ada", "x"), False, None, ""),
        (External(), False, None, "EXTERNAL"),
        (Anonymous(), False, None, "ANONYMOUS"),
    ],
)
def test_the_strongest_comes_first_and_none_in_clear(
    credentials: Credentials, secure: bool, allowed: list[str] | None, names: str
) -> None:
    chosen = choose(credentials, ALL, secure=secure, allowed=allowed)
    assert [mechanism.name for mechanism in chosen] == names.split()


def test_only_what_is_offered_is_chosen() -> None:
    assert choose(ADA, [], secure=True) == []
    assert [m.name for m in choose(ADA, {"LOGIN"}, secure=True)] == ["LOGIN"]
    token = BearerToken("ada", "x")
    (mechanism,) = choose(token, ["OAUTHBEARER"], secure=True, host="imap.example.org", port=993)
    assert next(mechanism.start()) == (
        b"n,a=ada,\1host=imap.example.org\1port=993\1auth=Bearer x\1\1"
    )


# SASLprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),  # the examples of RFC 4013, 3
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007", None),
        ("\u0627\u0031", None),
        ("", ""),
        ("a\u00a0b\u3000c", "a b c"),
        ("\u0627\u0031\u0627", "\u0627\u0031\u0627"),
        ("\u0627a\u0627", None),
        ("\U0001f511", "\U0001f511"),  # unassigned in Unicode 3.2: right in a query
        ("\ue000", None),
        ("a\ufffdb", None),
    ],
)
def test_saslprep(text: str, prepared: str | None) -> None:
    assert saslprep(text) == prepared


@given(st.text(max_size=30))
def test_saslprep_is_final(text: str) -> None:
    prepared = saslprep(text)
    assert prepared is None or saslprep(prepared) == prepared
