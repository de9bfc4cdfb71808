"""SASLprep (RFC 4013): one form for each user name and password, however it was typed.

It knows the tables of Unicode 3.2 that stringprep (RFC 3454) is bound to, and no mechanism.
"""

from __future__ import annotations

import stringprep
from typing import Final
from unicodedata import ucd_3_2_0

_PROHIBITED: Final = (  # RFC 4013, 2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str | None:
    """The form in which two spellings of a name or password are equal (RFC 4013), as a query.

    None if a character is prohibited, or scripts of both directions are mixed: an error would carry
    the text with it, and that may be a password.
    """
    spaced = (" " if stringprep.in_table_c12(char) else char for char in text)
    mapped = "".join(char for char in spaced if not stringprep.in_table_b1(char))
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(char) for prohibits in _PROHIBITED for char in prepared):
        return None
    right_to_left = [stringprep.in_table_d1(char) for char in prepared]
    if any(right_to_left) and (
        not (right_to_left[0] and right_to_left[-1]) or any(map(stringprep.in_table_d2, prepared))
    ):
        return None
    return prepared
