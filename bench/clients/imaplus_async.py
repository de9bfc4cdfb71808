"""imaplus as its user would write it: the typed client of asyncio."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from imaplus_sync import ITEMS, Hashing
from many import Idling, idle_together
from touch import touch_envelope, touch_structure
from worker import Job, Measured, serve_async

from imaplus import AsyncClient, AsyncMailbox, BodySection, Security
from imaplus.endpoints import Process


class Session:
    """A client and the mailbox it has open."""

    client: AsyncClient
    mailbox: AsyncMailbox


async def log_in(job: Job) -> AsyncClient:
    if job.tunnel:
        return await AsyncClient.connect(Process(job.tunnel))
    return await AsyncClient.connect(
        job.host, job.port, user=job.user, password=job.password, security=Security.PLAIN
    )


async def connect(job: Job) -> Session:
    session = Session()
    session.client = await log_in(job)
    if job.mailbox:
        session.mailbox = await session.client.select(job.mailbox)
    return session


async def flags(session: Session, job: Job) -> Any:
    found = await session.mailbox.flags(job.uids)
    return lambda: [len(found), sum(found), sum("\\Seen" in each for each in found.values())]


async def iterate(session: Session, job: Job) -> Any:
    n = seen = 0
    async for message in session.mailbox.fetch(job.uids, "FLAGS"):
        n += 1
        seen += "\\Seen" in message.flags
    return [n, seen]


async def listed(session: Session, job: Job) -> Any:
    messages = [message async for message in session.mailbox.fetch(job.uids, *ITEMS)]
    size = 0
    for message in messages:
        size += message.size
        message.uid, message.flags  # noqa: B018 - touched
    return [len(messages), size]


async def envelopes(session: Session, job: Job) -> Any:
    n = size = 0
    async for message in session.mailbox.fetch(job.uids, *ITEMS):
        touch_envelope(message.envelope)
        n += 1
        size += message.size
    return [n, size]


async def everything(session: Session, job: Job) -> Any:
    n = size = 0
    async for message in session.mailbox.fetch(job.uids, *ITEMS):
        touch_envelope(message.envelope)
        touch_structure(message.bodystructure)
        n += 1
        size += message.size
    return [n, size]


async def kept(session: Session, job: Job) -> Any:
    messages = [message async for message in session.mailbox.fetch(job.uids, *ITEMS)]
    for message in messages:
        touch_envelope(message.envelope)
        touch_structure(message.bodystructure)
    return [len(messages), sum(message.size for message in messages)]


async def bodies(session: Session, job: Job) -> Any:
    n = size = 0
    async for message in session.mailbox.fetch(job.uids, BodySection()):
        n += 1
        size += len(message["BODY[]"])
    return [n, size]


async def digest(session: Session, job: Job) -> Any:
    total = hashlib.sha1()
    n = 0
    async for _ in session.mailbox.fetch(
        job.uids, BodySection(), into=lambda uid, size: Hashing(total)
    ):
        n += 1
    return [n, total.hexdigest()]


async def files(session: Session, job: Job) -> Any:
    size = 0
    for uid in range(1, job.total + 1):
        with (Path(job.folder) / str(uid)).open("wb") as file:
            size += await session.mailbox.download(uid, file)
    return size


async def search(session: Session, job: Job) -> Any:
    uids = list(await session.mailbox.search())
    return lambda: [len(uids), sum(uids)]


async def scattered(session: Session, job: Job) -> Any:
    async with session.client.pipeline() as pipe:
        answers = [pipe.mailbox.fetch(uid, "FLAGS") for uid in job.scattered()]
    return len({message.uid for answer in answers for message in answer.result()})


async def statuses(session: Session, job: Job) -> Any:
    async with session.client.pipeline() as pipe:
        answers = [pipe.status(name, ("MESSAGES",)) for name in job.names()]
    return sum(answer.result().messages or 0 for answer in answers)


async def stores(session: Session, job: Job) -> None:
    async with session.client.pipeline() as pipe:
        for uid in job.scattered():
            pipe.mailbox.add_flags(uid, "\\Answered")


async def gathered(session: Session, job: Job) -> Any:
    answers = await asyncio.gather(*(session.mailbox.flags(uid) for uid in job.scattered()))
    return len({uid for answer in answers for uid in answer})


async def append(session: Session, job: Job) -> None:
    await session.client.append_many("bench", job.messages())


async def session(_: None, job: Job) -> None:
    async with await AsyncClient.connect(
        job.host,
        job.port,
        user=job.user,
        password=job.password,
        security=Security.PLAIN,
        mechanisms=["PLAIN"],  # as the others; SCRAM takes a round trip more
        mailbox="INBOX",
    ) as client:
        assert client.mailbox.is_open


async def idle(_: None, job: Job) -> Measured:
    async def one(job: Job) -> Idling:
        client = await log_in(job)
        mailbox = await client.select("INBOX")
        return Idling(mailbox.idle().__anext__(), client.close)

    return await idle_together(one, job)


if __name__ == "__main__":
    serve_async(
        connect,
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
            "gathered": gathered,
            "append": append,
        },
        {"session": session, "idle": idle},
    )
