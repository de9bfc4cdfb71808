"""SASL (RFC 4422): who a user is, and mechanisms as generators from challenges to responses.

A mechanism knows its messages and nothing of the wire: base64, `+`, `*` and the number of rounds
are the caller's. `choose` knows which mechanisms may be used, and in which order. Secrets stay
inside `Secret` until the response that carries them is made: none is ever in a repr, an error or a
local variable of a frame that can fail. What one mechanism needs is imported when that is used.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from binascii import a2b_base64, b2a_base64
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Sequence
from typing import ClassVar, Final, TypeAlias

from imaplus.errors import InvalidArgument, ProtocolError, UsageError
from imaplus.records import record
from imaplus.wire.patterns import lazy_pattern
from imaplus.wire.secret import Secret

MIN_ITERATIONS: Final = 4096
"""What SCRAM servers should ask for at least (RFC 7677, 4): fewer make proofs cheap to crack."""

MAX_ITERATIONS: Final = 1_000_000
"""About a second of work, and far above what servers use: more is an attack on our time."""

MAX_ERROR_DETAILS: Final = 500
"""Characters of a server's explanation that are kept: it goes into an error message."""

_VISIBLE: Final = lazy_pattern(r"[\x21-\x7e]+")


@record(init=False)
class Password:
    """A user with a password; `authzid` names another user to act as, where the server allows it.

    Raises: InvalidArgument for no user at all, and for NUL and lone surrogates in any of them.
    """

    user: str
    password: Secret
    authzid: str

    def __init__(self, user: str, password: str | Secret, authzid: str = "") -> None:
        password = Secret(password)
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "password", password)
        object.__setattr__(self, "authzid", authzid)
        if not user:
            raise InvalidArgument("the user name is empty")
        _insist_on_text("user name", Secret(user))
        _insist_on_text("password", password)
        _insist_on_text("authorization identity", Secret(authzid))


@record(init=False)
class BearerToken:
    """A user with an OAuth 2.0 access token (RFC 6750), which the caller obtained.

    Raises: InvalidArgument for no user, and for a token that is not visible ASCII.
    """

    user: str
    token: Secret

    def __init__(self, user: str, token: str | Secret) -> None:
        token = Secret(token)
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "token", token)
        _insist_on_text("user name", Secret(user))
        if not user or "\1" in user:  # ^A ends a field of XOAUTH2
            raise InvalidArgument("the user name is empty or has a control character")
        if not _VISIBLE.fullmatch(token.reveal()):
            raise InvalidArgument("the token is empty, or not visible ASCII without spaces")


@record
class External:
    """Whoever the connection says we are: a TLS client certificate, the owner of a socket."""

    authzid: str = ""

    def __post_init__(self) -> None:
        _insist_on_text("authorization identity", Secret(self.authzid))


@record
class Anonymous:
    """Nobody; `trace` is what the administrator's log may know us by (RFC 4505)."""

    trace: str = "anonymous"

    def __post_init__(self) -> None:
        _insist_on_text("trace", Secret(self.trace))
        if len(self.trace) > 255:
            raise InvalidArgument("the trace is longer than 255 characters (RFC 4505, 3)")


Credentials: TypeAlias = Password | BearerToken | External | Anonymous
"""What a user logs in with."""
CredentialsSource: TypeAlias = Callable[[], Credentials]
"""A function that gives credentials when they are needed: a fresh token, say."""
AsyncCredentialsSource: TypeAlias = Callable[[], Credentials | Awaitable[Credentials]]
"""The same for the async client, which awaits what it gives if need be."""


class Mechanism(ABC):
    """One way to prove who we are; each `start()` is one attempt.

    Take the first response with `next()`: it may travel with the command (SASL-IR), and is None
    where the server speaks first (`client_first` is false). Then `send()` each challenge, decoded,
    and write what comes back. An error raised there, or a challenge after the last response
    (StopIteration), means to cancel with `*`. When the server says OK, call `check()`; when it says
    NO, `error_details` may say why.
    """

    name: ClassVar[str]
    client_first: ClassVar[bool] = True
    plain_text: ClassVar[bool] = False
    """Whether a secret can be read off the wire, so that the connection must be encrypted."""

    slow: ClassVar[bool] = False
    """Whether a response may take a tenth of a second or more to make."""

    done: bool = False
    """Whether every response has been made and the server has proved what it must."""

    error_details: str | None = None
    """What the server said was wrong, inside the exchange."""

    @staticmethod
    def available() -> bool:
        """Whether this Python has what it takes."""
        return True

    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown, should the server repeat it."""
        who = getattr(self, "_who", None)
        held = (getattr(who, name, None) for name in ("password", "token"))
        return tuple(secret for secret in held if isinstance(secret, Secret))

    @abstractmethod
    def start(self) -> Generator[bytes | None, bytes, None]:
        """Challenges in, responses out. Raises: InvalidArgument, ProtocolError."""

    def check(self) -> None:
        """Insist that success is success. Raises: ProtocolError if the server cut it short."""
        if not self.done:
            raise ProtocolError(f"the server accepted {self.name} before it was complete")

    def __repr__(self) -> str:
        return f"<SASL {self.name}>"


class Plain(Mechanism):
    """The password as it is (RFC 4616)."""

    name = "PLAIN"
    plain_text = True

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        who = self._who
        self.done: bool = True
        yield f"{who.authzid}\0{who.user}\0{who.password.reveal()}".encode()


class Login(Mechanism):
    """The password as it is, in two steps (never standardised; draft-murchison-sasl-login)."""

    name = "LOGIN"
    client_first = False
    plain_text = True

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = False
        prompt = yield None
        prompt = yield self._answer(prompt, otherwise=Secret(self._who.user))
        self.done = True
        yield self._answer(prompt, otherwise=self._who.password)

    def _answer(self, prompt: bytes, *, otherwise: Secret) -> bytes:
        # Quirk 82: "Username:", "User Name\0", "password"; what it asks for, else what is next.
        asked = prompt.lower()
        if b"pass" in asked:
            return self._who.password.reveal().encode()
        if b"user" in asked:
            return self._who.user.encode()
        return otherwise.reveal().encode()


class CramMd5(Mechanism):
    """A keyed digest of the server's challenge (RFC 2195); obsolete, yet better than in clear."""

    name = "CRAM-MD5"
    client_first = False

    def __init__(self, credentials: Password) -> None:
        self._who = credentials

    @staticmethod
    def available() -> bool:
        """Whether this Python has MD5: a FIPS build has not."""
        import hmac

        try:
            hmac.digest(b"key", b"", "md5")
        except ValueError:
            return False
        return True

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = False
        import hmac

        if not self.available():
            raise UsageError("CRAM-MD5 needs MD5, which is switched off in this Python")
        challenge = yield None
        self.done = True
        digest = hmac.digest(self._who.password.reveal().encode(), challenge, "md5").hex()
        yield f"{self._who.user} {digest}".encode()


class Scram(Mechanism):
    """A proof that reveals nothing, and the server's proof in return (RFC 5802; RFC 7677).

    `nonce` is random unless a test needs it to be known. A response takes a tenth of a second or so
    for what servers ask today, about a second at `MAX_ITERATIONS`; the async client makes it in a
    thread.
    """

    slow = True

    hash: ClassVar[str]
    gs2_flag: ClassVar[str] = "n"
    """"n": no channel binding. A -PLUS mechanism says "p=tls-exporter" and overrides the next."""

    channel_binding: bytes = b""

    def __init__(self, credentials: Password, *, nonce: str | None = None) -> None:
        self._who = credentials
        self._nonce = nonce

    def start(self) -> Generator[bytes | None, bytes, None]:
        from secrets import token_urlsafe

        self.done, self.error_details = False, None
        user = _prepared("user name", Secret(self._who.user)).reveal()
        if not user:
            raise InvalidArgument("nothing is left of the user name when it is normalised")
        password = _prepared("password", self._who.password)
        ours = self._nonce or token_urlsafe(24)
        header = f"{self.gs2_flag},{_gs2_authzid(self._who.authzid)},"
        first_bare = f"n={_saslname(user)},r={ours}"
        server_first = yield (header + first_bare).encode()
        nonce, salt, iterations = self._read_first(server_first, ours)
        binding = _base64(header.encode() + self.channel_binding)
        final_bare = f"c={binding},r={nonce}"
        exchange = b",".join((first_bare.encode(), server_first, final_bare.encode()))
        proof, signature = self._sign(password, exchange, salt, iterations)
        server_final = yield f"{final_bare},p={proof.reveal()}".encode()
        self._verify(server_final, signature)
        yield b""  # to the server's last message IMAP wants an answer, and there is nothing to say

    def _read_first(self, message: bytes, ours: str) -> tuple[str, bytes, int]:
        """Nonce, salt and iterations of a server-first-message (RFC 5802, 7), without trusting."""
        # "m=" in front would be an extension that we must understand, so it does not match.
        found = re.fullmatch(rb"r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([0-9]{1,9})(,.*)?", message)
        if not found:
            raise ProtocolError(f"{self.name}: expected nonce, salt and iterations")
        nonce, iterations = found[1].decode("ascii"), int(found[3])
        if not nonce.startswith(ours) or nonce == ours:
            raise ProtocolError(f"{self.name}: the server's nonce does not extend ours")
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise ProtocolError(
                f"{self.name}: {iterations} iterations are not between "
                f"{MIN_ITERATIONS} and {MAX_ITERATIONS}"
            )
        try:
            salt = a2b_base64(found[2], strict_mode=True)
        except ValueError as error:
            raise ProtocolError(f"{self.name}: the salt is not base64") from error
        return nonce, salt, iterations

    def _sign(
        self, password: Secret, exchange: bytes, salt: bytes, iterations: int
    ) -> tuple[Secret, Secret]:
        """Our proof and the signature that the server must show, in base64 (RFC 5802, 3)."""
        import hashlib
        import hmac

        salted = hashlib.pbkdf2_hmac(self.hash, password.reveal().encode(), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", self.hash)
        stored_key = hashlib.new(self.hash, client_key).digest()
        client_signature = hmac.digest(stored_key, exchange, self.hash)
        proof = bytes(a ^ b for a, b in zip(client_key, client_signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.hash)
        signature = hmac.digest(server_key, exchange, self.hash)
        return Secret(_base64(proof)), Secret(_base64(signature))

    def _verify(self, message: bytes, signature: Secret) -> None:
        """Believe the server if it knows the password too; note its error if it sent one."""
        from hmac import compare_digest

        verdict = message.split(b",")[0]  # extensions may follow
        if verdict.startswith(b"e="):
            self.error_details = _excerpt(verdict[2:].decode("utf-8", "replace"))
        elif compare_digest(verdict, b"v=" + signature.reveal().encode()):
            self.done: bool = True
        else:
            raise ProtocolError(
                f"{self.name}: the server does not prove that it knows the password"
            )


class ScramSha1(Scram):
    """SCRAM with SHA-1 (RFC 5802)."""

    name = "SCRAM-SHA-1"
    hash = "sha1"


class ScramSha256(Scram):
    """SCRAM with SHA-256 (RFC 7677)."""

    name = "SCRAM-SHA-256"
    hash = "sha256"


class OAuthBearer(Mechanism):
    """An OAuth 2.0 token (RFC 7628); `host` and `port` are those that we connected to, if known."""

    name = "OAUTHBEARER"
    plain_text = True
    failed: ClassVar[bytes] = b"\1"
    """What the server must hear after it explained a failure (RFC 7628, 3.2.3)."""

    def __init__(
        self, credentials: BearerToken, *, host: str | None = None, port: int | None = None
    ) -> None:
        if host is not None and not _VISIBLE.fullmatch(host):
            raise InvalidArgument(f"not a host name in ASCII: {host!r}")
        self._who = credentials
        self._host = host
        self._port = port

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done, self.error_details = True, None
        # Whatever the server says is an error, and it may quote the token.
        self.error_details = self._redact((yield "\1".join((*self._fields(), "", "")).encode()))
        self.done: bool = False
        yield self.failed

    def _redact(self, challenge: bytes) -> str:
        return _excerpt(_explain(challenge).replace(self._who.token.reveal(), "***"))

    def _fields(self) -> Iterable[str]:
        yield f"n,{_gs2_authzid(self._who.user)},"
        if self._host is not None:
            yield f"host={self._host}"
        if self._port is not None:
            yield f"port={self._port}"
        yield f"auth=Bearer {self._who.token.reveal()}"


class XOAuth2(OAuthBearer):
    """What Google and Microsoft had before RFC 7628, and still offer."""

    name = "XOAUTH2"
    failed = b""  # quirk 82

    def _fields(self) -> Iterable[str]:
        return (f"user={self._who.user}", f"auth=Bearer {self._who.token.reveal()}")


class ExternalMechanism(Mechanism):
    """The server already knows (RFC 4422, appendix A)."""

    name = "EXTERNAL"

    def __init__(self, credentials: External) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = True
        yield self._who.authzid.encode()


class AnonymousMechanism(Mechanism):
    """Nothing to prove (RFC 4505)."""

    name = "ANONYMOUS"

    def __init__(self, credentials: Anonymous) -> None:
        self._who = credentials

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done: bool = True
        yield self._who.trace.encode()


def choose(
    credentials: Credentials,
    offered: Collection[str],
    *,
    secure: bool,
    allowed: Sequence[str] | None = None,
    host: str | None = None,
    port: int | None = None,
) -> list[Mechanism]:
    """The mechanisms to try, best first; none if there is none that may be used.

    `offered` are the names after `AUTH=` in the server's capabilities. What sends a secret in clear
    is left out unless the connection is `secure` (encrypted, or local). `allowed` names the only
    mechanisms to use, in order of preference; it does not permit a secret in clear. `host` and
    `port` are for OAUTHBEARER.
    """
    candidates = _candidates(credentials, host, port)
    if allowed is not None:
        by_name = {mechanism.name: mechanism for mechanism in candidates}
        names = dict.fromkeys(name.upper() for name in allowed)
        candidates = [by_name[name] for name in names if name in by_name]
    names_offered = {name.upper() for name in offered}
    return [
        mechanism
        for mechanism in candidates
        if mechanism.name in names_offered
        and (secure or not mechanism.plain_text)
        and mechanism.available()
    ]


def _candidates(credentials: Credentials, host: str | None, port: int | None) -> list[Mechanism]:
    """Every mechanism that can carry the credentials, in order of strength."""
    match credentials:
        case BearerToken():
            return [OAuthBearer(credentials, host=host, port=port), XOAuth2(credentials)]
        case External():
            return [ExternalMechanism(credentials)]
        case Anonymous():
            return [AnonymousMechanism(credentials)]
    scram = [ScramSha256(credentials), ScramSha1(credentials)]
    if credentials.authzid:  # CRAM-MD5 and LOGIN have no place for it
        return [*scram, Plain(credentials)]
    clear: list[Mechanism] = [Plain(credentials), Login(credentials)]
    if "/" in credentials.user:  # quirk 83, Exchange: PLAIN fails for DOMAIN\user/shared
        clear.reverse()
    return [*scram, CramMd5(credentials), *clear]


def _insist_on_text(what: str, text: Secret) -> None:
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text.reveal()):
        raise InvalidArgument(f"the {what} has NUL or a lone surrogate in it")


def _prepared(what: str, text: Secret) -> Secret:
    from imaplus.wire.saslprep import saslprep

    prepared = saslprep(text.reveal())
    if prepared is None:
        raise InvalidArgument(f"the {what} has characters that SCRAM does not allow (RFC 4013)")
    return Secret(prepared)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def _saslname(text: str) -> str:
    """saslname (RFC 5801, 4)."""
    return text.replace("=", "=3D").replace(",", "=2C")


def _gs2_authzid(text: str) -> str:
    return f"a={_saslname(text)}" if text else ""


def _explain(challenge: bytes) -> str:
    """A failure in JSON (RFC 7628, 3.2.2) in words; what is not JSON as it is."""
    import json

    text = challenge.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(said, dict):
        return text
    return ", ".join(f"{key}: {value}" for key, value in said.items())


def _excerpt(text: str) -> str:
    return text if len(text) <= MAX_ERROR_DETAILS else text[: MAX_ERROR_DETAILS - 3] + "..."
