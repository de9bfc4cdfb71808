"""imaplus.imaplib on real servers: each class, each method on a server that has the command.

No server here has PROXYAUTH (Sun's) or PARTIAL (RFC 1730, gone since RFC 2060): those two are
tested by what goes over the wire, in tests/imaplib. GETANNOTATION and SETANNOTATION are Cyrus's.
"""

from __future__ import annotations

import os
import secrets
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from imaplus import StateError, imaplib

from .lab import LabServer

LETTER = b"From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nworld\r\n"


def log_in(server: LabServer, user: str = "alice") -> imaplib.IMAP4:
    imap = imaplib.IMAP4(server.host, server.port, timeout=20)
    if user in server.users:
        assert imap.login(user, server.users[user])[0] == "OK"
    else:
        assert imap.login(server.info["admin"]["user"], server.info["admin"]["password"])[0] == "OK"
    imap._get_capabilities()
    return imap


@pytest.fixture
def imap(server: LabServer) -> Iterator[imaplib.IMAP4]:
    """A session with each server in turn."""
    with log_in(server) as imap:
        yield imap


@pytest.fixture
def folder(imap: imaplib.IMAP4, server: LabServer) -> Iterator[str]:
    """A mailbox with three letters, selected, that goes when the test ends."""
    below = "INBOX." if server.name == "courier" else ""
    name = f"{below}Entwürfe {secrets.token_hex(4)}"
    assert imap.create(name)[0] == "OK"
    for number in range(3):
        letter = LETTER.replace(b"hello", b"hello %d" % number)
        assert imap.append(name, None, None, letter)[0] == "OK"
    assert imap.select(name) == ("OK", [b"3"])
    yield name
    if imap.state != "LOGOUT":
        if imap.state == "SELECTED":
            imap.close()
        imap.delete(name)


def context(server: LabServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


def ok(result: tuple[str, Any]) -> Any:
    """The data of a result that must be OK."""
    assert result[0] == "OK", result
    return result[1]


def test_the_session(imap: imaplib.IMAP4, server: LabServer) -> None:
    ok(imap.capability())
    ok(imap.noop())
    ok(imap.namespace())
    assert imap.PROTOCOL_VERSION == "IMAP4REV1"
    if "ID" in imap.capabilities:
        assert ok(imap.id({"name": "imaplus"}))[0].startswith(b"(")
    assert imap.logout()[0] == "BYE"
    assert imap.state == "LOGOUT"


def test_ways_to_log_in(server: LabServer) -> None:
    password = server.users["alice"]
    with imaplib.IMAP4_SSL("localhost", server.tls_port, ssl_context=context(server)) as imap:
        assert imap.ssl().version() in ("TLSv1.2", "TLSv1.3")
        ok(imap.login_plain("alice", password))
        ok(imap.select())
    with imaplib.IMAP4("localhost", server.port) as imap:
        assert ok(imap.starttls(context(server))) == [None]
        ok(imap.authenticate("PLAIN", lambda challenge: f"\0alice\0{password}"))
    with imaplib.IMAP4("localhost", server.port) as imap:
        with pytest.raises(imaplib.IMAP4.error):
            imap.login("alice", "wrong")
        assert imap.state == "NONAUTH"
        if "AUTH=CRAM-MD5" in imap.capabilities:
            ok(imap.login_cram_md5("alice", password))
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("localhost", server.tls_port)


def test_mailboxes(imap: imaplib.IMAP4, server: LabServer, folder: str) -> None:
    encoded = folder.encode("utf-7-imap")
    listed = ok(imap.list("", "*"))
    assert any(encoded in (each if isinstance(each, bytes) else each[1]) for each in listed)
    assert b"MESSAGES 3" in ok(imap.status(folder, ["MESSAGES"]))[0]
    ok(imap.subscribe(folder))
    assert any(encoded in each for each in ok(imap.lsub()) if isinstance(each, bytes))
    ok(imap.unsubscribe(folder))
    ok(imap.check())
    assert imap.response("UIDVALIDITY")[1][0].isdigit()
    ok(imap.select(folder, readonly=True))
    if "UNSELECT" in imap.capabilities:
        ok(imap.unselect())
    else:
        ok(imap.close())
    ok(imap.rename(folder, folder + " 2"))
    assert imap.select(folder)[0] == "NO"
    assert imap.state == "AUTH"
    ok(imap.rename(folder + " 2", folder))


def test_messages(imap: imaplib.IMAP4, server: LabServer, folder: str) -> None:
    data = ok(imap.fetch("1:2", "(UID BODY.PEEK[])"))
    bodies = [each[1] for each in data if isinstance(each, tuple)]
    assert bodies == [LETTER.replace(b"hello", b"hello %d" % n) for n in (0, 1)]
    assert b"\\Flagged" in ok(imap.store(1, "+FLAGS", ["\\Flagged"]))[0]
    assert ok(imap.search(None, "FLAGGED")) == [b"1"]
    assert ok(imap.search("UTF-8", "SUBJECT ?", params=["hello 1"])) == [b"2"]
    assert ok(imap.search(None, "NOT SUBJECT ?", params=["Grüße".encode()]))[0].split()
    uids = ok(imap.uid("SEARCH", "ALL"))[0].decode().split()
    assert ok(imap.search(None, "ALL", uid=True))[0].decode().split() == uids
    assert len(ok(imap.fetch([int(uid) for uid in uids], ["FLAGS"], uid=True))) == 3
    assert len(ok(imap.fetch("1:*", "FLAGS UID"))) == 3
    [line] = ok(imap.fetch(uids[1], "FLAGS", uid=True))
    assert b"UID %b" % uids[1].encode() in line
    if "SORT" in imap.capabilities:
        assert ok(imap.sort("REVERSE SUBJECT", "UTF-8", "ALL")) == [b"3 2 1"]
        found = ok(imap.sort("REVERSE SUBJECT", "UTF-8", "ALL", uid=True))[0].decode().split()
        assert found == uids[::-1]
    if "THREAD=REFERENCES" in imap.capabilities:
        assert b"1" in ok(imap.thread("REFERENCES", "UTF-8", "ALL"))[0]
    ok(imap.copy("1", folder))
    assert ok(imap.noop())
    if "MOVE" in imap.capabilities:
        ok(imap.move(uids[0], folder, uid=True))
    ok(imap.recent() if imap.response("RECENT")[1] != [None] else imap.noop())
    ok(imap.store("1:*", "+FLAGS.SILENT", r"(\Deleted)"))
    if "UIDPLUS" in imap.capabilities:
        assert ok(imap.expunge(uids[1], uid=True)) is not None
    assert ok(imap.expunge())[-1] is not None
    assert ok(imap.search(None, "ALL")) in ([b""], [None])


def test_rights_and_quota(server: LabServer, imap: imaplib.IMAP4, folder: str) -> None:
    if "ACL" not in imap.capabilities:
        pytest.skip(f"{server.name} has no ACL")
    ok(imap.setacl(folder, "bob", "lrs"))
    assert b"bob" in ok(imap.getacl(folder))[0]
    assert b"l" in ok(imap.myrights(folder))[0]
    ok(imap.deleteacl(folder, "bob"))
    roots, quotas = ok(imap.getquotaroot("INBOX"))
    assert roots[0]
    # Cyrus tells administrators only: see below.
    if quotas != [None] and b"STORAGE" in quotas[0] and not server.name.startswith("cyrus"):
        root = quotas[0].rpartition(b" (")[0].decode()
        assert b"STORAGE" in ok(imap.getquota(root))[0]


def test_annotations_and_administration(cyrus: LabServer) -> None:
    with log_in(cyrus, "admin") as admin:
        ok(admin.setquota("user/alice", "(STORAGE 9999999)"))
        assert b"9999999" in ok(admin.getquota("user/alice"))[0]
    with log_in(cyrus) as imap:
        entry, attribute = '"/comment"', '"value.priv"'
        ok(imap.setannotation("INBOX", entry, '("value.priv" "noted")'))
        assert b"noted" in ok(imap.getannotation("INBOX", entry, attribute))[-1]


@pytest.mark.parametrize("name", ["dovecot_next", "courier"])
def test_utf8_accept(request: pytest.FixtureRequest, name: str) -> None:
    """Difference: utf8-append."""
    server: LabServer = request.getfixturevalue(name)
    below = "INBOX." if server.name == "courier" else ""
    # Dovecot 2.4.1 takes UTF-8 in messages only, and wants modified UTF-7 for names all the same.
    mailbox = f"{below}{'Grüße' if server.name == 'courier' else 'Gruss'} {secrets.token_hex(4)}"
    letter = "Subject: Grüße\r\n\r\nworld\r\n".encode()
    with log_in(server) as imap:
        ok(imap.enable("UTF8=ACCEPT"))
        assert imap.utf8_enabled
        ok(imap.create(mailbox))
        ok(imap.append(mailbox, None, None, letter))
        assert ok(imap.select(mailbox)) == [b"1"]
        assert ok(imap.fetch("1", "BODY.PEEK[]"))[0][1] == letter
        ok(imap.close())
        ok(imap.delete(mailbox))


def test_idle(server: LabServer, imap: imaplib.IMAP4, folder: str) -> None:
    if "IDLE" not in imap.capabilities:
        pytest.skip(f"{server.name} has no IDLE")
    with log_in(server) as other, imap.idle(20) as idler:
        ok(other.append(folder, None, None, LETTER))
        assert ("EXISTS", [b"4"]) in ((typ, data) for typ, data in idler)
    assert imap.state == "SELECTED"
    with imap.idle(0.2) as idler:
        list(idler)
    assert ok(imap.noop())


def test_the_typed_client(imap: imaplib.IMAP4, folder: str) -> None:
    client = imap.typed
    mailbox = client.select(folder)
    subjects = []
    for message in mailbox.fetch("1:*", "ENVELOPE"):
        subjects.append(message.envelope.subject)
        ok(imap.store(str(message.uid), "+FLAGS", "\\Seen", uid=True))
    assert subjects == ["hello 0", "hello 1", "hello 2"]
    ok(imap.append(folder, None, None, LETTER))
    ok(imap.noop())  # Courier counts it only now
    assert len(mailbox.uids()) == 4
    ok(imap.close())
    assert not mailbox.is_open
    with pytest.raises(StateError):
        mailbox.uids()


def test_a_stream(dovecot: LabServer) -> None:
    with imaplib.IMAP4_stream(shlex.join(dovecot.info["tunnel"])) as imap:
        assert imap.state == "AUTH"
        assert imap.welcome is not None
        assert imap.welcome.startswith(b"* PREAUTH")
        ok(imap.select())
        ok(imap.append("INBOX", None, None, LETTER))
        assert ok(imap.fetch("*", "BODY.PEEK[TEXT]"))[0][1] == b"world\r\n"
        with pytest.raises(imaplib.IMAP4.error, match="IMAP4_stream has none"):
            imap.idle(5)
        with imap.idle():
            pass
        assert imap.typed.select("INBOX").uids()
    assert imap.process.returncode is not None


def run_module(*options: str, password: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "imaplus.imaplib", *options],
        env={**os.environ, "IMAPLUS_PASSWORD": password},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_line(dovecot: LabServer) -> None:
    secret = dovecot.users["bob"]
    options = ("-d", "5", "-u", "bob", "-p", str(dovecot.port), dovecot.host)
    done = run_module(*options, password=secret)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "All tests OK.\n"
    assert "LOGIN ***" in done.stderr
    assert f'"{secret}"' not in done.stderr
    assert run_module("-u", "bob", "-p", str(dovecot.port), dovecot.host, password="x").returncode
    tunnel = run_module("-s", shlex.join(dovecot.info["tunnel"]), password="")
    assert (tunnel.returncode, tunnel.stdout) == (0, "All tests OK.\n"), tunnel.stderr


def test_the_historical_example(dovecot: LabServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The example in the standard library's documentation, as it has been since 1998."""
    M = imaplib.IMAP4(dovecot.host, dovecot.port)  # noqa: N806
    M.login("carol", dovecot.users["carol"])
    M.append("INBOX", None, None, LETTER)
    M.select()
    typ, data = M.search(None, "ALL")
    for num in data[0].split():
        typ, data = M.fetch(num, "(RFC822)")
        print(f"Message {num}\n{data[0][1]}\n")  # type: ignore[index]
    M.close()
    M.logout()
    assert typ == "OK"
    assert f"Message b'1'\n{LETTER!r}" in capsys.readouterr().out
