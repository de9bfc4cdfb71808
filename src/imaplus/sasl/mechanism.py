"""What every SASL mechanism is: a generator from challenges to responses (RFC 4422, 3).

Users write their own mechanisms by it, too. No particular mechanism is known here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import ClassVar, Final

from imaplus.errors import ProtocolError
from imaplus.wire.secret import Secret

MAX_ERROR_DETAILS: Final = 500
"""Limit on the characters of a server's explanation in an error message."""


class Mechanism(ABC):
    """One way to prove who we are; a subclass is a mechanism of your own (RFC 4422, 5).

    Give an instance to `connect()` as `credentials`. It is used if the server offers `AUTH=` and
    its `name`, and asked for one generator for each attempt::

        class Asking(Mechanism):
            name = "LOGIN"
            plain_text = True  # only under TLS

            def __init__(self, user: str, ask: Callable[[], str]) -> None:
                self._user, self._ask = user, ask

            def start(self) -> Generator[bytes | None, bytes, None]:
                challenge = yield None  # the server speaks first: "Username:"
                challenge = yield self._user.encode()
                self.done = True
                yield self._ask().encode()

        asking = Asking("ada", lambda: "correct horse")
        with Client.connect("imap.example.org", credentials=asking) as client:
            print(client.list())

    The generator yields the first response, or None where the server speaks first, is sent each
    challenge, decoded, and yields the response to it. It sets `done` to False at its beginning if
    an earlier attempt may have set it, and to True when it has sent all that it must and believes
    the server: an OK that comes sooner is a ProtocolError. To cancel the exchange it raises an
    ImapError. A challenge after its last response is a ProtocolError, too. Secrets that it keeps as
    `Secret` and gives in `secrets()` are blanked in traces and errors, should the server repeat
    them.
    """

    name: ClassVar[str]
    """The name as the server announces it: capitals, digits, "-" and "_" (RFC 4422, 3.1)."""
    client_first: ClassVar[bool] = True
    """Whether the first response needs no challenge and can be sent with the command (SASL-IR)."""
    plain_text: ClassVar[bool] = False
    """Whether a secret is sent readably, so that the connection must be encrypted."""

    slow: ClassVar[bool] = False
    """Whether a response may take a tenth of a second or more to make. The async client makes it
    in a thread then."""

    done: bool = False
    """Whether the exchange is complete, including the server's proof if there is one."""

    error_details: str | None = None
    """The error that the server sent inside the exchange; None if none."""

    @staticmethod
    def available() -> bool:
        """Whether this Python has the modules that the mechanism needs."""
        return True

    def secrets(self) -> tuple[Secret, ...]:
        """Secrets to hide in traces and errors if the server repeats them."""
        who = getattr(self, "_who", None)
        held = (getattr(who, name, None) for name in ("password", "token"))
        return tuple(secret for secret in held if isinstance(secret, Secret))

    @abstractmethod
    def start(self) -> Generator[bytes | None, bytes, None]:
        """Begin an attempt: challenges in, responses out.

        Raises: InvalidArgument, ProtocolError.
        """

    def check(self) -> None:
        """Insist that success is success. Raises: ProtocolError if the server cut it short."""
        if not self.done:
            raise ProtocolError(f"the server accepted {self.name} before it was complete")

    def __repr__(self) -> str:
        return f"<SASL {self.name}>"


def excerpt(text: str) -> str:
    """Shorten a server's explanation for an error message."""
    return text if len(text) <= MAX_ERROR_DETAILS else text[: MAX_ERROR_DETAILS - 3] + "..."
