"""Programs as they are written for the standard module: only its import differs.

mypy and pyright check them strictly against the facade, and mypy against typeshed's imaplib too, so
that what passes with the one passes with the other. They are never run.
"""

from __future__ import annotations

import email
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from imaplus import imaplib

LINE = re.compile(rb'\((?P<flags>.*?)\) "(?P<delimiter>.*)" (?P<name>.*)')


def unread(host: str, user: str, password: str) -> Iterator[str]:
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context()) as imap:
        imap.login(user, password)
        typ, data = imap.select("INBOX", readonly=True)
        if typ != "OK" or data[0] is None:
            return
        print(int(data[0]), "messages")
        typ, found = imap.search(None, "UNSEEN", "SUBJECT", '"hello"')
        for num in found[0].split():
            typ, parts = imap.fetch(num, "(RFC822)")
            for part in parts:
                if isinstance(part, tuple):
                    yield str(email.message_from_bytes(part[1])["Subject"])


def folders(imap: imaplib.IMAP4) -> list[str]:
    typ, lines = imap.list()
    matches = [LINE.match(line) for line in lines if isinstance(line, bytes)]
    return [match["name"].decode() for match in matches if match and typ == "OK"]


def archive(imap: imaplib.IMAP4, message: bytes) -> str | None:
    when = datetime.now(UTC)
    typ, answer = imap.append("Archive", r"(\Seen)", imaplib.Time2Internaldate(when), message)
    typ, uids = imap.uid("SEARCH", "ALL")
    imap.uid("STORE", uids[0].split()[-1].decode(), "+FLAGS", r"(\Deleted)")
    imap.expunge()
    typ, [limits] = imap.response("UIDVALIDITY")
    return str(limits) if typ == "UIDVALIDITY" and answer else None


def robust(host: str) -> imaplib.IMAP4 | None:
    try:
        imap = imaplib.IMAP4(host, 143, timeout=10)
        imap.starttls(ssl.create_default_context())
        imap.authenticate("PLAIN", lambda challenge: b"\0user\0password")
    except imaplib.IMAP4.readonly:
        pass
    except imaplib.IMAP4.abort as error:
        print("connection lost", error)
    except (imaplib.IMAP4.error, OSError) as error:
        print(error)
    else:
        return imap
    return None


class Tunnelled(imaplib.IMAP4):
    """A subclass with a socket of its own."""

    def __init__(self, sock: socket.socket) -> None:
        self._ready = sock
        super().__init__("tunnel")

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host = host
        self.port = port
        self.sock = self._ready
        self.file = self.sock.makefile("rb")

    def readline(self) -> bytes:
        line = super().readline()
        self.debug = 4 if line.startswith(b"* BYE") else 0
        return line

    def read(self, size: int) -> bytes:
        return super().read(size)

    def shutdown(self) -> None:
        self.sock.close()


def helpers(line: bytes) -> tuple[object, ...]:
    imaplib.Commands["X-OURS"] = ("AUTH", "SELECTED")
    flags: tuple[bytes, ...] = imaplib.ParseFlags(line)
    prefix: bytes = imaplib.Int2AP(4711)
    return flags, prefix, imaplib.Internaldate2tuple(line)


def state(imap: imaplib.IMAP4_stream) -> str:
    imap.state = "AUTH"
    imap.untagged_responses.clear()
    capabilities: tuple[str, ...] = imap.capabilities
    imap.process.wait()
    imap.NOOP()
    return ", ".join(capabilities) + imap.PROTOCOL_VERSION
