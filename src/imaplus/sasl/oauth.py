"""OAuth 2.0 tokens: OAUTHBEARER (RFC 7628) and its forerunner XOAUTH2. Only under TLS.

A server that refuses a token says why in a challenge, in JSON; the response to it is a formality,
without which its tagged NO would not come.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import ClassVar

from imaplus.errors import InvalidArgument, OAuthFailure
from imaplus.sasl.credentials import VISIBLE, BearerToken
from imaplus.sasl.gs2 import gs2_header
from imaplus.sasl.mechanism import Mechanism, excerpt


class OAuthBearer(Mechanism):
    """An OAuth 2.0 token (RFC 7628); `host` and `port` are those that we connected to, if known."""

    name = "OAUTHBEARER"
    plain_text = True
    reply_to_failure: ClassVar[bytes] = b"\1"
    """What the server must hear after it explained a failure (RFC 7628, 3.2.3)."""

    failure: OAuthFailure | None = None
    """Why the server refused the token, if it said so."""

    def __init__(
        self, credentials: BearerToken, *, host: str | None = None, port: int | None = None
    ) -> None:
        if host is not None and not VISIBLE.fullmatch(host):
            raise InvalidArgument(f"not a host name in ASCII: {host!r}")
        self._who = credentials
        self._host = host
        self._port = port

    def start(self) -> Generator[bytes | None, bytes, None]:
        self.done, self.error_details, self.failure = True, None, None
        # Whatever the server says is an error, and it may quote the token.
        self._note((yield "\1".join((*self._fields(), "", "")).encode()))
        self.done: bool = False
        yield self.reply_to_failure

    def _note(self, challenge: bytes) -> None:
        said = _decode(challenge)
        text = challenge.decode("utf-8", "replace")
        if said:
            text = ", ".join(f"{key}: {value}" for key, value in said.items())
        status, schemes, scope, configuration, text = (
            self._redact(each)
            for each in (
                *(str(said.get(key, "")) for key in ("status", "schemes", "scope")),
                str(said.get("openid-configuration", "")),
                text,
            )
        )
        self.error_details: str | None = text
        self.failure = OAuthFailure(status, schemes, scope, configuration, text)

    def _redact(self, text: str) -> str:
        return excerpt(text.replace(self._who.token.reveal(), "***"))

    def _fields(self) -> Iterable[str]:
        yield gs2_header("n", self._who.user)
        if self._host is not None:
            yield f"host={self._host}"
        if self._port is not None:
            yield f"port={self._port}"
        yield f"auth=Bearer {self._who.token.reveal()}"


class XOAuth2(OAuthBearer):
    """What Google and Microsoft had before RFC 7628, and still offer."""

    name = "XOAUTH2"
    reply_to_failure = b""  # quirk 82

    def _fields(self) -> Iterable[str]:
        return (f"user={self._who.user}", f"auth=Bearer {self._who.token.reveal()}")


def _decode(challenge: bytes) -> Mapping[str, object]:
    """A failure in JSON (RFC 7628, 3.2.2); nothing if it is no JSON object."""
    import json

    try:
        said = json.loads(challenge.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
