"""CREATE, DELETE, RENAME, SUBSCRIBE, LIST with its options, STATUS, NAMESPACE."""

from __future__ import annotations

import pytest


def names(answer):
    """The names in LIST responses."""
    return [line.split()[-1] for line in answer.splitlines() if line.startswith(b"* L")]


@pytest.fixture
def talk(server, dial):
    for name in ("Archive/2024", "Archive/2025/Q1", "Sent", "Übersicht"):
        server.add_mailbox(name)
    server.add_mailbox("Sent", "\\Sent", subscribed=True)
    return dial(server)


def test_list(talk):
    assert talk.ok('LIST "" ""') == b'* LIST (\\Noselect) "/" ""\r\nt2 OK LIST completed\r\n'
    everything = [b"INBOX", b"Archive", b"Archive/2024", b"Archive/2025", b"Archive/2025/Q1"]
    everything += [b"Sent", b"&ANw-bersicht"]
    assert names(talk.ok('LIST "" *')) == everything
    assert names(talk.ok('LIST "" %')) == [b"INBOX", b"Archive", b"Sent", b"&ANw-bersicht"]
    assert names(talk.ok('LIST "Archive/" %')) == [b"Archive/2024", b"Archive/2025"]
    assert names(talk.ok('LIST "" Archive/%/%')) == [b"Archive/2025/Q1"]
    assert names(talk.ok('LIST (SUBSCRIBED) "" *')) == [b"INBOX", b"Sent"]
    assert names(talk.ok('LIST "" inbox')) == [b"INBOX"]
    assert names(talk.ok('LIST "" (A%4 Sent "A*4")')) == [b"Archive/2024", b"Sent"]
    assert names(talk.ok('LSUB "" *')) == [b"INBOX", b"Sent"]


def test_list_extended(talk):
    answer = talk.ok('LIST (SPECIAL-USE) "" * RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES))')
    assert answer.startswith(
        b'* LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Sent\r\n* STATUS Sent (MESSAGES 0)\r\n'
    )
    talk.ok("SUBSCRIBE Archive/2025/Q1")
    answer = talk.ok('LIST (RECURSIVEMATCH SUBSCRIBED) "" %')
    assert b'"/" Archive ("CHILDINFO" ("SUBSCRIBED"))' in answer
    assert b" BAD " in talk('LIST (RECURSIVEMATCH) "" %')
    assert b" BAD " in talk('LIST (WHATEVER) "" %')
    talk.ok("DELETE Archive/2025/Q1")
    assert b'(\\HasNoChildren \\NonExistent \\Subscribed) "/" Archive/2025/Q1' in talk.ok(
        'LIST (SUBSCRIBED) "" *'
    )


def test_wildcards_are_linear(talk):
    talk.ok('LIST "" ' + "*%" * 400 + "z")


def test_create_delete(server, talk):
    talk.ok("CREATE a/b/")
    assert b"NO [ALREADYEXISTS]" in talk("CREATE a/b")
    assert b"NO [ALREADYEXISTS]" in talk("CREATE inbox")
    assert b"NO [CANNOT]" in talk("CREATE a//b")
    assert b"NO [CANNOT]" in talk('CREATE "a%"')
    talk.ok("DELETE a")
    assert b'(\\HasChildren \\Noselect) "/" a\r\n' in talk.ok('LIST "" a')
    assert b"NO [NONEXISTENT]" in talk("SELECT a")
    assert b"NO [HASCHILDREN]" in talk("DELETE a")
    talk.ok("CREATE a")
    talk.ok("SELECT a")
    talk.ok("DELETE a/b")
    talk.ok("DELETE a")
    assert b"NO [NONEXISTENT]" in talk("DELETE a")
    assert b"NO [CANNOT]" in talk("DELETE INBOX")


def test_a_mailbox_made_anew_has_another_uidvalidity(server, talk):
    before = server.mailbox("Sent").uidvalidity
    talk.ok("DELETE Sent")
    talk.ok("CREATE Sent")
    assert server.mailbox("Sent").uidvalidity > before


def test_special_use_on_create(talk):
    talk.ok("CREATE Bin (USE (\\Trash))")
    assert b"\\Trash" in talk.ok('LIST "" Bin')
    assert b"NO [USEATTR]" in talk("CREATE Other (USE (\\Whatever))")


def test_rename(server, talk, letter):
    server.add_message("Archive/2025/Q1", letter())
    uidvalidity = server.mailbox("Archive/2025/Q1").uidvalidity
    talk.ok("RENAME Archive Old/Stuff")
    assert names(talk.ok('LIST "" Old*'))[0] == b"Old"
    moved = server.mailbox("Old/Stuff/2025/Q1")
    assert (moved.uids, moved.uidvalidity) == ([1], uidvalidity)
    assert b"NO [NONEXISTENT]" in talk("RENAME Archive x")
    assert b"NO [ALREADYEXISTS]" in talk("RENAME Old Sent")
    assert b"NO [CANNOT]" in talk("RENAME Old Old/Older")


def test_rename_of_inbox_moves_its_messages(server, talk, letter):
    server.add_message("INBOX", letter())
    talk.ok("SELECT INBOX")
    assert b"* 1 EXPUNGE" in talk.ok("RENAME INBOX New")
    assert (server.mailbox().uids, server.mailbox("New").uids) == ([], [1])
    assert server.mailbox().uidnext == 2


def test_subscriptions(server, talk):
    talk.ok("SUBSCRIBE Archive/2024")
    assert names(talk.ok('LSUB "" %')) == [b"INBOX", b"Sent", b"Archive"]
    talk.ok("UNSUBSCRIBE Archive/2024")
    assert b"NO [NONEXISTENT]" in talk("SUBSCRIBE Nothing")


def test_status(server, talk, letter):
    server.add_message("Sent", letter(), ["\\Seen"])
    server.add_message("Sent", letter("other"))
    items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT SIZE HIGHESTMODSEQ"
    box = server.mailbox("Sent")
    size = sum(len(m.data) for m in box.messages.values())
    assert talk.ok(f"STATUS Sent ({items})").startswith(
        b"* STATUS Sent (MESSAGES 2 UIDNEXT 3 UIDVALIDITY %d UNSEEN 1 RECENT 2 SIZE %d"
        b" HIGHESTMODSEQ 3)\r\n" % (box.uidvalidity, size)
    )


def test_names_in_utf8_once_enabled(server, dial):
    talk = dial(server, enable="UTF8=ACCEPT")
    talk.ok('CREATE "Grüße"')
    assert '"/" "Grüße"'.encode() in talk.ok('LIST "" *')
    assert server.mailbox("Grüße").uids == []


def test_namespace(start, dial):
    assert b'* NAMESPACE (("" "/")) NIL NIL' in dial(start()).ok("NAMESPACE")
    courier = dial(start(personality="courier"))
    assert b'* NAMESPACE (("INBOX." ".")) NIL NIL' in courier.ok("NAMESPACE")


def test_deleting_a_mailbox_that_another_has_selected(server, talk, dial):
    other = dial(server, select="Sent")
    talk.ok("DELETE Sent")
    other.send(b"x NOOP\r\n")
    assert other.rest().startswith(b"* BYE Selected mailbox was deleted")


@pytest.mark.parametrize(
    ("name", "command", "expected"),
    [
        ("strato", 'LIST "" * RETURN (CHILDREN)', b"t2 OK LIST completed\r\n"),
        ("protonmail", 'LIST (SPECIAL-USE) "" *', b"t2 BAD LIST takes two arguments\r\n"),
        (
            "yandex",
            'XLIST "" *',
            b'* XLIST (\\HasNoChildren \\Inbox) "|" INBOX\r\nt2 OK XLIST completed\r\n',
        ),
    ],
)
def test_quirks(start, dial, name, command, expected):
    assert dial(start(personality=name))(command) == expected
