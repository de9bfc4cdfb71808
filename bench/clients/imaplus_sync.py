"""imaplus as its user would write it: the typed client, without asyncio."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from touch import touch_envelope, touch_structure
from worker import Job, serve

from imaplus import BodySection, Client, Mailbox, Security
from imaplus.endpoints import Process

ITEMS = ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE")


def log_in(job: Job) -> Client:
    if job.tunnel:
        return Client.connect(Process(job.tunnel))
    return Client.connect(
        job.host, job.port, user=job.user, password=job.password, security=Security.PLAIN
    )


class Session:
    """A client and the mailbox it has open."""

    def __init__(self, job: Job) -> None:
        self.client = log_in(job)
        if job.mailbox:
            self.mailbox: Mailbox = self.client.select(job.mailbox)


def flags(session: Session, job: Job) -> Any:
    found = session.mailbox.flags(job.uids)
    return lambda: [len(found), sum(found), sum("\\Seen" in each for each in found.values())]


def iterate(session: Session, job: Job) -> Any:
    n = seen = 0
    for message in session.mailbox.fetch(job.uids, "FLAGS"):
        n += 1
        seen += "\\Seen" in message.flags
    return [n, seen]


def listed(session: Session, job: Job) -> Any:
    messages = list(session.mailbox.fetch(job.uids, *ITEMS))
    size = 0
    for message in messages:
        size += message.size
        message.uid, message.flags  # noqa: B018 - touched
    return [len(messages), size]


def envelopes(session: Session, job: Job) -> Any:
    n = size = 0
    for message in session.mailbox.fetch(job.uids, *ITEMS):
        touch_envelope(message.envelope)
        n += 1
        size += message.size
    return [n, size]


def everything(session: Session, job: Job) -> Any:
    n = size = 0
    for message in session.mailbox.fetch(job.uids, *ITEMS):
        touch_envelope(message.envelope)
        touch_structure(message.bodystructure)
        n += 1
        size += message.size
    return [n, size]


def kept(session: Session, job: Job) -> Any:
    messages = list(session.mailbox.fetch(job.uids, *ITEMS))
    for message in messages:
        touch_envelope(message.envelope)
        touch_structure(message.bodystructure)
    return [len(messages), sum(message.size for message in messages)]


def bodies(session: Session, job: Job) -> Any:
    n = size = 0
    for message in session.mailbox.fetch(job.uids, BodySection()):
        n += 1
        size += len(message["BODY[]"])
    return [n, size]


class Hashing:
    """A sink: the bytes of one message go into the digest of all."""

    def __init__(self, digest: Any) -> None:
        self.write = digest.update

    def close(self) -> None:
        return None

    def abort(self) -> None:
        pass


def digest(session: Session, job: Job) -> Any:
    total = hashlib.sha1()
    n = 0
    for _ in session.mailbox.fetch(job.uids, BodySection(), into=lambda uid, size: Hashing(total)):
        n += 1
    return [n, total.hexdigest()]


def files(session: Session, job: Job) -> Any:
    size = 0
    for uid in range(1, job.total + 1):
        with (Path(job.folder) / str(uid)).open("wb") as file:
            size += session.mailbox.download(uid, file)
    return size


def search(session: Session, job: Job) -> Any:
    uids = list(session.mailbox.search())
    return lambda: [len(uids), sum(uids)]


def scattered(session: Session, job: Job) -> Any:
    with session.client.pipeline() as pipe:
        answers = [pipe.mailbox.fetch(uid, "FLAGS") for uid in job.scattered()]
    return len({message.uid for answer in answers for message in answer.result()})


def statuses(session: Session, job: Job) -> Any:
    with session.client.pipeline() as pipe:
        answers = [pipe.status(name, ("MESSAGES",)) for name in job.names()]
    return sum(answer.result().messages or 0 for answer in answers)


def stores(session: Session, job: Job) -> None:
    with session.client.pipeline() as pipe:
        for uid in job.scattered():
            pipe.mailbox.add_flags(uid, "\\Answered")


def append(session: Session, job: Job) -> None:
    session.client.append_many("bench", job.messages())


def session(_: None, job: Job) -> None:
    with Client.connect(
        job.host,
        job.port,
        user=job.user,
        password=job.password,
        security=Security.PLAIN,
        mechanisms=["PLAIN"],  # as the others; SCRAM takes a round trip more
        mailbox="INBOX",
    ) as client:
        assert client.mailbox.is_open


if __name__ == "__main__":
    serve(
        Session,
        {
            "flags": flags,
            "iterate": iterate,
            "listed": listed,
            "envelopes": envelopes,
            "everything": everything,
            "kept": kept,
            "bodies": bodies,
            "digest": digest,
            "files": files,
            "search": search,
            "scattered": scattered,
            "statuses": statuses,
            "stores": stores,
            "append": append,
        },
        {"session": session},
    )
