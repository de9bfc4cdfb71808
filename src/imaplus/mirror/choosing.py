"""Choose the mailboxes of a run: by patterns, and without views of other mailboxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imaplus.mirror.description import Choice
from imaplus.mirror.enumeration import VIRTUAL, Listing, enumerate_mailboxes, without_virtual
from imaplus.mirror.errors import NothingMatches
from imaplus.mirror.patterns import choose, is_chosen, is_named, list_pattern, merge_choices
from imaplus.records import record

if TYPE_CHECKING:
    from imaplus import ListEntry
    from imaplus.mirror.link import Link
    from imaplus.mirror.store import Store

INCLUDES_VIRTUAL = "--include-virtual"
"""The command-line option that includes mailboxes which only show mail of others."""


@record
class ChosenMailboxes:
    """The mailboxes of a run, the choice that was applied, and the choice to store for later runs.

    `remarks` are warnings for the user, `notes` are information.
    """

    listing: Listing
    choice: Choice
    remembered: Choice
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def choose_mailboxes(
    link: Link, store: Store | None, choice: Choice | None, *, counted: bool = False
) -> ChosenMailboxes:
    """Return the mailboxes that match `choice` (None: the choice stored in `store`, else all).

    `counted` requests message counts and sizes from the server.

    Raises:
        NothingMatches: a pattern of `choice.only` matches no mailbox.
        InvalidArgument: a pattern is not valid.
    """
    before = None if store is None else store.choice
    wanted = choice or before or Choice()
    if choice is not None and not (choice.only or choice.exclude):
        wanted = merge_choices(before, choice)  # `virtual` alone chooses no others
    listing = enumerate_mailboxes(link, store, pattern=list_pattern(wanted), sizes=counted)
    found = choose(listing.entries, wanted)
    if found.unmatched and choice is not None:
        raise NothingMatches(found.unmatched[0])
    entries = list(found.mailboxes)
    left_out = [] if wanted.virtual else _only_show_others(link, listing.entries)
    left_out = [each for each in entries if each in left_out and not is_named(each, wanted)]
    entries = [each for each in entries if each not in left_out]
    remarks = [f"no mailbox matches {text} any more" for text in found.unmatched]
    remarks += found.remarks
    notes = []
    if choice is None and before is not None and (before.only or before.exclude):
        notes.append(_as_before(before))
    if left_out:
        names = ", ".join(entry.name for entry in left_out)
        notes.append(
            f"left out: {names} (they only show mail of other mailboxes; {INCLUDES_VIRTUAL} backs "
            "them up, too)"
        )
    return ChosenMailboxes(
        Listing(
            tuple(entries),
            tuple(info for info in listing.absent if is_chosen(info, wanted)),
            tuple(each for each in listing.problems if each.mailbox in {e.name for e in entries}),
        ),
        wanted,
        wanted if choice is None else merge_choices(before, choice),
        tuple(remarks),
        tuple(notes),
    )


def _only_show_others(link: Link, entries: Sequence[ListEntry]) -> list[ListEntry]:
    """The mailboxes whose mail is also in others, if it would have to be fetched twice."""
    if not any(entry.attributes & VIRTUAL for entry in entries):
        return []
    from imaplus.mirror.identity import identity_items  # seldom needed

    return without_virtual(link, entries)[1] if identity_items(link.client) is None else []


def _as_before(choice: Choice) -> str:
    """A note that an earlier run's choice applies."""
    parts = [f"only {', '.join(choice.only)}"] if choice.only else []
    parts += [f"without {', '.join(choice.exclude)}"] if choice.exclude else []
    return f"mailboxes as chosen in an earlier run: {'; '.join(parts)}"


def amount(store: Store | None, entries: Iterable[ListEntry]) -> tuple[int | None, int | None]:
    """Estimate how many messages are new, and their size in bytes; None where unknown."""
    messages = size = 0
    all_messages = all_sizes = True
    for entry in entries:
        status = entry.status
        if status is None or status.messages is None:
            return None, None
        held = 0
        if store is not None and status.uidvalidity in store.generations(entry.name):
            checkpoint = store.mailbox(entry.name, status.uidvalidity or 0).checkpoint
            held = 0 if checkpoint is None else checkpoint.held
        missing = max(0, status.messages - held)
        messages += missing
        if status.size is None:
            all_sizes = False
        elif status.messages:
            size += status.size * missing // status.messages
    return (messages if all_messages else None), (size if all_sizes else None)
