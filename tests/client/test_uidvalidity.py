"""A mailbox that is made anew while it is open: no UID of before is used."""

from __future__ import annotations

import pytest

from imaplus import AsyncClient, Client, Security
from imaplus.errors import UidValidityChanged
from imaplus.testing import ScriptServer, Transcript

SCRIPT = Transcript.parse("""
S: * PREAUTH [CAPABILITY IMAP4rev1] hi
C: $1 SELECT INBOX
S: * 2 EXISTS
S: * OK [UIDVALIDITY 1] valid
S: $1 OK [READ-WRITE] done
C: $2 NOOP
S: * OK [UIDVALIDITY 2] made anew
S: $2 OK done
C: $3 LOGOUT
S: * BYE so long
S: $3 OK done
""")


def address(server: ScriptServer) -> str:
    return f"imap://{server.host}:{server.port}"


def test_sync() -> None:
    with (
        ScriptServer(SCRIPT) as server,
        Client.connect(address(server), security=Security.PLAIN) as client,
    ):
        inbox = client.select("INBOX")
        client.noop()
        assert inbox.uidvalidity == 1
        for use in (inbox.uids, inbox.search, lambda: inbox.delete(1), lambda: inbox.fetch(1)):
            with pytest.raises(UidValidityChanged) as caught:
                list(use() or ())
            assert (caught.value.expected, caught.value.found) == (1, 2)


async def test_async() -> None:
    with ScriptServer(SCRIPT) as server:
        async with await AsyncClient.connect(address(server), security=Security.PLAIN) as client:
            inbox = await client.select("INBOX")
            await client.noop()
            with pytest.raises(UidValidityChanged):
                await inbox.search()
            with pytest.raises(UidValidityChanged):
                await inbox.add_flags(1, "\\Seen")
