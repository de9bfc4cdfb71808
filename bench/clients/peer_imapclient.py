"""IMAPClient, as its documentation has it."""

from __future__ import annotations

import hashlib
from typing import Any

from imapclient import IMAPClient
from many import idle_in_threads
from worker import Job, Measured, serve

AT_ONCE = 5_000
"""UIDs of one command: it takes no "1:*", and servers no line of more than 64 KiB."""
ITEMS = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"]


def log_in(job: Job) -> Any:
    client = IMAPClient(job.host, job.port, ssl=False)
    client.login(job.user, job.password)
    return client


def connect(job: Job) -> Any:
    client = log_in(job)
    if job.mailbox:
        client.select_folder(job.mailbox)
    return client


def fetch(client: Any, job: Job, items: list[str]) -> dict[int, Any]:
    """All of a mailbox."""
    found: dict[int, Any] = {}
    for first in range(1, job.total + 1, AT_ONCE):
        found |= client.fetch(range(first, min(first + AT_ONCE, job.total + 1)), items)
    return found


def flags(client: Any, job: Job) -> Any:
    found = {uid: each[b"FLAGS"] for uid, each in fetch(client, job, ["FLAGS"]).items()}
    return lambda: [len(found), sum(found), sum(b"\\Seen" in each for each in found.values())]


def listed(client: Any, job: Job) -> Any:
    found = fetch(client, job, ITEMS)
    return lambda: [len(found), sum(each[b"RFC822.SIZE"] for each in found.values())]


def bodies(client: Any, job: Job) -> Any:
    found = fetch(client, job, ["BODY.PEEK[]"])
    return [len(found), sum(len(each[b"BODY[]"]) for each in found.values())]


def digest(client: Any, job: Job) -> Any:
    total = hashlib.sha1()
    found = fetch(client, job, ["BODY.PEEK[]"])
    for each in found.values():
        total.update(each[b"BODY[]"])
    return [len(found), total.hexdigest()]


def search(client: Any, job: Job) -> Any:
    uids = client.search("ALL")
    return lambda: [len(uids), sum(uids)]


def scattered(client: Any, job: Job) -> Any:
    found = [client.get_flags([uid]) for uid in job.scattered()]
    return lambda: len({uid for each in found for uid in each})


def append(client: Any, job: Job) -> None:
    client.multiappend("bench", job.messages())


def session(_: None, job: Job) -> None:
    client = log_in(job)
    client.select_folder("INBOX")
    client.logout()


class Idler:
    """A connection that idles."""

    def __init__(self, job: Job) -> None:
        self._client = connect(job)
        self._client.select_folder("INBOX")
        self._client.idle()

    def wait(self) -> None:
        """For one event."""
        while not self._client.idle_check():
            pass

    def close(self) -> None:
        self._client.shutdown()


def idle(_: None, job: Job) -> Measured:
    return idle_in_threads(Idler, job)


serve(
    connect,
    {
        "flags": flags,
        "listed": listed,
        "bodies": bodies,
        "digest": digest,
        "search": search,
        "scattered": scattered,
        "append": append,
    },
    {"session": session, "idle": idle},
)
