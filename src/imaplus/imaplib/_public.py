"""The public module, for the modules beside it: programs assign and patch its globals.

`public.Commands` is what `imaplib.Commands` is at that moment, whoever has changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaplus import imaplib as public
else:
    import sys

    public = sys.modules[__package__]

__all__ = ["public"]
