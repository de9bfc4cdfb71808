"""Output that `backup` and `verify` share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from imaplus.cli.output import Console

if TYPE_CHECKING:
    from imaplus.mirror.reports import Notice


def tell_notices(notices: Iterable[Notice], console: Console) -> None:
    """Show notices and warnings."""
    for notice in notices:
        where = "" if notice.mailbox is None else f"{notice.mailbox}: "
        (console.warn if notice.warning else console.note)(f"{where}{notice.text}")
