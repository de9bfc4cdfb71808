"""From the greeting to a session, TLS and compression, and the ways in which a session ends."""

from __future__ import annotations

import zlib

import pytest

from imaplus.core.append import Append, Appended, Outgoing
from imaplus.core.mailboxes import Select
from imaplus.core.session import GetCapability, Login, Noop
from imaplus.errors import (
    ConnectionLost,
    NoMechanism,
    ProtocolError,
    Refused,
    Rejected,
    TlsFailed,
)
from imaplus.extensions.compress import Compress
from imaplus.flows import connect
from imaplus.flows.login import LoginOptions
from imaplus.protocol.connection import Connection
from imaplus.protocol.flow import Flow
from imaplus.protocol.state import State
from imaplus.sasl import Password
from imaplus.testing import Transcript
from imaplus.testing.transcript import Cut, byte_by_byte, randomly, whole
from imaplus.wire.secret import Secret
from imaplus.wire.sources import Octets

from .dialogue import (
    HERE,
    WITHOUT_STREAM,
    Cases,
    Fails,
    Player,
    each_way,
    enabled,
    greeting,
    heard,
    mailbox,
)

ADA = Password("ada", "horse")
GRUESS = Secret("grüß")


def by_starttls(connection: Connection) -> Flow[None]:
    return connect.connect(connection, ADA, starttls=True)


def without_tls(connection: Connection) -> Flow[None]:
    return connect.connect(connection, ADA, starttls=False)


def in_clear(connection: Connection) -> Flow[None]:
    identity = (("name", "imaplus"),)
    return connect.connect(
        connection, ADA, starttls=False, login=LoginOptions(in_clear=True), identity=identity
    )


def anonymously(connection: Connection) -> Flow[None]:
    return connect.connect(connection, None, starttls=False)


def state(connection: Connection) -> object:
    return connection.state


CASES: Cases = {
    "greeting-preauth": [
        (greeting, "PREAUTH IMAP4rev1 server logged in as Smith"),
        (state, State.AUTHENTICATED),
        (anonymously, None),
    ],
    "greeting-bye": [(greeting, Fails(ConnectionLost, bye="Try again later"))],
    "greeting-not-imap": [(greeting, Fails(ProtocolError, "no IMAP greeting, but "))],
    "greeting-of-pop3": [(greeting, Fails(ProtocolError, "no IMAP greeting, but "))],
    "greeting-without-capabilities": [
        (in_clear, None),
        (enabled, {"IMAP4REV2"}),
        (state, State.AUTHENTICATED),
    ],
    "bye-meanwhile": [
        (Select("INBOX"), Fails(ConnectionLost, bye="Autologout; idle for too long")),
        (Noop(), Fails(ConnectionLost, "Autologout")),
        (mailbox, None),
    ],
    "eof-meanwhile": [(Select("INBOX"), Fails(ConnectionLost, bye=None))],
    "eof-inside-a-response": [(Select("INBOX"), Fails(ConnectionLost, "inside a response"))],
    "starttls-refused": [(by_starttls, Fails(TlsFailed, "refuses STARTTLS: certificate lost"))],
    "starttls-stripped": [(by_starttls, Fails(TlsFailed, "does not offer STARTTLS"))],
    "starttls-after-preauth": [(by_starttls, Fails(TlsFailed, "PREAUTH"))],
    "login-in-clear": [
        (
            without_tls,
            Fails(NoMechanism, "would send the password in clear", offered=("LOGIN", "PLAIN")),
        ),
        (GetCapability(), {"IMAP4REV1", "LOGINDISABLED"}),
        (in_clear, Fails(NoMechanism, "forbids LOGIN")),
    ],
    "login-ok-too-early": [
        (Login("ada", GRUESS), Fails(ProtocolError, "OK before the command was sent")),
        (state, State.LOGOUT),
    ],
    "login-literal-refused": [
        (Login("ada", GRUESS), Fails(Rejected, "no literals")),
        (Noop(), None),
        (state, State.NOT_AUTHENTICATED),
    ],
    "compress": [
        (Compress(), Fails(Refused, code="COMPRESSIONACTIVE")),
        (Noop(), None),
    ],
}

test_connecting = each_way(CASES)

# A socket would need TLS for the first; and with the second it may see one part after the other.
test_starttls = each_way(
    {
        "starttls": [
            (without_tls, Fails(NoMechanism)),
            (by_starttls, None),
            (state, State.AUTHENTICATED),
        ],
        "starttls-injected": [
            (by_starttls, Fails(ProtocolError, "injected")),
            (Noop(), Fails(ProtocolError)),
        ],
    },
    ways=WITHOUT_STREAM,
)


class Compressed(Player):
    """Deflates what the server says after "active", and inflates what it hears."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._heard = b""
        self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)

    @property
    def _active(self) -> bool:
        return self._heard.endswith(b"active\r\n")

    def receive(self, data: bytes) -> None:
        if self._active:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        else:
            self._heard += data
        super().receive(data)

    def take(self) -> bytes:
        said = super().take()
        return self._inflate.decompress(said) if self._active else said


@pytest.mark.parametrize(
    "cut", [whole, byte_by_byte, randomly(1)], ids=["whole", "bytes", "randomly"]
)
def test_compress(cut: Cut) -> None:
    player = Compressed(
        [
            (Compress(), None),
            (Select("INBOX"), {"name": "INBOX", "exists": 3}),
            (
                Append("INBOX", (Outgoing(Octets(b"hello")),)),
                [Appended(1, 4)],
            ),
            (heard, []),
        ]
    )
    Transcript.load(HERE / "compress-deflate.txt").play(player, cut)
    assert player.over
