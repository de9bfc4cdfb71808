"""The commands that no server of the lab has, by transcript: PROXYAUTH and PARTIAL."""

from __future__ import annotations

from imaplus import imaplib
from imaplus.testing import ScriptServer, Transcript

PROXYAUTH = Transcript.parse("""
S: * OK Sun Java System Messaging Server
C: $1 CAPABILITY
S: * CAPABILITY IMAP4rev1 X-NETSCAPE
S: $1 OK done
C: $2 LOGIN admin "secret"
S: $2 OK [CAPABILITY IMAP4rev1 X-NETSCAPE] logged in
C: $3 PROXYAUTH "ann bee"
S: $3 OK you are ann bee now
C: $4 LOGOUT
S: * BYE so long
S: $4 OK done
""")

PARTIAL = Transcript.parse("""
S: * PREAUTH IMAP4 server of 1995
C: $1 CAPABILITY
S: * CAPABILITY IMAP4
S: $1 OK done
C: $2 SELECT INBOX
S: * 1 EXISTS
S: $2 OK [READ-WRITE] done
C: $3 PARTIAL 1 RFC822 1 5
S: * 1 FETCH (RFC822 {5}
S= b"Hello)\\r\\n"
S: $3 OK done
C: $4 LOGOUT
S: * BYE so long
S: $4 OK done
""")


def test_proxyauth() -> None:
    with ScriptServer(PROXYAUTH) as server, imaplib.IMAP4(server.host, server.port) as imap:
        imap.login("admin", "secret")
        assert imap.proxyauth("ann bee") == ("OK", [b"you are ann bee now"])


def test_partial() -> None:
    with ScriptServer(PARTIAL) as server, imaplib.IMAP4(server.host, server.port) as imap:
        assert imap.PROTOCOL_VERSION == "IMAP4"
        imap.select()
        assert imap.partial(1, "RFC822", 1, 5) == ("OK", [(b"1 (RFC822 {5}", b"Hello"), b")"])
