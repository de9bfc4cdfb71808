"""The workloads: title, clients, measures, and the goals of imaplus.

The goals apply only to the typed clients, `imaplus` and `imaplus async`.
"""

from __future__ import annotations

from cases import (
    AIOIMAPLIB,
    ASYNC,
    DRAIN,
    FACADE,
    FILES,
    IMAP_TOOLS,
    IMAPCLIENT,
    IMAPFLOW,
    IMAPLIB,
    MBSYNC,
    QUICK_FAT,
    QUICK_MID,
    SYNC,
    Case,
    Measure,
    by,
    ours,
    ratio,
)
from prepare import BIG, COLLECTOR, FAT, MANY, MID, WRITER

ONE_BY_ONE = (FACADE, IMAPLIB, IMAPCLIENT, IMAP_TOOLS)
IMPORTS = {
    SYNC: "from imaplus import Client",
    ASYNC: "from imaplus import AsyncClient",
    FACADE: "import imaplus.imaplib",
    IMAPLIB: "import imaplib",
    IMAPCLIENT: "import imapclient",
    IMAP_TOOLS: "import imap_tools",
    AIOIMAPLIB: "import aioimaplib",
}
MIRROR = {DRAIN: "", SYNC: "", MBSYNC: ""}
MIRROR_NOTES = {
    "first": "`imaplus backup` against mbsync (without COMPRESS); the drain is a script that "
    "writes files. Where messages are durable, mbsync and the script sync each file, imaplus the "
    "file system before its journal names a batch.",
    "again": "mbsync reads flags and compares. `imaplus backup` and the drain log in and ask one "
    "question; most of their time goes into starting Python and loading what that takes.",
}
SIZES = (1_000, 10_000, 100_000, 1_000_000)

CASES = (
    Case(
        "W1",
        f"flags of {BIG:,} messages, as a dict",
        by("flags", without=(IMAP_TOOLS,)),
        (ratio(1.3), Measure("growth_mb")),
        mailbox="big",
        total=BIG,
    ),
    Case(
        "W2-listed",
        f"FLAGS, INTERNALDATE, RFC822.SIZE, ENVELOPE, BODYSTRUCTURE of {MID:,} messages, listed",
        by("listed", drain="listing"),
        (ratio(1.2),),
        mailbox="mid",
        total=MID,
        quick=QUICK_MID,
        note="IMAPClient, imap_tools (headers only) and imapflow parse all of it at once, "
        "imaplib and aioimaplib nothing.",
    ),
    Case(
        "W2-envelopes",
        "the same, iterated, with every ENVELOPE read as it comes",
        ours("envelopes", "listing"),
        (ratio(2.2),),
        mailbox="mid",
        total=MID,
        quick=QUICK_MID,
    ),
    Case(
        "W2-everything",
        "the same, with every field of ENVELOPE and BODYSTRUCTURE read as it comes",
        ours("everything", "listing"),
        (ratio(4.0),),
        mailbox="mid",
        total=MID,
        quick=QUICK_MID,
    ),
    Case(
        "W2-kept",
        "the same, with all messages listed first, and every field read when all have come",
        ours("kept", "listing"),
        mailbox="mid",
        total=MID,
        quick=QUICK_MID,
        note="Then nothing is read while the server works, and all of it is in memory at once.",
    ),
    Case(
        "W3-memory",
        f"BODY.PEEK[] of {MID:,} messages, each looked at in memory",
        by("bodies"),
        (ratio(1.1), Measure("growth_mb")),
        mailbox="mid",
        total=MID,
        quick=QUICK_MID,
    ),
    Case(
        "W3-digest",
        f"BODY.PEEK[] of {FAT} messages of 5 MB, to one SHA-1",
        by("digest"),
        (ratio(1.2), Measure("growth_mb", 5)),
        mailbox="fat",
        total=FAT,
        quick=QUICK_FAT,
        note="The drain hashes all that comes, too.",
    ),
    Case(
        "W3-files",
        f"{FILES} messages of 5 MB, to files",
        {
            DRAIN: "bodies",
            SYNC: "files",
            ASYNC: "files",
            FACADE: "files",
            IMAPLIB: "files",
            IMAPFLOW: "files",
        },
        (ratio(1.6), Measure("growth_mb", 5)),
        mailbox="fat",
        total=FILES,
        quick=QUICK_FAT,
        note="The drain throws them away.",
    ),
    Case(
        "W4-fetch",
        "1,000 scattered small FETCHes, 20 ms round trip",
        by("scattered", without=(AIOIMAPLIB, IMAPFLOW)),
        (Measure("round_trips", 3), ratio()),
        beside={"one by one": "one_by_one"},
        kind="delayed",
        mailbox="mid",
        total=MID,
        count=1_000,
        fewer=dict.fromkeys(("one by one", *ONE_BY_ONE), 25),
        note="By `client.pipeline()`; others have nothing like it. The drain writes all at once, "
        "which counts as one round trip. The time beyond the drain's is told in round trips, "
        "whatever it was spent on.",
    ),
    Case(
        "W4-gather",
        "the same, given together by `asyncio.gather` or `Promise.all`",
        {DRAIN: "scattered", ASYNC: "gathered", AIOIMAPLIB: "gathered", IMAPFLOW: "gathered"},
        (Measure("round_trips", 3), ratio()),
        kind="delayed",
        mailbox="mid",
        total=MID,
        count=1_000,
        fewer={IMAPFLOW: 25},
    ),
    Case(
        "W4-status",
        f"STATUS of {MANY} mailboxes, 20 ms round trip",
        ours("statuses", "statuses"),
        (Measure("round_trips", 3), ratio()),
        kind="delayed",
        user=COLLECTOR,
        count=MANY,
    ),
    Case(
        "W4-store",
        f"STORE of each of {FAT} messages on its own, 20 ms round trip",
        ours("stores", "stores"),
        (Measure("round_trips", 3), ratio()),
        kind="delayed",
        mailbox="fat",
        total=FAT,
        count=FAT,
    ),
    Case(
        "W5-far",
        "APPEND of 200 messages of 4 KB, 20 ms round trip",
        by("append", drain="multiappend"),
        (ratio(1.1),),
        beside={"LITERAL+, pipelined": "appends"},
        kind="delayed",
        count=200,
        fewer=dict.fromkeys((FACADE, IMAPLIB, IMAP_TOOLS, AIOIMAPLIB, IMAPFLOW), 10),
        user=WRITER,
        appends=True,
        note="IMAPClient by `multiappend()`. The drain is one MULTIAPPEND.",
    ),
    Case(
        "W5-near",
        "APPEND of 2,000 messages of 4 KB, without delay",
        by("append", drain="multiappend"),
        (ratio(1.1),),
        beside={"LITERAL+, pipelined": "appends"},
        count=2_000,
        quick_count=500,
        fewer=dict.fromkeys((FACADE, IMAPLIB, IMAP_TOOLS, AIOIMAPLIB, IMAPFLOW), 400),
        user=WRITER,
        appends=True,
        note="As above.",
    ),
    *(
        Case(
            f"W6-{phase}{'-synced' * synced}",
            f"mirror of {MID:,} messages, whole process, {title}, "
            + ("each message durable before it counts" if synced else "without syncing"),
            MIRROR,
            (ratio(1.0, below=True), Measure("s")),
            reference=MBSYNC,
            kind="mirror",
            mailbox="mid",
            total=MID,
            quick=0 if synced else None,
            note=MIRROR_NOTES[phase],
        )
        for synced in (False, True)
        for phase, title in (("first", "first run"), ("again", "unchanged second run"))
    ),
    Case(
        "W6-first-bar",
        f"mirror of {MID:,} messages, whole process, first run, without syncing, on a terminal, "
        "with the progress bar",
        {DRAIN: "", SYNC: ""},
        (ratio(1.05), Measure("s")),
        kind="mirror",
        mailbox="mid",
        total=MID,
        rounds=9,
        goals_for=(SYNC,),
        note="The drain is the same command with `--quiet`, which draws no bar. Both write errors "
        "to a pseudo-terminal of 80 columns, from which all is read as it comes.",
    ),
    Case(
        "W7",
        "1,000 connections that idle in one process, until all are told of a message",
        {
            DRAIN: "idle",
            ASYNC: "idle",
            FACADE: "idle",
            IMAPLIB: "idle",
            IMAPCLIENT: "idle",
            AIOIMAPLIB: "idle",
        },
        (ratio(2.0), Measure("each_kb", 10)),
        kind="idle",
        count=1_000,
        quick_count=300,
        note="The drain is a bare asyncio.Protocol. imaplib and IMAPClient take a thread each.",
    ),
    Case(
        "W8",
        f"UID SEARCH ALL, {BIG:,} UIDs, to ints",
        by("search"),
        (ratio(1.0),),
        beside={"ESEARCH": "esearch"},
        mailbox="big",
        total=BIG,
        note="The drain is of a plain SEARCH.",
    ),
    Case(
        "W8-without",
        "the same at a server without ESEARCH",
        ours("search", "search"),
        (ratio(1.3),),
        kind="tunnel",
        mailbox="big",
        total=BIG,
        note="Dovecot's own process for a session, without a socket between.",
    ),
    Case(
        "W9-import",
        "import, the whole process",
        dict.fromkeys(IMPORTS, ""),
        (ratio(1.0), Measure("ms")),
        reference=IMAPLIB,
        kind="import",
        goals_for=(SYNC,),
        note="Ratios are to imaplib's. `AsyncClient` is what loads asyncio.",
    ),
    Case(
        "W9-session",
        "connect, login, select, logout, 20 ms round trip",
        by("session", drain="session_at_once"),
        (Measure("more_round_trips", 1), ratio()),
        beside={"LOGOUT when SELECT is answered": "session_with_answers", "one by one": "session"},
        kind="delayed",
        note="The drain sends everything at once; round trips are those beyond it. A client sends "
        "LOGOUT when it has the answer to SELECT, and reads that to LOGOUT: one round trip more, "
        "and the goal leaves no time for anything else.",
    ),
    Case(
        "W10-flags",
        "the parser alone, on W1",
        {SYNC: "flags"},
        (Measure("each_us", 1),),
        reference="",
        kind="core",
        mailbox="big",
        total=BIG,
        note="A captured answer, fed to the core in pieces of 64 KiB.",
    ),
    Case(
        "W10-listed",
        "the parser alone, on W2, listed",
        {SYNC: "listed"},
        (Measure("each_us", 5),),
        reference="",
        kind="core",
        mailbox="mid",
        total=MID,
    ),
    Case(
        "W10-everything",
        "the parser alone, on W2, every field read",
        {SYNC: "everything"},
        (Measure("each_us", 70),),
        reference="",
        kind="core",
        mailbox="mid",
        total=MID,
    ),
    *(
        Case(
            f"growth-{how}-{n}",
            f"flags of {n:,} messages, {title}",
            ours(how, "flags"),
            measures,
            kind="replay",
            mailbox="INBOX",
            total=n,
            quick=0 if n == SIZES[-1] else None,
        )
        for how, title, measures in (
            ("flags", "as a dict", (Measure("each_us"),)),
            ("iterate", "iterated", (Measure("each_us"), Measure("growth_mb"))),
        )
        for n in SIZES
    ),
)
