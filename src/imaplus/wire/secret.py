"""A text that must not be seen: it travels, and shows as `***` wherever else it turns up."""

from __future__ import annotations

from typing import Final

from imaplus.errors import InvalidArgument


class Secret:
    """A password or token. `repr`, `str` and formatting give `***`; `reveal()` gives the text.

    Raises: InvalidArgument for what is no text.
    """

    __slots__ = ("_text",)
    _text: Final[str]

    def __init__(self, text: str | Secret) -> None:
        if not isinstance(text, str | Secret):
            raise InvalidArgument(f"expected a secret as str, found {type(text).__name__}")
        self._text = text.reveal() if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """The text itself, for whoever writes it to the wire."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        """Itself: it never changes, and a copy in memory reveals nothing."""
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")
