"""Flags: one text or several, in any form, and nothing that is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest

from imaplus.errors import InvalidArgument
from imaplus.wire.flags import FlagsLike, flags_of


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ([], set()),
        (["\\Seen"], {"\\Seen"}),
        (["\\Seen", "$Junk"], {"\\Seen", "$Junk"}),
        ([["\\Seen", "$Junk"]], {"\\Seen", "$Junk"}),
        ([("\\Seen",), "$Junk", {"a", "b"}, iter(["c"]), ()], {"\\Seen", "$Junk", "a", "b", "c"}),
        ([frozenset({"x"})], {"x"}),
        ([{"x": 1}.keys()], {"x"}),
        (["[css3-page]"], {"[css3-page]"}),  # quirk 15
    ],
)
def test_flags_in_every_form(given: Iterable[FlagsLike], flags: set[str]) -> None:
    assert flags_of(*given) == flags


@pytest.mark.parametrize(
    "given",
    [
        *("", "\\", "\\*", "a b", "\\Seen \\Flagged", "(\\Seen)", "a\n", "ü", None, 5, b"\\Seen"),
        *([b"x"], [None], [["x"]], frozenset({"a b"}), frozenset({5})),
    ],
)
def test_what_is_no_flag(given: object) -> None:
    with pytest.raises(InvalidArgument, match="expected a flag"):
        flags_of(cast(Any, given))
