"""imaplib, or imaplus in its place: `imaplib_either.py imaplib` or `... imaplus.imaplib`."""

from __future__ import annotations

import hashlib
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from many import idle_in_threads
from worker import Job, Measured, serve

imaplib = import_module(sys.argv[1])
LISTING = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"


def log_in(job: Job) -> Any:
    imap = imaplib.IMAP4(job.host, job.port)
    imap.login(job.user, job.password)
    return imap


def connect(job: Job) -> Any:
    imap = log_in(job)
    if job.mailbox:
        insist(imap.select(job.mailbox))
    return imap


def insist(answer: Any) -> Any:
    """The data, if it is an OK."""
    if answer[0] != "OK":
        raise RuntimeError(answer)
    return answer[1]


def text_of(data: list[Any]) -> bytes:
    """All of it, for a check."""
    return b"\n".join(b"".join(each) if isinstance(each, tuple) else each or b"" for each in data)


def flags(imap: Any, job: Job) -> Any:
    data = insist(imap.uid("FETCH", job.uids, "(UID FLAGS)"))

    def check() -> object:
        text = text_of(data)
        uids = list(map(int, re.findall(rb"UID ([0-9]+)", text)))
        return [len(uids), sum(uids), text.count(b"\\Seen")]

    return check


def listed(imap: Any, job: Job) -> Any:
    data = insist(imap.uid("FETCH", job.uids, LISTING))

    def check() -> object:
        sizes = list(map(int, re.findall(rb"RFC822.SIZE ([0-9]+)", text_of(data))))
        return [len(sizes), sum(sizes)]

    return check


def bodies(imap: Any, job: Job) -> Any:
    data = insist(imap.uid("FETCH", job.uids, "(BODY.PEEK[])"))
    found = [len(each[1]) for each in data if isinstance(each, tuple)]
    return [len(found), sum(found)]


def digest(imap: Any, job: Job) -> Any:
    total = hashlib.sha1()
    n = 0
    for each in insist(imap.uid("FETCH", job.uids, "(BODY.PEEK[])")):
        if isinstance(each, tuple):
            total.update(each[1])
            n += 1
    return [n, total.hexdigest()]


def files(imap: Any, job: Job) -> Any:
    size = 0
    for uid in range(1, job.total + 1):
        data = insist(imap.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        size += (Path(job.folder) / str(uid)).write_bytes(data[0][1])
    return size


def search(imap: Any, job: Job) -> Any:
    uids = list(map(int, insist(imap.uid("SEARCH", "ALL"))[0].split()))
    return lambda: [len(uids), sum(uids)]


def scattered(imap: Any, job: Job) -> Any:
    found = [insist(imap.uid("FETCH", str(uid), "(FLAGS)")) for uid in job.scattered()]
    return lambda: len(set(re.findall(rb"UID ([0-9]+)", b"".join(map(text_of, found)))))


def append(imap: Any, job: Job) -> None:
    for message in job.messages():
        insist(imap.append("bench", None, None, message))


def session(_: None, job: Job) -> None:
    imap = log_in(job)
    insist(imap.select("INBOX"))
    imap.logout()


class Idler:
    """A connection that idles, by hand where imaplib is too old to know IDLE."""

    def __init__(self, job: Job) -> None:
        self._imap = log_in(job)
        insist(self._imap.select("INBOX"))
        self._idler: Any = None
        if hasattr(self._imap, "idle"):
            self._idler = self._imap.idle().__enter__()
        else:
            self._imap.send(self._imap._new_tag() + b" IDLE\r\n")
            self._imap.readline()

    def wait(self) -> None:
        """For one event."""
        if self._idler is not None:
            next(self._idler)
        else:
            self._imap.readline()

    def close(self) -> None:
        self._imap.shutdown()


def idle(_: None, job: Job) -> Measured:
    return idle_in_threads(Idler, job)


serve(
    connect,
    {
        "flags": flags,
        "listed": listed,
        "bodies": bodies,
        "digest": digest,
        "files": files,
        "search": search,
        "scattered": scattered,
        "append": append,
    },
    {"session": session, "idle": idle},
)
