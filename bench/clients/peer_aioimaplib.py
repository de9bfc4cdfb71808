"""aioimaplib, as its documentation has it. It hands lines on, and parses none."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

import aioimaplib
from many import Idling, idle_together
from worker import Job, Measured, serve_async

LISTING = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"


async def log_in(job: Job) -> Any:
    client = aioimaplib.IMAP4(job.host, job.port, timeout=job.limit)
    await client.wait_hello_from_server()
    await client.login(job.user, job.password)
    return client


async def connect(job: Job) -> Any:
    client = await log_in(job)
    if job.mailbox:
        await client.select(job.mailbox)
    if job.workload == "gathered":
        client.timeout = aioimaplib.IMAP4.TIMEOUT_SECONDS  # its own default
    return client


async def lines(answer: Any) -> Any:
    """What the server said, if it said OK."""
    response = await answer
    if response.result != "OK":
        raise RuntimeError(response.lines)
    return response.lines


async def flags(client: Any, job: Job) -> Any:
    found = await lines(client.uid("fetch", job.uids, "(FLAGS)"))

    def check() -> object:
        text = b"\n".join(found)
        uids = list(map(int, re.findall(rb"UID ([0-9]+)", text)))
        return [len(uids), sum(uids), text.count(b"\\Seen")]

    return check


async def listed(client: Any, job: Job) -> Any:
    found = await lines(client.uid("fetch", job.uids, LISTING))

    def check() -> object:
        sizes = list(map(int, re.findall(rb"RFC822.SIZE ([0-9]+)", b"\n".join(found))))
        return [len(sizes), sum(sizes)]

    return check


async def bodies(client: Any, job: Job) -> Any:
    found = await lines(client.uid("fetch", job.uids, "(BODY.PEEK[])"))
    sizes = [len(line) for line in found if isinstance(line, bytearray)]
    return [len(sizes), sum(sizes)]


async def digest(client: Any, job: Job) -> Any:
    total = hashlib.sha1()
    n = 0
    for line in await lines(client.uid("fetch", job.uids, "(BODY.PEEK[])")):
        if isinstance(line, bytearray):  # a literal
            total.update(line)
            n += 1
    return [n, total.hexdigest()]


async def search(client: Any, job: Job) -> Any:
    found = await lines(client.uid_search("ALL"))
    uids = list(map(int, found[0].split()))
    return lambda: [len(uids), sum(uids)]


async def gathered(client: Any, job: Job) -> Any:
    uids = job.scattered()
    found = await asyncio.gather(*(client.uid("fetch", str(uid), "(FLAGS)") for uid in uids))
    text = b"\n".join(line for response in found for line in response.lines)
    return lambda: len(set(re.findall(rb"UID ([0-9]+)", text)))


async def append(client: Any, job: Job) -> None:
    for message in job.messages():
        await lines(client.append(message, "bench"))


async def session(_: None, job: Job) -> None:
    client = await log_in(job)
    await client.select("INBOX")
    await client.logout()


async def idle(_: None, job: Job) -> Measured:
    async def one(job: Job) -> Idling:
        client = await log_in(job)
        await client.select("INBOX")
        await client.idle_start()
        return Idling(client.wait_server_push(), client.protocol.transport.close)

    return await idle_together(one, job)


serve_async(
    connect,
    {
        "flags": flags,
        "listed": listed,
        "bodies": bodies,
        "digest": digest,
        "search": search,
        "gathered": gathered,
        "append": append,
    },
    {"session": session, "idle": idle},
)
