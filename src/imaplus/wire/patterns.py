"""Regular expressions that are compiled when they are first used.

There are over a hundred in imaplus, and no program needs more than a part of them: compiling them
all at import would cost as much as connecting to a server. Nothing is known here of IMAP.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands for a compiled pattern, whose methods it takes over one by one."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._arguments = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name == "_compiled":
            self._compiled = re.compile(*self._arguments)
            return self._compiled
        method = self.__dict__[name] = getattr(self._compiled, name)  # found at once from now on
        return method

    def __repr__(self) -> str:
        return f"lazy_pattern({self._arguments[0]!r})"


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile()`, but at the first use. A pattern that is wrong fails there."""
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))
