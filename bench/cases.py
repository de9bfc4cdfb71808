"""What a workload is made of: clients, measures and the class `Case`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prepare import USER

SYNC, ASYNC, FACADE = "imaplus", "imaplus async", "imaplus.imaplib"
IMAPLIB, IMAPCLIENT, IMAP_TOOLS = "imaplib", "IMAPClient", "imap_tools"
AIOIMAPLIB, IMAPFLOW, MBSYNC = "aioimaplib", "imapflow", "mbsync"
DRAIN = "drain"
OURS = (SYNC, ASYNC)
PEERS = (IMAPLIB, IMAPCLIENT, IMAP_TOOLS, AIOIMAPLIB, IMAPFLOW, MBSYNC)
CLIENTS = (SYNC, ASYNC, FACADE, *PEERS)

QUICK_MID, QUICK_FAT = 2_000, 10
"""Numbers of messages in quick mode, where the cost per message is constant."""
FILES = 40
"""Number of messages of `fat` written to files; with more, the disk would be measured."""
ROUND_TRIP = 0.020
"""Duration of a round trip through the delay proxy, in seconds."""


@dataclass(frozen=True)
class Measure:
    """A row of the table: a figure and its goal."""

    name: str
    """One of those in table.UNITS."""
    goal: float | None = None
    below: bool = False
    """Whether the figure must be less than the goal; otherwise it may be equal."""


@dataclass(frozen=True)
class Case:
    """A workload for some clients."""

    key: str
    title: str
    work: Mapping[str, str]
    """The name of the workload in each client's worker, and in the drain's."""
    measures: tuple[Measure, ...] = (Measure("ratio"),)
    reference: str = DRAIN
    """The client that the ratio refers to."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Other raw forms, shown beside the drain's time."""
    kind: str = "imap"
    """`imap`: at Dovecot; `delayed`: at Dovecot, from a distance; `idle`: at the idle server;
    `tunnel`: at one of Dovecot's processes; `replay`: at a server that has FETCH answered
    beforehand; `core`: no server; `mirror` and `import`: whole processes."""
    user: str = USER
    mailbox: str = ""
    total: int = 0
    """Number of messages processed: all of the mailbox's, or the first ones."""
    quick: int | None = None
    """The number in quick mode, if it differs; 0 omits the case."""
    count: int = 0
    """Number of commands, messages or connections, if the workload counts them."""
    quick_count: int | None = None
    """The number in quick mode, if it differs."""
    fewer: Mapping[str, int] = field(default_factory=dict)
    """Clients that process fewer, as they need a round trip for each; their seconds are scaled."""
    appends: bool = False
    """Whether to create the mailbox `bench` for each sample, and check its size afterwards."""
    rounds: int = 0
    """Minimum number of rounds, where differences of a few percent matter; 0: the default."""
    goals_for: tuple[str, ...] = OURS
    """The clients that the goals apply to."""
    note: str = ""


def by(name: str, *, drain: str = "", without: tuple[str, ...] = ()) -> dict[str, str]:
    """Assign a workload to all clients except mbsync and those in `without`."""
    left_out = (MBSYNC, *without)
    everybody = dict.fromkeys((client for client in CLIENTS if client not in left_out), name)
    return {DRAIN: drain or name, **everybody}


def ours(name: str, drain: str) -> dict[str, str]:
    """Assign a workload to the typed clients only."""
    return {DRAIN: drain, SYNC: name, ASYNC: name}


def ratio(goal: float | None = None, *, below: bool = False) -> Measure:
    return Measure("ratio", goal, below)
