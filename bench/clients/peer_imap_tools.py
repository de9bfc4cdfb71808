"""imap_tools, as its documentation has it. It fetches messages or headers, and no flags alone."""

from __future__ import annotations

import hashlib
from typing import Any

from imap_tools import MailBoxUnencrypted
from worker import Job, serve


def connect(job: Job) -> Any:
    box = MailBoxUnencrypted(job.host, job.port)
    return box.login(job.user, job.password, initial_folder=job.mailbox or None)


def uids(job: Job) -> str:
    """It wants them one by one."""
    return ",".join(map(str, range(1, job.total + 1)))


def listed(box: Any, job: Job) -> Any:
    found = list(box.fetch(mark_seen=False, headers_only=True, bulk=True, uid_list=uids(job)))
    return lambda: [len(found), sum(message.size_rfc822 for message in found)]


def bodies(box: Any, job: Job) -> Any:
    n = size = 0
    for message in box.fetch(mark_seen=False, bulk=True, uid_list=uids(job)):
        n += 1
        size += message.size_rfc822
    return [n, size]


def digest(box: Any, job: Job) -> None:
    """It parses each message; what is hashed is the text that its parser kept."""
    total = hashlib.sha1()
    for message in box.fetch(mark_seen=False, uid_list=uids(job)):
        total.update(message.obj.get_payload().encode())


def search(box: Any, job: Job) -> Any:
    found = list(map(int, box.uids()))
    return lambda: [len(found), sum(found)]


def scattered(box: Any, job: Job) -> Any:
    found = []
    for uid in job.scattered():
        found += box.fetch(uid_list=str(uid), mark_seen=False, headers_only=True)
    return lambda: len({message.uid for message in found})


def append(box: Any, job: Job) -> None:
    for message in job.messages():
        box.append(message, "bench")


def session(_: None, job: Job) -> None:
    with MailBoxUnencrypted(job.host, job.port).login(job.user, job.password):
        pass


serve(
    connect,
    {
        "listed": listed,
        "bodies": bodies,
        "digest": digest,
        "search": search,
        "scattered": scattered,
        "append": append,
    },
    {"session": session},
)
