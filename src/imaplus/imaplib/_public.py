"""The module `imaplus.imaplib`, for the private modules: programs patch its globals.

`public.Commands` is the current value of `imaplib.Commands`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaplus import imaplib as public
else:
    import sys

    public = sys.modules[__package__]

__all__ = ["public"]
