"""The drain: each workload's command, its answer read into one buffer and thrown away."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from raw import Raw
from worker import Job, serve


def connect(job: Job) -> Raw:
    raw = Raw(job.host, job.port, job.user, job.password, tunnel=job.tunnel)
    if job.mailbox:
        raw.command(f"SELECT {job.mailbox}")
    return raw


def flags(raw: Raw, job: Job) -> None:
    raw.command(f"UID FETCH {job.uids} (UID FLAGS)")


def listing(raw: Raw, job: Job) -> None:
    raw.command(f"UID FETCH {job.uids} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)")


def bodies(raw: Raw, job: Job) -> None:
    raw.command(f"UID FETCH {job.uids} (UID BODY.PEEK[])")


def digest(raw: Raw, job: Job) -> None:
    tag = raw.tag()
    raw.send(b"%s UID FETCH %s (UID BODY.PEEK[])\r\n" % (tag, job.uids.encode()))
    raw.drain(tag, hashlib.sha1().update)


def search(raw: Raw, job: Job) -> None:
    raw.command("UID SEARCH ALL")


def esearch(raw: Raw, job: Job) -> None:
    raw.command("UID SEARCH RETURN (ALL) ALL")


def one_by_one(raw: Raw, job: Job) -> None:
    for uid in job.scattered():
        raw.command(f"UID FETCH {uid} (FLAGS)")


def scattered(raw: Raw, job: Job) -> None:
    raw.together(f"UID FETCH {uid} (FLAGS)" for uid in job.scattered())


def statuses(raw: Raw, job: Job) -> None:
    raw.together(f"STATUS {name} (MESSAGES)" for name in job.names())


def stores(raw: Raw, job: Job) -> None:
    raw.together(f"UID STORE {uid} +FLAGS.SILENT (\\Answered)" for uid in job.scattered())


def multiappend(raw: Raw, job: Job) -> None:
    tag = raw.tag()
    parts = [b"%s APPEND bench" % tag]
    parts += [b" {%d+}\r\n%s" % (len(message), message) for message in job.messages()]
    raw.send(b"".join(parts) + b"\r\n")
    raw.drain(tag)


def appends(raw: Raw, job: Job) -> None:
    parts = []
    for message in job.messages():
        tag = raw.tag()
        parts.append(b"%s APPEND bench {%d+}\r\n%s\r\n" % (tag, len(message), message))
    raw.send(b"".join(parts))
    raw.drain(tag)


def session(_: None, job: Job) -> None:
    with Raw(job.host, job.port, job.user, job.password) as raw:
        raw.command("SELECT INBOX")
        raw.command("LOGOUT")


def session_at_once(_: None, job: Job) -> None:
    with Raw(job.host, job.port) as raw:
        raw.together([f"LOGIN {job.user} {job.password}", "SELECT INBOX", "LOGOUT"])


def session_with_answers(_: None, job: Job) -> None:
    """The least for who looks at what SELECT says, and reads what LOGOUT is answered, as a client
    must (RFC 9051, 3.4)."""
    with Raw(job.host, job.port) as raw:
        raw.together([f"LOGIN {job.user} {job.password}", "SELECT INBOX"])
        raw.command("LOGOUT")


def capture(raw: Raw, job: Job) -> int:
    """Keep the answers in `folder`: what the core is fed with afterwards."""
    item = {"mid": "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE"}.get(
        job.mailbox, "FLAGS"
    )
    text = raw.ask(f"UID FETCH {job.uids} (UID {item})")
    text = text[: text.rindex(b"\r\n", 0, -2) + 2]  # without the tagged line
    Path(job.folder).write_bytes(text)
    return len(re.findall(rb"^\* [0-9]+ FETCH", text, re.M))


serve(
    connect,
    {
        function.__name__: function
        for function in (
            flags,
            listing,
            bodies,
            digest,
            search,
            esearch,
            one_by_one,
            scattered,
            statuses,
            stores,
            multiappend,
            appends,
            capture,
        )
    },
    {function.__name__: function for function in (session, session_at_once, session_with_answers)},
)
