"""The commands that no server of the lab has, by transcript: PROXYAUTH and PARTIAL."""

from __future__ import annotations

from typing import Any

import pytest

from imaplus import Limits, imaplib
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


FOLDED = Transcript.parse("""
S: * PREAUTH IMAP4rev1 don't "panic
C: $1 CAPABILITY
S: * CAPABILITY IMAP4rev1
S: $1 OK done
C: $2 SELECT INBOX
S: * 3 EXISTS
S: $2 OK [READ-WRITE] done
C: $3 FETCH 1:3 (X Y)
S= b'* 1 FETCH (X "a \\\\" long\\r\\n\\r\\n name" Y {2}\\r\\nhi Z "b\\r\\n" "c\\r\\n")\\r\\n'
S: * 2 FETCH (X "a
S: * 3 FETCH (X "b)
S: * OK say "so
S: $3 OK done
C: $4 LIST "" *
S= b'* LIST () "\\\\" INBOX\\r\\n* LIST () "/" "x\\r\\ny"\\r\\n* LIST () "\\\\" z\\r\\n'
S: $4 OK done
C: $5 LOGOUT
S: * BYE so long
S: $5 OK done
""")


def test_a_line_break_inside_a_quoted_string() -> None:
    """Difference: folded-strings."""
    with ScriptServer(FOLDED) as server, imaplib.IMAP4(server.host, server.port) as imap:
        imap.select()
        assert imap.fetch("1:3", "(X Y)") == (
            "OK",
            [
                (b'1 (X "a \\" long\r\n\r\n name" Y {2}', b"hi"),
                b' Z "b\r\n" "c\r\n")',
                b'2 (X "a',
                b'3 (X "b)',
            ],
        )
        assert imap.list() == (
            "OK",
            [b'() "\\" INBOX', b'() "/" "x\r\ny"', b'() "\\" z'],
        )


def test_a_bare_line_feed_inside_a_quoted_string(talk: Any) -> None:
    """Difference: folded-strings. Anywhere else it is an abort, as ever."""
    told = (
        b'* 1 FETCH (X "a\n\n long\r\n name" Y {2}\r\nhi Z "b\n" "c\n")',
        b'* 2 FETCH (X "d\n e")',
    )
    client, _ = talk(*told)
    assert client.fetch("1:2", "(X Y)")[1] == [
        (b'1 (X "a\n\n long\r\n name" Y {2}', b"hi"),
        b' Z "b\n" "c\n")',
        b'2 (X "d\n e")',
    ]
    for line in (b"* 1 FETCH (X a\n b)", b'* 1 FETCH (X "a"\n)', b'* OK "a\nb"'):
        client, _ = talk(line)
        with pytest.raises(imaplib.IMAP4.abort, match="unterminated line"):
            client.noop()


def test_a_quoted_string_without_end_has_a_limit() -> None:
    class Careful(imaplib.IMAP4):
        limits = Limits(text=1000)

    endless = Transcript.parse(
        'S: * PREAUTH IMAP4rev1\nC: $1 CAPABILITY\nS: * X ("\n' + "S:  more\n" * 1000
    )
    with (
        ScriptServer(endless) as server,
        pytest.raises(imaplib.IMAP4.abort, match="limit of 1000"),
    ):
        Careful(server.host, server.port)
