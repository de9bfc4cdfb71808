"""The parameters by which extensions change core commands (RFC 4466).

An extension derives a frozen dataclass from one of these classes; the command takes its instances.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from imaplus.wire.writer import Writer


class Parameter:
    """An optional part of a command."""

    requires: ClassVar[str | None] = None
    """The capability that the parameter requires."""

    def encode(self, out: Writer) -> None:
        """Write it, without a space around it."""
        raise AssertionError(f"{type(self).__name__} does not say how it is written")


class SelectParameter(Parameter):
    """select-param: `SELECT INBOX (QRESYNC (...))`."""


class FetchModifier(Parameter):
    """fetch-modifier: `UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)`."""


class StoreModifier(Parameter):
    """store-modifier: `UID STORE 1 (UNCHANGEDSINCE 5) +FLAGS (...)`."""


class SearchReturn(Parameter):
    """search-return-opt: `UID SEARCH RETURN (PARTIAL 1:10) ALL`."""


class ListSelection(Parameter):
    """list-select-opt: `LIST (SUBSCRIBED) "" "*"` (RFC 9051, 6.3.9.1)."""


class ListReturn(Parameter):
    """return-option: `LIST "" "*" RETURN (STATUS (...))` (RFC 9051, 6.3.9.2)."""


def needs_of(parameters: Iterable[Parameter]) -> list[str]:
    """The capabilities that parameters require."""
    return [parameter.requires for parameter in parameters if parameter.requires is not None]


def write_list(out: Writer, parameters: Iterable[Parameter]) -> None:
    """Write parameters in parentheses."""
    with out.parens():
        for _, parameter in out.separate(parameters):
            parameter.encode(out)
